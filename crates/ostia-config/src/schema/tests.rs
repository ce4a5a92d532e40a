#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_schema_knows_what_the_reader_knows() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let check = |yaml: &str, is_right: bool| {
        let value: Value = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(schema.is_valid(&value), is_right, "{yaml}");
        let report = crate::check("o.yaml", yaml, &|_: &str| Some("value".to_owned())).report;
        assert_eq!(!report.has_errors(), is_right, "{yaml}: {report}");
    };
    check("workers: 2", true);
    check("workers: 0", false);
    check("workers: many", false);
    check("workrs: 2", false);
    check("x-own: {a: 1}", true);
    check("timeouts: {idle: 5s}", true);
    check("timeouts: {idle: 5 parsecs}", false);
    check("timeouts: {keep_alive: \"off\"}", true);
    check("limits: {body_bytes: 64MiB}", true);
    check("limits: {body_bytes: big}", false);
    check("listen:", true);
    check("providers: {openai: {api_key: k}}", true);
    check("providers: {openai: {api_kye: k}}", false);
    check("providers: {own: {base_url: http://a.example, dialects: [openai_chat]}}", true);
    check("providers: {own: {base_url: http://a.example, dialects: [latin]}}", false);
    check(
        "configs: {c: {strategy: {mode: fallback}, targets: [{provider: openai, retry: {attempts: 2}}]}}",
        true,
    );
    check("configs: {c: {strategy: {mode: fallbak}, targets: [{provider: openai}]}}", false);
    check("configs: {c: {targets: {}}}", false);
    check("cors: {origins: [https://a.example]}", true);
    check("cors: {origins: https://a.example}", false);
}

#[test]
fn every_field_of_the_file_is_described() {
    fn walk(schema: &Value, count: &mut usize) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            assert!(field["description"].as_str().is_some_and(|about| about.len() > 5), "{name}: {field}");
            *count += 1;
        }
        match schema {
            Value::Object(parts) => parts.values().for_each(|part| walk(part, count)),
            Value::Array(parts) => parts.iter().for_each(|part| walk(part, count)),
            _ => {}
        }
    }
    let mut count = 0;
    walk(&schema(), &mut count);
    assert!(count > 100, "{count}");
}
