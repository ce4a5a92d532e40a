//! The subcommands that do not serve.

use std::path::{Path, PathBuf};
use std::process::Output;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

fn run(args: &[&str]) -> Output {
    args.iter().fold(Setup::new(), |setup, arg| setup.arg(arg)).run()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file of this test's own, not there yet.
fn new_file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.yaml", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn the_version_has_a_commit() {
    let output = run(&["--version"]);
    let said = out(&output);
    let commit = said
        .strip_prefix(concat!("ostia ", env!("CARGO_PKG_VERSION"), " (commit "))
        .and_then(|rest| rest.strip_suffix(")\n"))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(commit == "unknown" || commit.chars().all(|c| c.is_ascii_hexdigit()), "{said}");
}

#[test]
fn models_are_listed_as_a_table_and_as_json() {
    let table = out(&run(&["models", "--provider", "openai", "--can", "tools,vision"]));
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>().join(" "),
        "provider model context output in $/M cached out $/M retires can"
    );
    let line = lines.find(|line| line.split_whitespace().nth(1) == Some("gpt-4o-mini")).unwrap();
    for cell in [" 128000 ", " 0.15 ", " 0.075 ", " 0.6 ", "tools,json_schema,vision"] {
        assert!(line.contains(cell), "{cell}: {line}");
    }
    assert!(table.lines().skip(1).all(|line| line.starts_with("openai ")), "{table}");
    // The provider by another name; dollars for a million tokens in.
    let cheap = out(&run(&["models", "flash", "--provider", "gemini", "--max-price", "$0.1", "--json"]));
    let rows: Vec<serde_json::Value> = cheap.lines().map(crate::json).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let price: f64 = row["prices"][0]["rates"]["input"].as_str().unwrap().parse().unwrap();
        assert!(price <= 0.1 && row["provider"] == "google" && row["sources"][0].is_string(), "{row}");
        assert!(row["prices_of"].as_str().unwrap().starts_with("20"), "{row}");
    }
    let all = |args: &[&str]| out(&run(args)).lines().count();
    assert!(all(&["models", "--retired"]) > all(&["models"]) && all(&["models"]) > 2000);
}

#[test]
fn models_says_what_it_does_not_know() {
    let check = |args: &[&str], words: &[&str]| {
        let output = run(&[&["models"], args].concat());
        let said = err(&output);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""), "{args:?}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    };
    check(&["--provider", "opnai"], &["no provider `opnai`", "Did you mean `openai`?"]);
    check(&["--provider", "vllm"], &["no models of vllm"]);
    check(&["--can", "tools,visoin"], &["`visoin`", "Did you mean `vision`?"]);
    check(&["--max-price", "cheap"], &["`cheap` is no such number", "0.25"]);
    check(&["a-model-of-nobody"], &["No model of the catalogue fits"]);
}

/// The words under `Commands:`.
fn subcommands() -> Vec<String> {
    let help = out(&run(&["--help"]));
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn every_help_teaches_by_an_example() {
    let names = subcommands();
    assert!(names.len() > 6 && names.contains(&"doctor".to_owned()), "{names:?}");
    for name in names {
        let output = run(&[&name, "--help"]);
        let said = out(&output);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(said.contains("Examples:") && said.contains(&format!("ostia {name}")), "{name}: {said}");
        assert!(!said.contains('\u{1b}'), "colours in a pipe: {said}");
    }
}

#[test]
fn completions_and_manual_pages_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&run(&["completions", shell]));
        assert!(script.contains("doctor") && script.contains("--offline") || shell == "fish", "{shell}");
        assert!(script.contains("doctor"), "{shell}: {script}");
    }
    assert_eq!(run(&["completions", "cmd"]).status.code(), Some(2));
    let page = out(&run(&["man"]));
    assert!(page.contains(".TH ostia 1") && page.contains("doctor"), "{page}");
    let folder = new_file("pages");
    let output = run(&["man", "--output", folder.to_str().unwrap()]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), ""), "{}", err(&output));
    for name in subcommands() {
        let page = std::fs::read_to_string(folder.join(format!("ostia-{name}.1"))).unwrap();
        assert!(page.contains("Examples:"), "{name}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn init_writes_a_file_that_serves() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let path = new_file("init");
    let at = path.to_str().unwrap();
    let own = format!("my-own={}", upstream.url());
    let output = run(&["init", "--provider", &own, "--provider", "groq", "--output", at]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("export GROQ_API_KEY=") && said.contains("ostia doctor --config"), "{said}");
    let config = std::fs::read_to_string(&path).unwrap();
    let gateway = Setup::new().config(&config).env("GROQ_API_KEY", "sk").start();
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let reply = Ask::post("/v1/chat/completions", body).to(&gateway);
    assert_eq!((reply.status, upstream.count()), (200, 1), "the first is the default: {}", reply.text());
    // What is there stays, unless it is said twice.
    let again = run(&["init", "--provider", "openai", "--output", at]);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("--force"), "{}", err(&again));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), config);
    assert_eq!(run(&["init", "--provider", "openai", "--output", at, "--force"]).status.code(), Some(0));
    assert!(std::fs::read_to_string(&path).unwrap().contains("OPENAI_API_KEY"));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn init_takes_what_the_environment_has_and_prints() {
    let setup = Setup::new().arg("init").arg("--output").arg("-").env("MISTRAL_API_KEY", "sk-secret");
    let text = out(&setup.run());
    assert!(text.contains("${MISTRAL_API_KEY}") && !text.contains("sk-secret"), "{text}");
    let open = out(&run(&["init", "--yes", "--listen", "0.0.0.0:8787", "--output", "-"]));
    let refused = Setup::new().arg("check").config(&open).run();
    assert!(err(&refused).contains("OSTIA_KEY"), "a key is wanted: {}", err(&refused));
    let output = run(&["init", "--provider", "opnai", "--output", "-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("Did you mean `openai`?"), "{}", err(&output));
}

#[test]
fn health_asks_a_gateway_that_runs() {
    let gateway = Gateway::start();
    let address = gateway.address.to_string();
    for path in ["/ready", "/health"] {
        let output = run(&["health", "--listen", &address, "--path", path]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }
    let output = run(&["health", "--listen", &address, "--path", "/nothing"]);
    assert!(output.status.code() == Some(1) && err(&output).contains("404"), "{}", err(&output));
    let config = format!("listen: {address}");
    assert_eq!(Setup::new().config(&config).arg("health").run().status.code(), Some(0));
    let dead = ostia_testkit::dead_address().to_string();
    let output = run(&["health", "--listen", &dead]);
    assert!(output.status.code() == Some(1) && err(&output).contains(&dead), "{}", err(&output));
}

/// What the doctor says of one provider `own`, with this row.
fn examine(row: &str) -> (Option<i32>, String) {
    let config = format!("listen: 127.0.0.1:0\nproviders: {{ own: {{ dialects: [openai_chat], {row} }} }}");
    let output = Setup::new().config(&config).arg("doctor").run();
    (output.status.code(), out(&output))
}

#[test]
fn the_doctor_asks_each_provider_for_its_models() {
    let list = r#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#;
    let check = |answer: Answer, further: &str, status: i32, words: &[&str]| {
        let upstream = Upstream::always(answer);
        let (code, said) = examine(&format!("base_url: '{}/v1', api_key: sk-own{further}", upstream.url()));
        assert_eq!(code, Some(status), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        assert!(!said.contains("sk-own") && !said.contains('\u{1b}'), "{said}");
        let asked = upstream.last();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/v1/models"));
        assert_eq!(asked.header("authorization").as_deref(), Some("Bearer sk-own"));
    };
    check(Answer::json(list), "", 0, &["ok    own", "2 models"]);
    check(Answer::json(list), ", models: [b, c]", 0, &["warn  own", "but not c"]);
    check(Answer::json("[]").status(401), "", 1, &["FAIL  own", "401", "does not take the key"]);
    check(Answer::json("{}").status(404), "", 0, &["ok    own", "no list of models"]);
    check(Answer::json("{}").status(429), "", 0, &["warn  own", "429"]);
    check(Answer::json("{}").status(500), "", 1, &["FAIL  own", "500"]);
    check(Answer::with("text/html", "<html>"), "", 0, &["warn  own", "not with a list"]);
    let past = Answer::json(list).header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    check(past, "", 0, &["warn  clock", "ahead of the providers"]);
    let longer = Answer::json(list).header("date", "not a date");
    check(longer, "", 0, &["2 models"]);
}

#[test]
fn the_doctor_says_why_nobody_answered() {
    let dead = ostia_testkit::dead_address();
    for (row, words) in [
        (format!("base_url: 'http://{dead}', auth: none"), ["no connection", "host and port"]),
        ("base_url: 'http://does-not-exist.invalid', auth: none".into(), ["cannot be resolved", "DNS"]),
        // The guard of the gateway holds for the doctor too.
        ("base_url: 'http://169.254.169.254', auth: none".into(), ["never go there", "guard"]),
    ] {
        let (code, said) = examine(&row);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("FAIL  own") && words.iter().all(|word| said.contains(word)), "{said}");
    }
    let (code, said) = examine("base_url: 'https://models.example.com/v1'");
    assert!(code == Some(0) && said.contains("warn  own") && said.contains("has no key"), "{said}");
}

#[test]
fn the_doctor_looks_at_the_file_and_the_port() {
    let doctor = |config: &str, args: &[&str]| {
        let setup = args
            .iter()
            .fold(Setup::new().config(config).arg("doctor").arg("--offline"), |setup, arg| setup.arg(arg));
        let output = setup.run();
        (output.status.code(), out(&output))
    };
    let (code, said) = doctor("listen: nowhere\nlimits: { body_byte: 1 }", &[]);
    assert_eq!((code, said.matches("FAIL  configuration").count()), (Some(1), 2), "{said}");
    let (code, said) = doctor("listen: 0.0.0.0:0", &[]);
    assert!(code == Some(1) && said.contains("FAIL  listen") && said.contains("auth.keys"), "{said}");
    let gateway = Gateway::start();
    let (code, said) = doctor("{}", &["--listen", &gateway.address.to_string()]);
    assert!(code == Some(0) && said.contains("a gateway runs there"), "{said}");
    let other = Upstream::always(Answer::empty().status(404));
    let (code, said) = doctor("{}", &["--listen", &other.address().to_string()]);
    assert!(code == Some(1) && said.contains("is taken"), "{said}");
    let (code, said) = doctor("listen: 127.0.0.1:0\nproviders: { groq: { api_key: x }, ollama: {} }", &[]);
    assert_eq!(code, Some(0), "{said}");
    for line in ["ok    open files", "ok    groq           has a key", "ok    ollama         needs no key"] {
        assert!(said.contains(line) || line.contains("open files"), "{line}: {said}");
    }
    let (code, said) = doctor("listen: 127.0.0.1:0", &["--provider", "nobody"]);
    assert!(code == Some(1) && said.contains("no provider `nobody`"), "{said}");
}
