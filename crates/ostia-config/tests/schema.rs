//! The JSON Schema: as it stands in the repository, and what it says of good and of broken files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Good files, one for each kind of value. With `ostia.example.yaml` they have every section.
const GOOD: [&str; 15] = [
    "",
    "# only a comment\n",
    "providers:\nauth: {}\nlimits:\n",
    "listen: 127.0.0.1:8787\nworkers: '3'\nlimits: {connections: \"${PORT}\", body_bytes: 2kib, header_bytes: 2048}\n",
    "timeouts: {idle: 2 m, total: 24h, connect: 250, keep_alive: off, first_byte: \"${TIME}\"}\nresponses: {keep: 1H, bytes: 10MB}\n",
    "timeouts: {keep_alive: 0}\nprices: {openai/gpt-4o: {input: 2.5, output: '10'}}\n",
    "x-base: &base {base_url: 'https://h', models: [m], dialects: [openai_chat]}\nproviders:\n  a: *base\n  b: {<<: *base, models: [n], x-note: 1}\n",
    "auth: {keys: [{key: '${KEY}', name: team, config: careful}, plain]}\nconfigs: {careful: {provider: openai, x-note: 1}}\nconfig: careful\n",
    "providers: {groq: {auth: {header: x-key}, key_env: [A_KEY], quirks: {repair: true, takes: all, drop: [x], limits: {tools: 1, stops: unlimited, temperature: [0, 2.5], top_p: null}}}}\n",
    "providers: {groq: {auth: none, key_env: A_KEY, oauth: {prefix: tok-, headers: {x-beta: b}}, quirks: {takes: [store], limits: {tool_ids: {characters: any, chars: [1, 64]}}}}}\n",
    "providers: {groq: {api_key: ['${A}', {key: 'file:/b', weight: 3}, {key: c}]}}\n",
    "configs:\n  a:\n    strategy: {mode: loadbalance, balance: least_cost, onStatusCodes: [429], sticky: {enabled: true, hash_fields: [metadata.u]}}\n    targets:\n      - {provider: openai, weight: 0.5, retry: {attempts: 2, use_retry_after_header: true}, awsRegion: eu-west-1, azure_model_name: m}\n      - {provider: groq, cb_config: {failure_threshold: 3, cooldown_interval: 30000}, hedge: {after: 800, budget: 5}, mid_stream: continue}\n",
    "providers: {azure-openai: {api_key: k, settings: {resource_name: res, api_version: '2024-10-21'}}}\n",
    "providers: {own: {base_url: 'https://{zone}.h', dialects: [openai_chat, anthropic_messages], settings: {zone: {kind: label, env: [ZONE], default: eu, optional: true}}, base_urls: {zone: {us: 'https://h'}}, paths: {openai_chat: {whole: '/{model}', stream: /s}}, body: {openai_chat: {set: {a: b}, without: [model]}}, families: [{models: ['claude-*'], strip: x., dialects: [anthropic_messages], paths: {}, body: {}}]}}\n",
    "aliases:\n  b:\n    strategy: {mode: conditional, conditions: [{query: {metadata.a: {$gt: 1}}, then: x}], default: x, stop_on: [quota]}\n    targets: [{name: x, provider: openai, override_params: {model: m, temperature: 1.5}, requestTimeout: 5}]\n",
];

/// Broken files that a schema cannot know to be broken: what they name is not there, or does not fit together.
const BEYOND_SCHEMA: [&str; 5] = ["doubled", "open", "syntax", "tabs", "variables"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap()
}

fn value(yaml: &str) -> Value {
    // As YAML 1.2 has it: `off` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options::<Option<Value>>(yaml, options).unwrap().unwrap_or(Value::Null)
}

fn good() -> Vec<(String, Value)> {
    let files = GOOD.iter().map(|text| (*text).to_owned()).chain([read("ostia.example.yaml")]);
    files.map(|text| (text.clone(), value(&text))).collect()
}

/// The broken files of `ostia check`, but for those that a schema cannot judge.
fn broken() -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(folder().join("../ostia/tests/broken")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files = paths.filter(|path| {
        path.extension().is_some_and(|end| end == "yaml") && !BEYOND_SCHEMA.contains(&&*name(path))
    });
    files.map(|path| (name(&path), value(&read(&path)))).collect()
}

#[test]
fn it_stands_in_the_repository() {
    let made = format!("{:#}\n", ostia_config::schema());
    let message = "is old: `cargo run -p ostia -- schema > crates/ostia-config/ostia.schema.json`";
    assert!(read("ostia.schema.json") == made, "ostia.schema.json {message}");
    assert_eq!(read("ostia.example.yaml").lines().next(), Some(&*ostia_config::schema_line()));
    assert!(ostia_config::SCHEMA_URL.ends_with("crates/ostia-config/ostia.schema.json"));
}

#[test]
fn good_files_fit_and_broken_ones_do_not() {
    let schema = jsonschema::draft7::new(&ostia_config::schema()).unwrap();
    for (text, value) in good() {
        // What fits the schema is good to the reader as well.
        let env = |name: &str| Some(if name == "TIME" { "5s" } else { "9000" }.to_owned());
        let report = ostia_config::check("o.yaml", &text, &env).report;
        assert!(!report.has_errors(), "{text}\n{report}");
        let misfits: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(misfits.is_empty(), "{text}\n{misfits:#?}");
    }
    let broken = broken();
    assert!(broken.len() >= 8, "{}", broken.len());
    for (name, value) in broken {
        assert!(!schema.is_valid(&value), "{name}");
    }
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
    walk(&ostia_config::schema(), &mut count);
    assert!(count > 100, "{count}");
}
