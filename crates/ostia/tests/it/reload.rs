//! Another configuration is put in force while the gateway serves.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::json;

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, PATIENCE, wait_until};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;

/// A provider of the operator's own at this upstream, and these gateway keys.
fn config(upstream: &Upstream, keys: &str) -> String {
    format!(
        "auth: {{ keys: [{keys}] }}\ndefault_provider: own\n\
         providers: {{ own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }} }}\n",
        upstream.url()
    )
}

fn chat(key: &str) -> Ask {
    Ask::post("/v1/chat/completions", CHAT).header("x-ostia-api-key", key)
}

#[test]
fn a_key_that_is_taken_away_opens_nothing_from_the_next_request_on() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    type Way = fn(&Gateway);
    let ways: [(&str, Way); 3] = [
        ("the command", |gateway| {
            let output = gateway.reload();
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("reloaded"), "{output:?}");
        }),
        ("the signal", |gateway| {
            gateway.signal("HUP");
            gateway.says("reloaded");
        }),
        ("the change of the file", |gateway| drop(gateway.says("reloaded"))),
    ];
    for (name, way) in ways {
        let gateway = Gateway::with(&config(&upstream, "key-old"));
        let mut kept: Vec<Open> = (0..8).map(|_| Open::connect(&gateway)).collect();
        for open in &mut kept {
            open.send(&chat("key-old").bytes());
            assert_eq!(open.next().status, 200, "{name}");
        }
        gateway.write("ostia.yaml", &config(&upstream, "key-new"));
        way(&gateway);
        // Connections that were there before. One that is refused ends, because its body was not wanted.
        for (at, open) in kept.iter_mut().enumerate() {
            let (key, status) = if at % 2 == 0 { ("key-old", 401) } else { ("key-new", 200) };
            open.send(&chat(key).bytes());
            assert_eq!(open.next().status, status, "{name}: {key}");
        }
        assert_eq!(chat("key-old").to(&gateway).status, 401, "{name}");
        let printed = gateway.end();
        assert!(printed.contains("401 POST") && !printed.contains("key-"), "{printed}");
    }
}

#[test]
fn a_wrong_configuration_is_refused_with_all_its_problems() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let good = config(&upstream, "key-old");
    let gateway = Gateway::with(&good);
    let wrong = "listen: nowhere\nproviders:\n  groq: { api_kee: x }\nlimits:\n  body_bytes: much\n";
    gateway.write("ostia.yaml", wrong);
    gateway.says("refused");
    let output = gateway.reload();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for told in [&said, &gateway.printed()] {
        for words in
            ["ostia.yaml:1:", "ostia.yaml:3:", "did you mean `api_key`", "ostia.yaml:5:", "old one stays"]
        {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
    assert_eq!(chat("key-old").to(&gateway).status, 200);
    for (name, text) in [
        ("a provider that nobody knows", "default_provider: nobody".to_owned()),
        ("a variable that is not set", "providers: { groq: { api_key: '${NOT_SET}' } }".to_owned()),
        ("no YAML", "a: [".to_owned()),
    ] {
        gateway.write("ostia.yaml", &text);
        assert_eq!(gateway.reload().status.code(), Some(1), "{name}");
        assert_eq!(chat("key-old").to(&gateway).status, 200, "{name}");
    }
    gateway.remove("ostia.yaml");
    let output = gateway.reload();
    assert_eq!(output.status.code(), Some(1), "without a file it does not fall back to the defaults");
    assert_eq!(Ask::post("/v1/chat/completions", CHAT).to(&gateway).status, 401);
    gateway.write("ostia.yaml", &good);
    assert!(gateway.reload().status.success());
}

#[test]
fn another_user_cannot_reload_it() {
    // Only root can become somebody else.
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let Some(python) = crate::programs::bare_python().filter(|_| is_root) else { return };
    let gateway = Gateway::start();
    let script = format!(
        "import os, socket\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0ostia/{}')\n\
         s.sendall(b'reload\\n')\nprint(s.makefile().read())",
        gateway.address
    );
    let output = std::process::Command::new(python).args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("refused\n") && said.contains("root"), "{said} {output:?}");
    assert!(gateway.reload().status.success());
    let printed = gateway.end();
    assert_eq!(printed.matches("is reloaded").count(), 1, "{printed}");
}

#[test]
fn a_door_that_would_stand_open_is_refused() {
    let closed = "auth: { keys: [key-old] }";
    let gateway = Setup::new().config(closed).arg("--listen").arg("0.0.0.0:0").start();
    gateway.write("ostia.yaml", "workers: 2");
    let output = gateway.reload();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("without authentication"), "{said}");
    assert_eq!(chat("wrong").to(&gateway).status, 401);
}

#[test]
fn a_file_that_appears_is_read_and_secrets_are_watched() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    gateway.write("secret", "sk-first\n");
    gateway.write("ostia.yaml", &config(&upstream, "key-old").replace("sk-operator", "file:secret"));
    gateway.says("reloaded");
    assert_eq!(chat("key-old").to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-first"));
    let sent = |key: &str| {
        let end = Instant::now() + PATIENCE;
        while upstream.last().header("authorization").as_deref() != Some(key) {
            assert!(Instant::now() < end, "{key}: {}", gateway.printed());
            thread::sleep(Duration::from_millis(20));
            assert_eq!(chat("key-old").to(&gateway).status, 200);
        }
    };
    gateway.write("secret", "sk-second\n");
    sent("Bearer sk-second");
    gateway.remove("secret");
    gateway.says("cannot be read");
    sent("Bearer sk-second");
    // As Kubernetes exchanges secrets: a link that points elsewhere all at once.
    gateway.write("secret-of-today", "sk-third\n");
    std::os::unix::fs::symlink("secret-of-today", gateway.folder().join("link")).unwrap();
    std::fs::rename(gateway.folder().join("link"), gateway.folder().join("secret")).unwrap();
    sent("Bearer sk-third");
}

#[test]
fn what_cannot_change_is_named_and_the_rest_holds() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::with(&config(&upstream, "key-old"));
    let fixed =
        "workers: 7\nlimits: { connections: 11, header_bytes: 2KiB }\nresponses: { keep: 1h, bytes: 1MiB }\n";
    gateway.write("ostia.yaml", &format!("{}{fixed}", config(&upstream, "key-new")));
    let output = gateway.reload();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for field in ["workers", "limits.connections", "responses.keep", "responses.bytes", "next start"] {
        assert!(said.contains(field), "{field}: {said}");
    }
    // The command line goes before the file, as at the start.
    assert!(!said.contains("listen") && !said.contains("header_bytes"), "{said}");
    assert_eq!(chat("key-new").to(&gateway).status, 200);
    let reply = chat("key-new").header("x-large", &"x".repeat(3 << 10)).to(&gateway);
    assert_eq!(reply.status, 431);
    gateway.write("ostia.yaml", &config(&upstream, "key-new"));
    let said = String::from_utf8_lossy(&gateway.reload().stdout).into_owned();
    assert!(!said.contains("next start"), "all is as it was at the start: {said}");
}

#[test]
fn open_calls_go_on_as_they_began() {
    let stream = openai::chat_stream(&["first", "second"]);
    let at = stream.find("second").unwrap();
    let gate = Gate::new();
    let answer = Answer::stream(stream.as_bytes()[..at].to_vec()).then(Step::Wait(gate.clone()));
    let upstream = Upstream::always(answer.then(Step::Send(stream.as_bytes()[at..].to_vec())));
    let gateway = Gateway::with(&config(&upstream, "key-old"));
    let mut open =
        Ask::post("/v1/chat/completions", STREAM).header("x-ostia-api-key", "key-old").open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    gateway.write("ostia.yaml", "auth: { keys: [key-new] }");
    assert!(gateway.reload().status.success());
    assert_eq!(chat("key-new").to(&gateway).status, 400, "the provider is gone");
    gate.open();
    let reply = open.next();
    assert_eq!((reply.text(), reply.whole), (stream.as_str(), true));
    open.send(&chat("key-old").bytes());
    assert_eq!(open.next().status, 401);
}

#[test]
fn connections_to_hosts_that_are_still_configured_stay_and_others_are_closed() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let (leaving, left) = leaving_upstream();
    let other = format!("  other: {{ base_url: '{leaving}', dialects: [openai_chat], api_key: sk-other }}\n");
    let base = |other: &str| {
        format!(
            "workers: 1\ndefault_provider: own\nproviders:\n  \
             own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }}\n{other}",
            upstream.url()
        )
    };
    let gateway = Gateway::with(&base(&other));
    let ask = |provider: &str| Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider);
    assert_eq!(ask("own").to(&gateway).status, 200);
    assert_eq!(ask("other").to(&gateway).status, 200);
    for timeouts in ["timeouts: { idle: 7s }\n", "timeouts: { idle: 8s }\n"] {
        gateway.write("ostia.yaml", &format!("{}{timeouts}", base(&other)));
        assert!(gateway.reload().status.success());
        assert_eq!(ask("own").to(&gateway).status, 200);
    }
    assert_eq!(upstream.connections(), 1, "the same connection serves on");
    assert!(!left.load(Ordering::SeqCst), "nor is the other one closed");
    gateway.write("ostia.yaml", &base(""));
    assert!(gateway.reload().status.success());
    wait_until("the connection to a host that is gone is not closed", || left.load(Ordering::SeqCst));
    assert_eq!(ask("own").to(&gateway).status, 200);
    assert_eq!(upstream.connections(), 1);
}

/// A provider that answers once and then waits for the other side to close; and whether it did.
fn leaving_upstream() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let left = Arc::new(AtomicBool::new(false));
    let noted = left.clone();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 64 << 10];
        let _ = stream.read(&mut buffer).unwrap();
        let body = openai::chat("x");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        write!(stream, "{head} {}\r\n\r\n{body}", body.len()).unwrap();
        noted.store(matches!(stream.read(&mut buffer), Ok(0) | Err(_)), Ordering::SeqCst);
    });
    (url, left)
}

#[test]
fn breakers_of_a_config_that_is_the_same_stay_open() {
    let failing = Upstream::always(Answer::json(r#"{"error":{"message":"x"}}"#).status(500));
    let config = |timeouts: &str| {
        format!(
            "{}configs:\n  careful:\n    strategy: {{ mode: fallback, cb_config: {{ failure_threshold: 2, \
             cooldown_interval: 60000 }} }}\n    targets: [{{ provider: own }}]\nconfig: careful\n{timeouts}",
            config(&failing, "")
        )
    };
    let gateway = Gateway::with(&config(""));
    let ask = || Ask::post("/v1/chat/completions", CHAT).header("x-ostia-explain", "true").to(&gateway);
    for _ in 0..3 {
        ask();
    }
    let is_open = || {
        let decisions = crate::json(ask().header("x-ostia-decisions").unwrap());
        decisions["targets"][0]["breaker"]["state"] == "open"
    };
    assert!(is_open());
    gateway.write("ostia.yaml", &config("timeouts: { idle: 7s }\n"));
    assert!(gateway.reload().status.success());
    assert!(is_open());
    gateway.write("ostia.yaml", &config("").replace("failure_threshold: 2", "failure_threshold: 9"));
    assert!(gateway.reload().status.success());
    assert!(!is_open(), "another config has another breaker");
}

#[test]
fn what_is_remembered_stays_with_the_key_that_it_belongs_to() {
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")));
    let config = |keys: &str| {
        format!(
            "auth: {{ keys: [{keys}] }}\ndefault_provider: own\nproviders: {{ own: {{ base_url: '{}', dialects: \
             [anthropic_messages], api_key: sk-operator }} }}\n",
            upstream.url()
        )
    };
    let gateway = Gateway::with(&config("key-a, key-b"));
    let body = json!({"model": "m", "input": "x"}).to_string();
    let made = Ask::post("/v1/responses", body).header("x-ostia-api-key", "key-a").to(&gateway);
    let path = format!("/v1/responses/{}", made.json()["id"].as_str().unwrap());
    let trace = format!("/v1/explain/{}", made.header("x-ostia-trace-id").unwrap());
    let status =
        |path: &str, key: &str| Ask::new("GET", path).header("x-ostia-api-key", key).to(&gateway).status;
    // What stands at the first place is another key now.
    for keys in ["key-b, key-a", "key-b", "key-c, key-b, key-a"] {
        gateway.write("ostia.yaml", &config(keys));
        assert!(gateway.reload().status.success());
        let owner = if keys.contains("key-a") { 200 } else { 401 };
        for path in [&path, &trace] {
            assert_eq!((status(path, "key-a"), status(path, "key-b")), (owner, 404), "{keys} {path}");
        }
    }
}

/// How often the configuration is exchanged under load. Thousands by hand: `OSTIA_TEST_RELOADS=5000`.
fn reloads() -> usize {
    std::env::var("OSTIA_TEST_RELOADS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[test]
fn reloads_under_load_lose_no_request_and_no_memory() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let streaming = Upstream::always(Answer::stream(openai::chat_stream(&["On the", " Tiber"])));
    let config = |round: usize| {
        format!(
            "auth: {{ keys: [key-old, key-{round}] }}\ndefault_provider: own\nproviders:\n  \
             own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-{round} }}\n  \
             streams: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-{round} }}\n  \
             gone-{round}: {{ base_url: 'http://127.0.0.1:{}', dialects: [openai_chat] }}\n\
             configs:\n  same: {{ retry: {{ attempts: 2 }}, provider: own }}\n  \
             other: {{ retry: {{ attempts: 2 }}, provider: own, override_params: {{ user: 'u-{round}' }} }}\n",
            upstream.url(),
            streaming.url(),
            1000 + round % 1000,
        )
    };
    // Without lines of requests: the test looks through all that is printed, again and again.
    let gateway = Setup::new().config(&config(0)).arg("--log").arg("access=off").start();
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ask = |turn: usize, open: &mut Open| {
        let (header, value, body) = match turn % 4 {
            0 => ("x-ostia-provider", "own", CHAT),
            1 => ("x-ostia-config", "same", CHAT),
            2 => ("x-ostia-config", "other", CHAT),
            _ => ("x-ostia-provider", "streams", STREAM),
        };
        let ask = Ask::post("/v1/chat/completions", body).header("x-ostia-api-key", "key-old");
        let ask = ask.header(header, value);
        open.send(&ask.bytes());
        let reply = open.next();
        assert!(reply.status == 200 && reply.whole, "{turn}: {} {}", reply.status, reply.text());
        asked.fetch_add(1, Ordering::SeqCst);
    };
    let (mut warm, rounds) = (0, reloads());
    thread::scope(|scope| {
        for worker in 0..4 {
            let (gateway, stop) = (&gateway, &stop);
            scope.spawn(move || {
                let mut open = Open::connect(gateway);
                let mut turn = worker;
                while !stop.load(Ordering::SeqCst) {
                    ask(turn, &mut open);
                    turn += 1;
                    if turn.is_multiple_of(50) {
                        open = Open::connect(gateway);
                    }
                }
            });
        }
        // Stops the clients also where this side fails.
        let _stopping = Stopping(&stop);
        for round in 1..=rounds {
            gateway.write("ostia.yaml", &config(round));
            let before = gateway.printed().len();
            gateway.signal("HUP");
            let end = Instant::now() + PATIENCE;
            while !gateway.printed()[before..].contains("is reloaded") {
                assert!(Instant::now() < end, "{}", gateway.printed());
                thread::sleep(Duration::from_millis(1));
            }
            if round == rounds / 3 {
                warm = gateway.resident_kib();
            }
        }
    });
    assert!(asked.load(Ordering::SeqCst) > rounds / 2, "{asked:?}");
    let grown = gateway.resident_kib().saturating_sub(warm);
    assert!(grown < 24 << 10, "{grown} KiB more than the {warm} after a third");
    assert_eq!(chat(&format!("key-{rounds}")).to(&gateway).status, 200);
    assert_eq!(chat("key-1").to(&gateway).status, 401);
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
