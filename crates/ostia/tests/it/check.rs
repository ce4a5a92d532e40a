//! `ostia check`: broken files with their reports, forms for people and for programs, exit codes.
//!
//! Each file in `tests/broken` has its report beside it. After a change that is meant, `OSTIA_WRITE_REPORTS=1` writes them anew:
//! read the difference.

use std::path::{Path, PathBuf};
use std::process::Output;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::Value;

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

fn check(text: &str) -> Setup {
    Setup::new().arg("check").config(text).env("KEY", "SECRET").env("PORT", "http").env("EMPTY", "")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The files of `tests/broken`, with their texts.
fn broken() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn broken_files_have_their_reports() {
    let files = broken();
    assert!(files.len() >= 10, "{}", files.len());
    for (path, text) in files {
        let report = said(&check(&text).run());
        let golden = path.with_extension("txt");
        if std::env::var_os("OSTIA_WRITE_REPORTS").is_some() {
            std::fs::write(&golden, &report).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(report, expected, "{}", path.display());
        assert!(!report.contains("1234567890") && !report.contains("SECRET"), "{report}");
    }
}

#[test]
fn the_start_shows_the_same_report() {
    for (path, text) in broken() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "open" {
            continue;
        }
        let start =
            Setup::new().config(&text).env("KEY", "SECRET").env("PORT", "http").env("EMPTY", "").run();
        assert_eq!(said(&start).trim_end(), said(&check(&text).run()).trim_end(), "{name}");
        assert_eq!(start.status.code(), Some(1), "{name}");
    }
}

#[test]
fn programs_read_an_array() {
    const FIELDS: [&str; 8] = ["code", "severity", "file", "path", "line", "column", "message", "hint"];
    for (path, text) in broken() {
        let output = check(&text).arg("--json").run();
        let problems: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(!problems.is_empty() && output.stderr.is_empty(), "{}", path.display());
        for problem in &problems {
            let fields: Vec<&str> = problem.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, FIELDS);
            assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
        }
        let severities: Vec<&str> =
            problems.iter().map(|problem| problem["severity"].as_str().unwrap()).collect();
        assert!(severities.is_sorted(), "errors come first: {severities:?}");
    }
    let missing = Setup::new().arg("check").arg("--config").arg("nowhere.yaml").arg("--json").run();
    let told: Value = serde_json::from_slice(&missing.stdout).unwrap();
    assert_eq!((&told[0]["code"], &told[0]["line"]), (&"unreadable_file".into(), &Value::Null));
    let good = check("workers: 2").arg("--json").run();
    assert_eq!((good.status.code(), good.stdout.as_slice()), (Some(0), b"[]\n".as_slice()));
    let one = check("workers: 2\nlisten: 0.0.0.0:80").arg("--json").run();
    let expected = serde_json::json!([{
        "code": "open",
        "severity": "warning",
        "file": "ostia.yaml",
        "path": "listen",
        "line": 2,
        "column": 9,
        "message": "is reachable from other machines, and without `auth.keys` anyone may use your providers' keys: the gateway \
                    starts so only with --insecure",
        "hint": "add auth: { keys: [\"${OSTIA_KEY}\"] }",
    }]);
    assert_eq!(serde_json::from_slice::<Value>(&one.stdout).unwrap(), expected);
}

#[test]
fn exit_codes() {
    let (good, doubtful, bad) = ("workers: 2", "listen: 0.0.0.0:80", "workers: 0");
    for (text, args, code) in [
        (good, &[][..], 0),
        (good, &["--strict"], 0),
        (doubtful, &[], 0),
        (doubtful, &["--strict"], 1),
        (doubtful, &["--strict", "--json"], 1),
        (bad, &[], 1),
        (bad, &["--json"], 1),
        (bad, &["--colour"], 2),
    ] {
        let setup = args.iter().fold(check(text), |setup, arg| setup.arg(arg));
        assert_eq!(setup.run().status.code(), Some(code), "{text} {args:?}");
    }
}

#[test]
fn the_example_is_good() {
    let text = include_str!("../../../ostia-config/ostia.example.yaml");
    let output = check(text).arg("--no-secrets").arg("--strict").run();
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
    // With them, what is missing is told.
    let output = check(text).run();
    let report = said(&output);
    for name in ["OSTIA_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "/run/secrets/models"] {
        assert!(report.contains(name), "{name}: {report}");
    }
    assert!(report.ends_with("ostia.yaml: 4 errors\n"), "{report}");
}

/// A field that nobody knows: in the file its author is there to mend it, in a header a config for another gateway has to work.
#[test]
fn a_misspelt_field_of_a_config_is_an_error_in_the_file_only() {
    let output = check("configs: { a: { provider: openai, wieght: 1 } }").run();
    assert!(said(&output).contains("configs.a.wieght: unknown field"), "{}", said(&output));
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    let config = format!(r#"{{"provider":"openai","wieght":1,"custom_host":"{}"}}"#, upstream.url());
    let ask =
        Ask::post("/v1/chat/completions", r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#);
    let reply = ask.header("x-ostia-config", &config).header("authorization", "Bearer k").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// The start and `ostia providers` say where keys come from, and never what they are.
#[test]
fn keys_are_told_by_where_they_come_from() {
    let file = std::env::temp_dir().join(format!("ostia-key-{}", std::process::id()));
    std::fs::write(&file, "SECRET-4\n").unwrap();
    let config = format!(
        "providers:\n  openai: {{ api_key: '${{MINE}}' }}\n  groq: {{ api_key: SECRET-2 }}\n  x-ai: {{ api_key: 'SECRET-${{MINE}}' }}\n  \
         cohere: {{ api_key: 'file:{}' }}\n  own: {{ base_url: 'http://127.0.0.1:9', dialects: [openai_chat] }}\n",
        file.display()
    );
    let setup = || Setup::new().config(&config).env("MINE", "SECRET-1").env("MISTRAL_API_KEY", "SECRET-3");
    let printed = setup().start().printed();
    let table = String::from_utf8(setup().arg("providers").run().stdout).unwrap();
    std::fs::remove_file(&file).unwrap();
    for (id, origin) in [
        ("openai", "the file's ${MINE}"),
        ("groq", "in the file itself"),
        ("x-ai", "the file, put together"),
        ("cohere", "the file's file:/"),
        ("mistral-ai", "the environment's MISTRAL_API_KEY"),
    ] {
        assert!(printed.contains(&format!("{id} ({origin}")), "{id}: {printed}");
        let line = table.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap();
        assert!(line.contains(&format!("yes: {origin}")), "{line}");
    }
    for (id, words) in [("anthropic", "no: ANTHROPIC_API_KEY is not set"), ("own", "none needed")] {
        let line = table.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap();
        assert!(line.contains(words), "{line}");
    }
    assert!(!printed.contains("SECRET-") && !table.contains("SECRET-"), "{printed}{table}");
}

/// Beyond loopback the environment is not looked at, and what is not looked at is not told as a key.
#[test]
fn the_start_says_what_is_open() {
    let local = Gateway::start().printed();
    for words in [
        "none yet",
        "this machine only",
        "whoever can connect",
        "none but the gateway's own",
        "this machine's",
    ] {
        assert!(local.contains(words), "{words}: {local}");
    }
    let config = "listen: 0.0.0.0:0\nauth: { keys: [k, l] }\ncors: { origins: ['https://a.example'] }\n\
                  egress: { allow_private: [10.0.0.0/8, '*.lan'] }\n";
    let table = Setup::new().arg("providers").config(config).env("OPENAI_API_KEY", "SECRET").run().stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("no: OPENAI_API_KEY counts on loopback only"), "{table}");
    let gateway =
        Setup::new().config(config).arg("--listen").arg("0.0.0.0:0").env("OPENAI_API_KEY", "SECRET").start();
    let open = gateway.printed();
    for words in [
        "none yet",
        "every machine that reaches port",
        "one of the 2 keys",
        "https://a.example",
        "10.0.0.0/8, *.lan",
        "x-ostia-api-key: YOUR-KEY-FOR-THIS-GATEWAY",
    ] {
        assert!(open.contains(words), "{words}: {open}");
    }
}

#[test]
fn the_schema_is_printed_as_it_stands_in_the_repository() {
    let output = Setup::new().arg("schema").run();
    let text = include_str!("../../../ostia-config/ostia.schema.json");
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(0), text.to_owned()));
}

#[test]
fn a_base_that_nobody_knows_is_a_warning() {
    let file = "models:\n  azure-openai/new: {base: azure-openai/gpt-99}\n  azure-openai/old: {base: azure-openai/gpt-5}\n";
    let output = check(file).run();
    assert_eq!(output.status.code(), Some(0));
    let told = said(&output);
    assert!(told.contains(":2:28: warning: models.azure-openai/new.base: azure-openai/gpt-99"), "{told}");
    assert!(!told.contains("gpt-5"), "{told}");
}
