//! Starting, checking, listing, ending.

use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Step, Upstream};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, PATIENCE};

const BODY: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn the_bare_word_serves_and_says_where() {
    let gateway = Gateway::start();
    let printed = gateway.printed();
    for word in [
        &format!("http://{}", gateway.address),
        "curl ",
        "/v1/chat/completions",
        "providers",
        "no ostia.yaml",
    ] {
        assert!(printed.contains(word), "{word}: {printed}");
    }
    for (path, body) in
        [("/", "Ostia is open.\n"), ("/health", r#"{"status":"ok"}"#), ("/ready", r#"{"status":"ready"}"#)]
    {
        let reply = Ask::new("GET", path).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, body));
    }
}

#[test]
fn the_command_that_it_prints_works() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!("providers: {{ openai: {{ base_url: '{}', api_key: sk-1 }} }}", upstream.url());
    let gateway = Setup::new().config(&config).arg("serve").start();
    let printed = gateway.printed();
    let body =
        printed.split_once("-d '").and_then(|(_, rest)| rest.split_once('\'')).map(|(body, _)| body).unwrap();
    let reply = Ask::post("/v1/chat/completions", body).header("x-ostia-provider", "openai").to(&gateway);
    assert_eq!(reply.status, 200, "{body}");
    assert!(!printed.contains("sk-1"));
}

#[test]
fn models_that_the_operator_listed() {
    let gateway = Gateway::with("providers: { openai: { models: [gpt-4o] }, groq: { models: [a/b] } }");
    let body = Ask::new("GET", "/v1/models").to(&gateway).json();
    let ids: Vec<&str> =
        body["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!((&body["object"], ids), (&"list".into(), vec!["@groq/a/b", "@openai/gpt-4o"]));
    for (path, expected) in [
        ("@groq/a/b", Some("@groq/a/b")),
        ("%40groq%2Fa%2Fb", Some("@groq/a/b")),
        ("@openai%2Fgpt-4o", Some("@openai/gpt-4o")),
        ("@openai/gpt-5", None),
        ("@nobody/gpt-4o", None),
        ("@openai", None),
    ] {
        let reply = Ask::new("GET", &format!("/v1/models/{path}")).to(&gateway);
        assert_eq!(reply.status, if expected.is_some() { 200 } else { 404 }, "{path}");
        assert_eq!(reply.json()["id"].as_str(), expected, "{path}");
    }
    let upstream = Upstream::always(Answer::json(r#"{"object":"list","data":[]}"#));
    let reply = Ask::new("GET", "/v1/models").at(&upstream, "openai").to(&gateway);
    assert_eq!((reply.status, upstream.last().target.as_str()), (200, "/models"));
}

#[test]
fn check_tells_every_problem_with_its_line() {
    let output = Setup::new()
        .arg("check")
        .config("listen: nowhere\nproviders:\n  groq: { api_kee: x }\nlimits:\n  body_bytes: much\n")
        .run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("ostia.yaml:")).collect();
    assert_eq!((lines.len(), lines[3]), (4, "ostia.yaml: 3 errors"), "{said}");
    for (line, start, word) in [
        (lines[0], "ostia.yaml:1:", "listen"),
        (lines[1], "ostia.yaml:3:", "api_kee: unknown field"),
        (lines[2], "ostia.yaml:5:", "limits.body_bytes"),
    ] {
        assert!(line.starts_with(start) && line.contains(word), "{line}");
    }
    assert!(said.contains("  3 |   groq: { api_kee: *** }\n    |           ^^^^^^^\n"), "{said}");
    assert!(said.contains("  hint: did you mean `api_key`?\n"), "{said}");
    let serve = Setup::new().config("listen: nowhere").run();
    assert_eq!(serve.status.code(), Some(1), "a broken file starts nothing");
    let good = Setup::new().arg("check").config("providers: { groq: { api_key: x } }").run();
    assert_eq!(good.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&good.stdout).contains("no problems"));
    for (name, config) in [
        ("a variable that is not set", "providers: { groq: { api_key: '${NOT_SET}' } }"),
        ("a provider that nobody knows", "default_provider: nobody"),
        (
            "a row that speaks nothing known",
            "providers: { own: { base_url: 'http://x', dialects: [klingon] } }",
        ),
    ] {
        let output = Setup::new().arg("check").config(config).run();
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(!output.stderr.is_empty(), "{name}");
    }
    let missing = Setup::new().arg("check").arg("--config").arg("nowhere.yaml").run();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere.yaml"));
}

#[test]
fn providers_are_listed() {
    let output = Setup::new()
        .arg("providers")
        .config("providers: { my-own: { base_url: 'http://127.0.0.1:9', dialects: [openai_chat] } }")
        .run();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for words in [
        ["openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "chat"],
        ["my-own", "http://127.0.0.1:9", "", "chat"],
    ] {
        let line = table.lines().find(|line| line.starts_with(words[0])).unwrap_or_else(|| panic!("{table}"));
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    assert!(table.lines().count() > 40);
}

#[test]
fn words_that_the_command_line_does_not_know() {
    for args in [["--listen", "nowhere"], ["serv", "x"], ["serve", "--prot"]] {
        let output = args.iter().fold(Setup::new(), |setup, arg| setup.arg(arg)).run();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn an_address_that_is_taken() {
    let taken = Upstream::always(Answer::empty());
    let output = Setup::new().arg("--listen").arg(&taken.address().to_string()).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains(&taken.address().to_string()), "{said}");
}

#[test]
fn open_streams_end_well() {
    let mut gateway = Gateway::start();
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let gate = Gate::new();
    let answer = Answer::stream(stream.as_bytes()[..at].to_vec()).then(Step::Wait(gate.clone()));
    let upstream = Upstream::always(answer.then(Step::Send(stream.as_bytes()[at..].to_vec())));
    let mut open = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    // A connection on which nobody says anything is no reason to stay.
    let mut idle = Ask::new("GET", "/health").open(&gateway);
    assert_eq!(idle.next().status, 200);
    gateway.terminate();
    assert_eq!(gateway.wait(Duration::from_millis(300)), None, "it waits for the stream");
    assert!(std::net::TcpStream::connect(gateway.address).is_err(), "nobody new is let in");
    gate.open();
    let reply = open.finish();
    assert_eq!((reply.text(), reply.whole), (stream.as_str(), true));
    let status = gateway.wait(Duration::from_secs(5)).expect("it ends when the last stream has ended");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn without_calls_it_ends_at_once() {
    let mut gateway = Gateway::with("workers: 1");
    let _silent = Open::connect(&gateway);
    let mut idle = Ask::new("GET", "/health").open(&gateway);
    assert_eq!(idle.next().status, 200);
    gateway.terminate();
    assert_eq!(gateway.wait(Duration::from_secs(5)).and_then(|status| status.code()), Some(0));
}
