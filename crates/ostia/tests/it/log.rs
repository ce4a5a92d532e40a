//! One line for each request on the terminal, and nothing secret in it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream, dead_address};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, PATIENCE, once};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
const COMPLETIONS: &str = "/v1/chat/completions";

fn in_json(setup: Setup) -> Gateway {
    setup.arg("--log-format").arg("json").start()
}

/// The line of the request of this name, once it is there.
#[track_caller]
fn line(gateway: &Gateway, trace_id: &str) -> Value {
    once(|| find(gateway, trace_id).ok_or_else(|| format!("no line of {trace_id}: {}", gateway.printed())))
}

fn find(gateway: &Gateway, trace_id: &str) -> Option<Value> {
    let printed = gateway.printed();
    let mut lines = printed.lines().filter(|line| line.ends_with('}')).map(crate::json);
    lines.find(|line| line["trace_id"] == trace_id)
}

/// These fields stand in the line of this request; `null` for one that does not.
#[track_caller]
fn check(gateway: &Gateway, ask: &Ask, name: &str, expected: Value) {
    let _ = ask.clone().header("x-ostia-trace-id", name).to(gateway);
    let line = line(gateway, name);
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&line[field], value, "{name}: {field} in {line}");
    }
}

#[test]
fn a_line_says_who_asked_whom_and_what_came_of_it() {
    let upstream = Upstream::serve(|request| match request.text().contains("\"stream\":true") {
        true => Answer::stream(openai::chat_stream(&["On the", " Tiber"])),
        false => Answer::json(openai::chat("x")),
    });
    let other = Upstream::always(Answer::json(anthropic::message("Rome")));
    let refusing = Upstream::always(
        Answer::json(r#"{"error":{"message":"m","type":"t","code":"rate_limit_exceeded"}}"#).status(429),
    );
    let config = format!(
        "auth: {{ keys: [{{ key: key-1, name: team-a }}, key-2] }}\nprices: {{ own/m: {{ input: 1, output: 2 }} }}\nproviders:\n  \
         own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }}\n  \
         other: {{ base_url: '{}', dialects: [anthropic_messages], api_key: sk-operator }}\n  \
         refusing: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }}\n  \
         dead: {{ base_url: 'http://{}', dialects: [openai_chat], api_key: sk-operator }}\n",
        upstream.url(),
        other.url(),
        refusing.url(),
        dead_address(),
    );
    let gateway = in_json(Setup::new().config(&config));
    let ask = |provider: &str, body: &str| {
        let ask = Ask::post(COMPLETIONS, body).header("x-ostia-provider", provider);
        ask.header("x-ostia-api-key", "key-1")
    };
    let usage = crate::json(&openai::chat("x"))["usage"].clone();
    check(
        &gateway,
        &ask("own", CHAT),
        "relayed",
        json!({
            "target": "access", "level": "info", "status": 200, "method": "POST", "path": COMPLETIONS, "client": "team-a",
            "peer": "127.0.0.1", "provider": "own", "model": "m", "tokens_in": usage["prompt_tokens"],
            "tokens_out": usage["completion_tokens"], "end": "whole", "error": null, "first_token_ms": null,
            // 9 x 1 + 2 x 2 dollars for a million.
            "cost": "0.000013", "currency": "USD",
        }),
    );
    let second = ask("own", STREAM).without("x-ostia-api-key").header("authorization", "Bearer key-2");
    check(
        &gateway,
        &second,
        "streamed",
        json!({
            "status": 200, "client": "auth.keys[1]", "end": "whole", "error": null, "model": "m",
        }),
    );
    let streamed = line(&gateway, "streamed");
    let (first, all) =
        (streamed["first_token_ms"].as_f64().unwrap(), streamed["duration_ms"].as_f64().unwrap());
    assert!(0.0 < first && first <= all, "{streamed}");
    check(
        &gateway,
        &ask("other", CHAT),
        "translated",
        json!({"provider": "other", "status": 200, "model": "m"}),
    );
    let pass = Ask::new("GET", "/v1/files?after=secret-cursor").header("x-ostia-provider", "own");
    check(
        &gateway,
        &pass.header("x-ostia-api-key", "key-1"),
        "passed",
        json!({
            "status": 200, "method": "GET", "path": "/v1/files", "provider": "own", "end": "whole", "model": null,
        }),
    );
    check(
        &gateway,
        &ask("refusing", CHAT),
        "refused",
        json!({
            "status": 429, "level": "warn", "provider": "refusing", "error": {
                "kind": "rate limit", "code": "rate_limit_exceeded", "remedy": "wait, or add targets to the config",
            },
        }),
    );
    check(
        &gateway,
        &ask("own", CHAT).without("x-ostia-api-key"),
        "keyless",
        json!({
            "status": 401, "client": null, "provider": null, "error": {
                "kind": "wrong key", "code": "gateway_key_invalid", "remedy": "the client has to send one of auth.keys",
            },
        }),
    );
    check(
        &gateway,
        &ask("dead", CHAT),
        "unreachable",
        json!({"status": 503, "level": "error", "provider": "dead"}),
    );
    let error = line(&gateway, "unreachable")["error"].clone();
    assert!(error["detail"].as_str().unwrap().contains("refused"), "{error}");
    assert!(!error["remedy"].as_str().unwrap().is_empty());
}

#[test]
fn a_line_of_a_stream_comes_with_its_end() {
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let gate = Gate::new();
    let half = || Answer::stream(stream.as_bytes()[..at].to_vec());
    let rest = Step::Send(stream.as_bytes()[at..].to_vec());
    let whole = Upstream::always(half().then(Step::Wait(gate.clone())).then(rest));
    let gateway = in_json(Setup::new());
    let ask = |upstream: &Upstream, name: &str| {
        Ask::post_at(upstream, "openai", COMPLETIONS, STREAM).header("x-ostia-trace-id", name).open(&gateway)
    };
    let mut open = ask(&whole, "open");
    assert!(open.read_words("first", PATIENCE));
    thread::sleep(Duration::from_millis(200));
    assert_eq!(find(&gateway, "open"), None);
    gate.open();
    assert!(open.finish().whole);
    let told = line(&gateway, "open");
    assert!(
        told["duration_ms"].as_f64().unwrap() > 200.0 && told["first_token_ms"].as_f64().unwrap() < 200.0
    );
    let breaking = Upstream::always(half().then(Step::Cut));
    assert!(!ask(&breaking, "broken").finish().whole);
    let told = line(&gateway, "broken");
    assert_eq!(
        (&told["status"], &told["end"], &told["level"]),
        (&json!(200), &json!("broken"), &json!("error"))
    );
    assert_eq!(told["error"]["kind"], "unreachable or nonsense", "{told}");
    let stalled = Upstream::always(half().then(Step::Stall));
    let mut open = ask(&stalled, "left");
    assert!(open.read_words("first", PATIENCE));
    drop(open);
    let told = line(&gateway, "left");
    assert_eq!((&told["status"], &told["end"]), (&json!(200), &json!("client_left")), "{told}");
    let silent = Upstream::always(Answer::json("{}").first(Step::Stall));
    let open = Ask::post_at(&silent, "openai", COMPLETIONS, CHAT).header("x-ostia-trace-id", "early");
    let open = open.open(&gateway);
    assert!(silent.wait_for_requests(1, PATIENCE));
    drop(open);
    let told = line(&gateway, "early");
    assert_eq!((&told["status"], &told["end"]), (&json!(499), &json!("client_left")), "{told}");
    assert_eq!(told["provider"], "openai", "{told}");
}

#[test]
fn what_is_open_when_the_gateway_stops_is_logged_too() {
    let gate = Gate::new();
    let upstream = Upstream::always(Answer::json("{}").first(Step::Wait(gate)));
    let mut gateway = in_json(Setup::new().config("timeouts: { drain: 200ms }"));
    let open = Ask::post_at(&upstream, "openai", COMPLETIONS, CHAT).open(&gateway);
    assert!(upstream.wait_for_requests(1, PATIENCE));
    gateway.terminate();
    assert_eq!(open.finish().status, 503);
    assert!(gateway.wait(PATIENCE).is_some());
    let printed = gateway.says("gateway_stopping");
    assert!(printed.contains("\"status\":503"), "{printed}");
}

/// Everything that a client sends and a provider repeats.
const SECRETS: [&str; 12] = [
    "sk-client-secret",
    "sk-google-secret",
    "key-gateway-secret",
    "sk-operator-secret",
    "header-value-secret",
    "metadata-secret",
    "prompt-secret",
    "answer-secret",
    "query-secret",
    "config-secret",
    "user-secret",
    "host-secret",
];

#[test]
fn no_key_no_header_and_no_word_of_a_prompt_is_logged() {
    // A provider that repeats all that it was sent, in words and in codes.
    let upstream = Upstream::serve(|request| {
        let told = format!("answer-secret {:?} {}", request.headers, request.text());
        let body =
            json!({"error": {"message": told, "type": told, "code": "sk-operator-secret", "param": told}});
        Answer::json(body.to_string()).status(401)
    });
    let talking = Upstream::always(Answer::stream(openai::chat_stream(&["answer-secret", "x"])));
    let lying = Upstream::always(Answer::json("answer-secret is no JSON"));
    let body = |stream: bool| {
        json!({"model": "m", "stream": stream, "user": "user-secret", "max_tokens": 9,
               "messages": [{"role": "user", "content": "prompt-secret"}]})
        .to_string()
    };
    for format in ["text", "json"] {
        let config = format!(
            "auth: {{ keys: [key-gateway-secret] }}\nproviders:\n  \
             own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator-secret }}\n  \
             talking: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator-secret }}\n  \
             lying: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator-secret }}\n",
            upstream.url(),
            talking.url(),
            lying.url(),
        );
        let gateway =
            Setup::new().config(&config).arg("--log").arg("debug").arg("--log-format").arg(format).start();
        let base = |path: &str, body: String| {
            Ask::post(path, body)
                .header("x-ostia-api-key", "key-gateway-secret")
                .header("x-request-note", "header-value-secret")
                .header("x-ostia-metadata", r#"{"a":"metadata-secret"}"#)
        };
        let with = |path: &str, name: &str, value: &str| {
            let _ = base(path, body(false)).header(name, value).to(&gateway);
            let _ = base(path, body(true)).header(name, value).to(&gateway);
        };
        for provider in ["own", "talking", "lying", "header-value-secret"] {
            for path in
                [COMPLETIONS, "/v1/messages", "/v1/responses", "/v1/files", "/v1/proxy/x?a=query-secret"]
            {
                with(path, "x-ostia-provider", provider);
            }
        }
        with(COMPLETIONS, "x-ostia-config", "config-secret");
        with(COMPLETIONS, "x-ostia-config", r#"{"strategy":{"mode":"config-secret"}}"#);
        with(
            COMPLETIONS,
            "x-ostia-config",
            r#"{"provider":"openai","api_key":"sk-client-secret","custom_host":"http://host-secret.invalid"}"#,
        );
        with(COMPLETIONS, "authorization", "Bearer sk-client-secret");
        with("/v1/messages", "x-api-key", "sk-client-secret");
        with(
            "/v1beta/models/m:generateContent?key=sk-google-secret&a=query-secret",
            "x-ostia-provider",
            "own",
        );
        let away = base(COMPLETIONS, body(false)).header("x-ostia-provider", "openai");
        let away = away.header("authorization", "Bearer sk-client-secret");
        let _ = away.header("x-ostia-custom-host", "http://host-secret.invalid/v1").to(&gateway);
        let _ = base(COMPLETIONS, "prompt-secret is no JSON".into())
            .header("x-ostia-provider", "own")
            .to(&gateway);
        let _ = base(
            COMPLETIONS,
            r#"{"messages":[{"role":"prompt-secret","content":[{"type":"prompt-secret"}]}]}"#.into(),
        )
        .header("x-ostia-provider", "own")
        .to(&gateway);
        let _ = Ask::post(COMPLETIONS, body(false))
            .header("authorization", "Bearer sk-client-secret")
            .to(&gateway);
        let printed = gateway.end();
        assert!(printed.matches(COMPLETIONS).count() > 15, "{printed}");
        for secret in SECRETS {
            assert!(!printed.contains(secret), "{format}: {secret}: {printed}");
        }
    }
}

#[test]
fn one_word_turns_it_off_and_levels_sort_it() {
    for (setup, models, missing) in [
        (Setup::new(), true, true),
        (Setup::new().arg("--log").arg("warn"), false, true),
        (Setup::new().env("OSTIA_LOG", "warn"), false, true),
        (Setup::new().env("OSTIA_LOG", "warn").arg("--log").arg("info"), true, true),
        (Setup::new().arg("--log").arg("access=off"), false, false),
        (Setup::new().arg("--log").arg("off"), false, false),
    ] {
        let name = format!("{setup:?}");
        let gateway = setup.start();
        for path in ["/health", "/v1/models", "/nowhere"] {
            let _ = Ask::new("GET", path).to(&gateway);
        }
        let printed = gateway.end();
        assert_eq!(printed.contains("GET /v1/models"), models, "{name}: {printed}");
        assert_eq!(printed.contains("404 GET /nowhere"), missing, "{name}: {printed}");
        assert!(!printed.contains("GET /health"), "{name}: probes only help to find faults: {printed}");
        assert!(!printed.contains('\u{1b}'), "this is no terminal: {printed}");
    }
    let output = Setup::new().arg("--log").arg("loud").run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("error, warn, info"), "{said}");
}

#[test]
fn json_is_json_from_the_first_line_on() {
    let gateway = in_json(Setup::new().config("listen: 127.0.0.1:0"));
    gateway.write("ostia.yaml", "listen: nowhere");
    assert!(!gateway.reload().status.success());
    let _ = Ask::new("GET", "/v1/models").to(&gateway);
    let printed = gateway.end();
    let lines: Vec<Value> = printed.lines().map(crate::json).collect();
    for (target, level, words) in [
        ("server", "info", "listens on http://"),
        ("config", "error", "ostia.yaml:1:"),
        ("access", "info", ""),
    ] {
        let is_it = |line: &&Value| {
            line["target"] == target && line["message"].as_str().unwrap_or_default().contains(words)
        };
        let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("{target}: {printed}"));
        assert_eq!(line["level"], level);
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn a_terminal_that_stands_still_stops_nobody() {
    const REQUESTS: usize = 8000;
    let port = dead_address().port();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ostia"))
        .args(["--quiet", "--listen", &format!("127.0.0.1:{port}")])
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = ([127, 0, 0, 1], port).into();
    once(|| std::net::TcpStream::connect(address));
    let mut open = Open::to(address);
    for _ in 0..REQUESTS {
        open.send(&Ask::new("GET", "/v1/models").bytes());
        assert_eq!(open.next().status, 200);
    }
    // Now somebody reads.
    let mut stderr = child.stderr.take().unwrap();
    let reading = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    thread::sleep(Duration::from_millis(300));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let text = reading.join().unwrap();
    let lost = text.lines().filter_map(|line| {
        let (before, _) = line.split_once(" lines of the log were lost")?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    let (lost, written) = (lost.sum::<usize>(), text.matches("200 GET /v1/models").count());
    assert!(lost > 0, "{written} lines were written");
    assert_eq!(lost + written, REQUESTS);
}
