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
    for (path, body) in [("/health", r#"{"status":"ok"}"#), ("/ready", r#"{"status":"ready"}"#)] {
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

/// The command of a page, without its markup.
fn command(page: &str) -> String {
    let text = page.replace("&quot;", "\"").replace("&#39;", "'");
    let at = text.find("curl http://localhost:1234/v1/chat/completions").unwrap_or_else(|| panic!("{page}"));
    text[at..].split("}'").next().unwrap().to_owned() + "}'"
}

/// The request that a command makes.
fn ask_of(command: &str) -> Ask {
    let mut ask =
        Ask::post("/v1/chat/completions", command.split("-d '").nth(1).unwrap().trim_end_matches('\''));
    ask = ask.without("content-type");
    for header in command.split("-H '").skip(1) {
        let (name, value) = header.split_once('\'').unwrap().0.split_once(": ").unwrap();
        ask = ask.header(name, value);
    }
    ask
}

#[test]
fn the_page_says_what_this_is_and_its_command_works() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let own =
        format!("own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }}", upstream.url());
    for (config, key, has, has_not) in [
        (format!("default_provider: own\nproviders: {{ {own} }}"), "", "", "x-ostia-provider"),
        (format!("providers: {{ {own} }}"), "", "x-ostia-provider: own", "x-ostia-api-key"),
        (
            format!("auth: {{ keys: [key-gateway] }}\ndefault_provider: own\nproviders: {{ {own} }}"),
            "key-gateway",
            "x-ostia-api-key: YOUR-KEY",
            "key-gateway",
        ),
        (
            format!(
                "default_provider: own\nproviders: {{ {} }}",
                own.replace("sk-operator", "sk-operator, models: [my-model]")
            ),
            "",
            "my-model",
            "x-ostia-provider",
        ),
    ] {
        let gateway = Gateway::with(&config);
        for (accept, media) in [
            ("*/*", "text/plain; charset=utf-8"),
            ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ] {
            let reply = Ask::new("GET", "/").host("localhost:1234").header("accept", accept).to(&gateway);
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(media)));
            let page = reply.text();
            for word in ["Ostia", "/docs", "http://localhost:1234/v1", has] {
                assert!(page.contains(word), "{config}: {word}: {page}");
            }
            for word in ["sk-operator", "key-gateway", has_not] {
                assert!(!page.contains(word), "{config}: {word}: {page}");
            }
            let command = command(page).replace("YOUR-KEY-FOR-THIS-GATEWAY", key);
            assert_eq!(ask_of(&command).to(&gateway).status, 200, "{command}");
        }
    }
}

#[test]
fn the_page_repeats_no_markup_and_tells_strangers_no_models() {
    let models = "providers: { openai: { api_key: sk-operator, models: [secret-model] } }";
    let gateway = Gateway::with(models);
    let page = |gateway: &Gateway, host: &str| {
        Ask::new("GET", "/").host(host).header("accept", "text/html").to(gateway).text().to_owned()
    };
    assert!(page(&gateway, "localhost").contains("secret-model"));
    assert!(page(&Gateway::start(), "localhost").contains("Bearer YOUR-OPENAI-KEY"));
    assert!(!page(&gateway, "evil.example").contains("secret-model"), "another name points here");
    let hostile = page(&gateway, "a\"><script>x</script>");
    assert!(!hostile.contains("<script>") && hostile.contains("127.0.0.1:8787"), "{hostile}");
    let closed = Gateway::with(&format!("auth: {{ keys: [k] }}\n{models}"));
    assert!(!page(&closed, "localhost").contains("secret-model"));
    let reply = Ask::new("GET", "/").header("accept", "text/html").to(&gateway);
    assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
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
fn probes_hear_that_it_stops() {
    let upstream = Upstream::always(Answer::json("{}").first(Step::Stall));
    let gateway = Gateway::with("workers: 1\ntimeouts: { drain: 20s }");
    let _open = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).open(&gateway);
    assert!(upstream.wait_for_requests(1, PATIENCE));
    let half = |path: &str| {
        let mut open = Open::connect(&gateway);
        open.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n").as_bytes());
        open
    };
    let mut asked: Vec<Open> = ["/ready", "/readyz", "/health"].map(half).into();
    std::thread::sleep(Duration::from_millis(100));
    gateway.terminate();
    std::thread::sleep(Duration::from_millis(100));
    let replies: Vec<_> = asked
        .iter_mut()
        .map(|open| {
            open.send(b"\r\n");
            open.next()
        })
        .collect();
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [503, 503, 200], "it is well, and wants nobody new");
    assert_eq!(replies[0].json()["status"], "stopping");
    gateway.says("20s");
}

#[test]
fn whoever_is_connected_already_is_served() {
    let mut gateway = Gateway::with("workers: 2");
    // While it stands still clients are let in by the system alone.
    gateway.signal("STOP");
    let asked: Vec<Open> = (0..200).map(|_| Ask::new("GET", "/v1/models").open(&gateway)).collect();
    gateway.terminate();
    gateway.signal("CONT");
    for open in asked {
        let reply = open.finish();
        assert_eq!((reply.status, reply.whole), (200, true));
    }
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
}

#[test]
fn the_time_to_end_is_that_of_the_configuration_in_force() {
    let gate = Gate::new();
    let upstream = Upstream::always(Answer::json("{}").first(Step::Wait(gate)));
    let mut gateway = Gateway::with("timeouts: { drain: 1h, total: 1h }");
    let open = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).open(&gateway);
    assert!(upstream.wait_for_requests(1, PATIENCE));
    gateway.write("ostia.yaml", "timeouts: { drain: 300ms, total: 1h }");
    assert!(gateway.reload().status.success());
    gateway.terminate();
    assert_eq!(open.finish().status, 503);
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
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
