//! The JSON Schema: as it stands in the repository, and what it says of good and of broken files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde_json::{Value, json};

/// Good files, one for each kind of value. With `ostia.example.yaml` they have every section.
const GOOD: [&str; 13] = [
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
    let schema = ostia_config::schema();
    for (text, value) in good() {
        // What fits the schema is good to the reader as well.
        let env = |name: &str| Some(if name == "TIME" { "5s" } else { "9000" }.to_owned());
        let report = ostia_config::check("o.yaml", &text, &env).report;
        assert!(!report.has_errors(), "{text}\n{report}");
        assert_eq!(misfit(&schema, &schema, &value), None, "{text}");
    }
    let broken = broken();
    assert!(broken.len() >= 8, "{}", broken.len());
    for (name, value) in broken {
        assert!(misfit(&schema, &schema, &value).is_some(), "{name}");
    }
}

/// The same by the validator that others use, where Python has it.
#[test]
fn another_validator_says_the_same() {
    const PROGRAM: &str = "import json, sys, jsonschema\n\
        given = json.load(sys.stdin)\n\
        jsonschema.Draft7Validator.check_schema(given['schema'])\n\
        fits = jsonschema.Draft7Validator(given['schema']).is_valid\n\
        print(json.dumps([[fits(file) for file in given[kind]] for kind in ('good', 'broken')]))";
    let python = |program: &str| {
        let mut command = Command::new("python3");
        command.args(["-W", "ignore", "-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null()).spawn()
    };
    if !python("import jsonschema").is_ok_and(|mut child| child.wait().unwrap().success()) {
        eprintln!("skipped: python3 has no jsonschema");
        return;
    }
    let (good, broken) = (good(), broken());
    let files = |files: &[(String, Value)]| files.iter().map(|(_, value)| value.clone()).collect::<Value>();
    let given = json!({"schema": ostia_config::schema(), "good": files(&good), "broken": files(&broken)});
    let mut child = python(PROGRAM).unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let said: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said, json!([vec![true; good.len()], vec![false; broken.len()]]));
}

/// Where and why a value does not fit, by the words of JSON Schema that ours uses. Another word stops the test.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let words = schema.as_object().unwrap();
    words.iter().find_map(|(word, rule)| {
        let bad = |fits: bool| (!fits).then(|| format!("{value} is against {word}: {rule}"));
        let number = || rule.as_f64().unwrap();
        match word.as_str() {
            "$schema" | "$id" | "title" | "description" | "definitions" => None,
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                misfit(root, root.pointer(pointer).unwrap(), value)
            }
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                bad(kinds.iter().any(|kind| is_kind(value, kind.as_str().unwrap())))
            }
            "enum" => bad(rule.as_array().unwrap().contains(value)),
            "anyOf" => bad(rule.as_array().unwrap().iter().any(|one| misfit(root, one, value).is_none())),
            "minimum" => bad(value.as_f64().is_none_or(|given| given >= number())),
            "maximum" => bad(value.as_f64().is_none_or(|given| given <= number())),
            "minLength" => bad(value.as_str().is_none_or(|text| text.chars().count() as f64 >= number())),
            "minItems" => bad(value.as_array().is_none_or(|list| list.len() as f64 >= number())),
            "maxItems" => bad(value.as_array().is_none_or(|list| list.len() as f64 <= number())),
            "pattern" => bad(value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text))),
            "items" => value.as_array()?.iter().find_map(|item| misfit(root, rule, item)),
            "required" => {
                let needed = rule.as_array().unwrap().iter();
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                bad(!value.is_object() || needed.clone().all(has))
            }
            "properties" => {
                let named = rule.as_object().unwrap().iter();
                named.into_iter().find_map(|(name, rule)| misfit(root, rule, value.get(name)?))
            }
            "patternProperties" => None,
            "additionalProperties" => {
                let own = |name: &str| schema["properties"].get(name).is_some();
                let patterns = schema.get("patternProperties").and_then(Value::as_object);
                let fits = |name: &str| {
                    patterns.is_some_and(|patterns| patterns.keys().any(|pattern| matches(pattern, name)))
                };
                let others = value.as_object()?.iter().filter(|(name, _)| !own(name) && !fits(name));
                others.into_iter().find_map(|(name, value)| match rule {
                    Value::Bool(false) => Some(format!("{name} is unknown")),
                    _ => misfit(root, rule, value),
                })
            }
            _ => panic!("the test does not know the word {word}"),
        }
    })
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("{kind} is no kind"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let pattern = PikeVM::new(pattern).unwrap();
    pattern.is_match(&mut pattern.create_cache(), text)
}
