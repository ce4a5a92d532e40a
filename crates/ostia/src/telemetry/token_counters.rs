//! Tokens of attempts as counters, which the newest conventions have beside their histogram
//! (<https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-token-metrics.md>).

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, NumberDataPoint, Sum};
use ostia_store::Usage;

use super::histograms::{Labels, attributes, bounded, with};

/// A counter, and of which tokens: all of them, of audio and of images.
type Kind = (&'static str, &'static str, fn(&Usage) -> [u64; 3]);

const KINDS: [Kind; 5] = [
    ("gen_ai.client.inference.usage.input_tokens", "Tokens read, those from a cache too", |usage| {
        [usage.prompt_tokens, usage.audio_prompt_tokens, usage.image_prompt_tokens]
    }),
    ("gen_ai.client.inference.usage.output_tokens", "Tokens written, those of reasoning too", |usage| {
        [usage.completion_tokens, usage.audio_completion_tokens, usage.image_completion_tokens]
    }),
    ("gen_ai.client.inference.usage.cache_read.input_tokens", "Tokens read from a cache", |usage| {
        [usage.cached_tokens, 0, 0]
    }),
    ("gen_ai.client.inference.usage.cache_write.input_tokens", "Tokens written to a cache", |usage| {
        [usage.cache_write_tokens, 0, 0]
    }),
    ("gen_ai.client.inference.usage.reasoning.output_tokens", "Tokens of reasoning", |usage| {
        [usage.reasoning_tokens, 0, 0]
    }),
];

/// All of them, in the order of [`KINDS`].
#[derive(Debug, Default)]
pub struct TokenCounters([BTreeMap<Labels, u64>; KINDS.len()]);

impl TokenCounters {
    /// Counts an attempt's tokens by what they are of: of `unknown`, where the provider does not tell those of sounds and images apart.
    pub fn count(&mut self, labels: &Labels, usage: &Usage) {
        for (series, (_, _, tokens)) in self.0.iter_mut().zip(KINDS) {
            let [all, audio, image] = tokens(usage);
            let rest = all.saturating_sub(audio).saturating_sub(image);
            let rest_is = if audio + image > 0 { "text" } else { "unknown" };
            for (modality, count) in [(rest_is, rest), ("audio", audio), ("image", image)] {
                if count > 0 {
                    let labels = with(labels, Some(("gen_ai.token.modality", modality.to_owned())));
                    let labels = bounded(series, labels);
                    let own = series.entry(labels).or_default();
                    *own = own.saturating_add(count);
                }
            }
        }
    }

    /// What was counted between these times, in nanoseconds since 1970.
    pub fn metrics(&self, since: u64, now: u64) -> impl Iterator<Item = Metric> {
        let counted = self.0.iter().zip(KINDS).filter(|(series, _)| !series.is_empty());
        counted.map(move |(series, (name, about, _))| {
            let points = series.iter().map(|(labels, count)| NumberDataPoint {
                attributes: attributes(labels),
                start_time_unix_nano: since,
                time_unix_nano: now,
                value: Some(Value::AsInt(i64::try_from(*count).unwrap_or(i64::MAX))),
                ..NumberDataPoint::default()
            });
            let sum = Sum {
                data_points: points.collect(),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            };
            Metric {
                name: name.to_owned(),
                description: about.to_owned(),
                unit: "{token}".to_owned(),
                data: Some(Data::Sum(sum)),
                ..Metric::default()
            }
        })
    }
}
