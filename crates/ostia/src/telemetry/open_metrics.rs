//! The gateway's own metrics as OTLP's: read from the text that Prometheus gets, so that both say the same
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>,
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>).

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};

use super::values::Attributes;

/// What the names of the gateway's own metrics begin with. Those by Portkey's names say the same again.
const OWN: &str = "ostia_";

type Labels<'t> = Vec<(&'t str, String)>;

/// One line of a family.
struct Sample<'t> {
    name: &'t str,
    labels: Labels<'t>,
    value: f64,
}

/// Lines that belong together.
struct Family<'t> {
    name: &'t str,
    kind: &'t str,
    about: &'t str,
    samples: Vec<Sample<'t>>,
}

/// The gateway's own metrics in this text, counted since then; both times in nanoseconds since 1970.
pub fn metrics(text: &str, since: u64, now: u64) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let mut about = "";
    let mut family: Option<Family<'_>> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("HELP"), Some(_), told) => about = told.unwrap_or_default().trim_end_matches('.'),
                (Some("TYPE"), Some(name), Some(kind)) => {
                    metrics.extend(family.take().and_then(|family| metric(family, since, now)));
                    let is_own = name.starts_with(OWN);
                    family = is_own.then(|| Family { name, kind, about, samples: Vec::new() });
                }
                _ => {}
            }
        } else if let (Some(family), Some(sample)) = (&mut family, sample(line)) {
            family.samples.push(sample);
        }
    }
    metrics.extend(family.and_then(|family| metric(family, since, now)));
    metrics
}

/// `name{label="value"} 1`.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"")?;
            let (value, behind) = quoted(behind)?;
            labels.push((label.trim_start_matches(','), value));
            rest = behind;
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// The text up to the next quotation mark, and what stands behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

fn metric(Family { name, kind, about, samples }: Family<'_>, since: u64, now: u64) -> Option<Metric> {
    let points = |samples: &[Sample<'_>], since: u64| {
        samples.iter().map(|sample| point(sample, since, now)).collect::<Vec<_>>()
    };
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match kind {
        _ if samples.is_empty() => return None,
        "counter" => Data::Sum(Sum {
            data_points: points(&samples, since),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        "gauge" => Data::Gauge(Gauge { data_points: points(&samples, 0) }),
        "histogram" => Data::Histogram(Histogram {
            data_points: histograms(name, &samples, since, now),
            aggregation_temporality: temporality,
        }),
        _ => return None,
    };
    let unit = if name.ends_with("_seconds") { "s" } else { "" };
    Some(Metric {
        name: name.to_owned(),
        description: about.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

fn point(sample: &Sample<'_>, since: u64, now: u64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(&sample.labels),
        start_time_unix_nano: since,
        time_unix_nano: now,
        value: Some(Value::AsDouble(sample.value)),
        ..NumberDataPoint::default()
    }
}

fn attributes(labels: &Labels<'_>) -> Vec<opentelemetry_proto::tonic::common::v1::KeyValue> {
    let mut attributes = Attributes::default();
    labels.iter().for_each(|(name, value)| attributes.text(name, &**value));
    attributes.0
}

/// Their samples are one for each bucket, with all below it, the sum and the count.
fn histograms(name: &str, samples: &[Sample<'_>], since: u64, now: u64) -> Vec<HistogramDataPoint> {
    let mut points: BTreeMap<Labels<'_>, HistogramDataPoint> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        let bound = labels.iter().position(|(label, _)| *label == "le").map(|at| labels.remove(at).1);
        let point = points.entry(labels).or_insert_with_key(|labels| HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: since,
            time_unix_nano: now,
            ..HistogramDataPoint::default()
        });
        match (sample.name.strip_prefix(name), bound) {
            (Some("_sum"), _) => point.sum = Some(sample.value),
            (Some("_count"), _) => point.count = sample.value as u64,
            (Some("_bucket"), Some(bound)) => {
                let below = point.bucket_counts.iter().sum::<u64>();
                point.bucket_counts.push((sample.value as u64).saturating_sub(below));
                point.explicit_bounds.extend(bound.parse::<f64>().ok().filter(|bound| bound.is_finite()));
            }
            _ => {}
        }
    }
    points.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_prometheus_gets() {
        let text = "# HELP ostia_requests Requests.\n# TYPE ostia_requests counter\n\
                    ostia_requests_total{code=\"200\",model=\"a\\\"b\\\\,c=\\\"}\"} 2\nostia_requests_total{code=\"500\"} 1\n\
                    # HELP request_count Requests.\n# TYPE request_count gauge\nrequest_count{code=\"200\"} 2\n\
                    # HELP ostia_open_streams Streams.\n# TYPE ostia_open_streams gauge\nostia_open_streams 3\n\
                    # HELP ostia_d_seconds Time.\n# TYPE ostia_d_seconds histogram\n\
                    ostia_d_seconds_sum{p=\"x\"} 1.5\nostia_d_seconds_count{p=\"x\"} 4\n\
                    ostia_d_seconds_bucket{le=\"0.5\",p=\"x\"} 1\nostia_d_seconds_bucket{le=\"1.0\",p=\"x\"} 3\n\
                    ostia_d_seconds_bucket{le=\"+Inf\",p=\"x\"} 4\n# EOF\n";
        let told = metrics(text, 1, 2);
        let names: Vec<_> = told.iter().map(|metric| (metric.name.as_str(), metric.unit.as_str())).collect();
        assert_eq!(names, [("ostia_requests", ""), ("ostia_open_streams", ""), ("ostia_d_seconds", "s")]);
        let about: Vec<_> = told.iter().map(|metric| metric.description.as_str()).collect();
        assert_eq!(about, ["Requests", "Streams", "Time"]);
        let Some(Data::Sum(sum)) = &told[0].data else { panic!("{told:?}") };
        assert_eq!((sum.is_monotonic, sum.data_points.len()), (true, 2));
        let model = &sum.data_points[0].attributes[1];
        assert!(format!("{model:?}").contains(r#"a\"b\\,c=\"}"#), "{model:?}");
        let Some(Data::Histogram(histogram)) = &told[2].data else { panic!("{told:?}") };
        let point = &histogram.data_points[0];
        assert_eq!((&point.bucket_counts[..], &point.explicit_bounds[..]), (&[1, 2, 1][..], &[0.5, 1.0][..]));
        assert_eq!((point.count, point.sum, point.attributes.len()), (4, Some(1.5), 1));
    }
}
