//! The file, the environment, and what both say.

#![allow(clippy::unwrap_used)]

use ostia_config::{Otlp, OtlpProtocol, OtlpTarget, Report};
use secrecy::SecretString;

use super::*;

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");

/// What comes of the file and these variables, and how much is wrong.
fn resolved(otlp: &Otlp, variables: &[(&str, &str)]) -> (Option<OtlpSettings>, usize) {
    let env =
        |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
    let mut report = Report::new("o.yaml");
    let of_file = vec![("x-key".to_owned(), SecretString::from("secret".to_owned()))];
    let headers = if matches!(otlp, Otlp::To(_)) { of_file } else { Vec::new() };
    let settings = resolve(otlp, headers, &env, &mut report);
    (settings, report.problems().len())
}

fn urls(settings: &OtlpSettings) -> [Option<&str>; 3] {
    [&settings.traces, &settings.metrics, &settings.logs]
        .map(|collector| collector.as_ref().map(|collector| collector.url.as_str()))
}

#[test]
fn where_it_goes() {
    let check =
        |otlp: &Otlp, variables: &[(&str, &str)], expected: Option<[Option<&str>; 3]>, wrong: usize| {
            let (settings, problems) = resolved(otlp, variables);
            assert_eq!(settings.as_ref().map(urls), expected, "{otlp:?} {variables:?}");
            assert_eq!(problems, wrong, "{variables:?}");
        };
    let own = |change: fn(&mut OtlpTarget)| {
        let mut target = OtlpTarget::default();
        change(&mut target);
        Otlp::To(Box::new(target))
    };
    let all = |base: &'static str| {
        let urls: [String; 3] = ["traces", "metrics", "logs"].map(|signal| format!("{base}/v1/{signal}"));
        urls.map(|url| Some(&*Box::leak(url.into_boxed_str())))
    };
    check(&Otlp::Environment, &[], None, 0);
    check(&Otlp::Environment, &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None, 0);
    check(&Otlp::Environment, &[ENDPOINT], Some(all("http://c:4318")), 0);
    check(&Otlp::Environment, &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")], None, 0);
    check(&Otlp::Off, &[ENDPOINT], None, 0);
    check(&own(|_| {}), &[], Some(all("http://localhost:4318")), 0);
    check(&own(|_| {}), &[ENDPOINT], Some(all("http://c:4318")), 0);
    let written = own(|target| target.endpoint = Some("https://d/base/".to_owned()));
    check(&written, &[ENDPOINT, ("OTEL_SDK_DISABLED", "true")], Some(all("https://d/base")), 0);
    check(
        &own(|target| target.logs = Some(false)),
        &[],
        Some([Some("http://localhost:4318/v1/traces"), Some("http://localhost:4318/v1/metrics"), None]),
        0,
    );
    let one = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/take");
    let rest = [("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "console")];
    check(&Otlp::Environment, &[one, rest[0], rest[1]], Some([Some("http://t/take"), None, None]), 1);
    let grpc = own(|target| target.protocol = Some(OtlpProtocol::Grpc));
    let (settings, _) = resolved(&grpc, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317")]);
    let url = "https://c:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!(urls(&settings.unwrap())[0], Some(url));
    let bare = ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317");
    let (settings, _) = resolved(&grpc, &[bare, ("OTEL_EXPORTER_OTLP_INSECURE", "true")]);
    assert_eq!(urls(&settings.unwrap())[0], Some(&*url.replace("https", "http")));
    check(&Otlp::Environment, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:p@c")], None, 3);
    check(&Otlp::Environment, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c d")], None, 3);
}

#[test]
fn how_it_goes() {
    let (settings, problems) = resolved(
        &Otlp::Environment,
        &[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=theirs,Authorization=Bearer%20t,broken"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
            ("OTEL_SERVICE_NAME", "edge"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=no,deployment.environment.name=pro%20d,=x"),
            ("OTEL_TRACES_SAMPLER", "always_off"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ],
    );
    let settings = settings.unwrap();
    let traces = settings.traces.as_ref().unwrap();
    let headers: Vec<_> =
        traces.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(headers, [("x-key", "theirs"), ("authorization", "Bearer t")]);
    assert_eq!((traces.timeout, traces.gzip), (Duration::from_millis(1500), true));
    let logs = settings.logs.as_ref().unwrap();
    assert_eq!((logs.timeout, logs.gzip), (TIMEOUT_DEFAULT, false));
    assert_eq!((settings.delay, settings.metrics_every), (Duration::from_millis(50), METRICS_EVERY_DEFAULT));
    let attribute =
        |name: &str| settings.resource.iter().find(|(own, _)| own == name).map(|(_, value)| &**value);
    assert_eq!(attribute("service.name"), Some("edge"));
    assert_eq!(attribute("deployment.environment.name"), Some("pro d"));
    assert_eq!(settings.sampler, Sampler::parse("always_off", None).unwrap());
    // A broken header for each signal, a protocol, an attribute, an interval.
    assert_eq!(problems, 3 + 1 + 1 + 1);
    // What the file says goes before the same of the environment, and no value is printed.
    let variables = [("OTEL_EXPORTER_OTLP_HEADERS", "x-key=theirs")];
    let (settings, _) = resolved(&Otlp::To(Box::default()), &variables);
    let settings = settings.unwrap();
    assert_eq!(settings.traces.as_ref().unwrap().headers.len(), 1);
    assert_eq!(settings.traces.as_ref().unwrap().headers[0].1, "secret");
    assert!(!format!("{settings:?}").contains("secret"));
}
