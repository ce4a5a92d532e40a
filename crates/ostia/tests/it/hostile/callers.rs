//! What is kept for one caller, and the keys that callers show.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Upstream};

use crate::gateway::Gateway;
use crate::wire::{Ask, Open};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const INPUT: &str = r#"{"model":"m","input":"x"}"#;

fn house() -> (Upstream, Gateway) {
    let upstream = Upstream::serve(|request| match request.target.contains("messages") {
        true => Answer::json(anthropic::message("x")),
        false => Answer::json(openai::chat("x")),
    });
    let config = format!(
        "auth: {{ keys: [key-a, key-b] }}\nproviders:\n  anthropic: {{ base_url: '{url}', api_key: sk-op }}\n  \
         openai: {{ base_url: '{url}', api_key: sk-op, dialects: [openai_chat] }}\n  \
         google: {{ base_url: '{url}', api_key: sk-op }}",
        url = upstream.url()
    );
    (upstream, Gateway::with(&config))
}

#[test]
fn what_is_kept_belongs_to_the_key_that_authenticated() {
    let (_upstream, gateway) = house();
    let ask = |method: &str, path: &str, body: &str| {
        Ask::new(method, path).header("content-type", "application/json").body(body)
    };
    let made = ask("POST", "/v1/responses", INPUT).header("x-ostia-provider", "anthropic");
    let made = made.header("x-ostia-api-key", "key-a").header("authorization", "Bearer other").to(&gateway);
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let trace = made.header("x-ostia-trace-id").unwrap().to_owned();
    let mine = [("x-ostia-api-key", "key-a"), ("authorization", "Bearer key-a"), ("x-api-key", "key-a")];
    for path in [format!("/v1/responses/{id}"), format!("/v1/explain/{trace}")] {
        for (name, value) in mine {
            assert_eq!(ask("GET", &path, "").header(name, value).to(&gateway).status, 200, "{path} {name}");
        }
        // A wrong credential that stands first does not count: the one that let the caller in does.
        let both = ask("GET", &path, "").header("x-ostia-api-key", "nonsense");
        assert_eq!(both.clone().header("authorization", "Bearer key-a").to(&gateway).status, 200);
        for theirs in
            [both, ask("GET", &path, "").header("x-ostia-api-key", "key-b").header("x-api-key", "key-a")]
        {
            let reply = theirs.header("authorization", "Bearer key-b").to(&gateway);
            assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        }
    }
    let next = format!(r#"{{"model":"m","input":"y","previous_response_id":"{id}"}}"#);
    for (key, status) in [("key-a", 200), ("key-b", 400)] {
        let ask = ask("POST", "/v1/responses", &next).header("x-ostia-provider", "anthropic");
        assert_eq!(ask.header("x-ostia-api-key", key).to(&gateway).status, status, "{key}");
    }
}

#[test]
fn no_id_tells_another() {
    let (_upstream, gateway) = house();
    let hexadecimal = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let health = Ask::new("GET", "/health").to(&gateway);
        ids.push(health.header("x-ostia-trace-id").unwrap().to_owned());
        let ask = Ask::post("/v1/responses", INPUT).header("x-ostia-provider", "anthropic");
        let reply = ask.header("x-ostia-api-key", "key-a").to(&gateway);
        let made = reply.json()["id"].as_str().unwrap().to_owned();
        ids.push(hexadecimal(made.strip_prefix("resp_").unwrap()));
        ids.push(reply.header("x-ostia-trace-id").unwrap().to_owned());
    }
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(id.len(), 32, "{id}");
        for other in &ids[place + 1..] {
            // Behind the twelve digits that tell the time.
            for part in [&id[12..20], &id[20..28], &id[24..]] {
                assert!(!other.contains(part), "{id} and {other} share {part}");
            }
        }
    }
}

#[test]
fn a_key_of_the_gateways_goes_nowhere_wherever_it_stands() {
    let (upstream, gateway) = house();
    for (path, provider) in [
        ("/v1beta/models/m:generateContent?key=key-a", "google"),
        ("/v1beta/models/m:generateContent?alt=sse&key=key%2Da&x=1", "google"),
        ("/v1beta/models?pageSize=5&key=key-a", "google"),
        ("/v1beta/cachedContents?k%65y=key-a", "google"),
        ("/upload/v1beta/files?key=key-a", "google"),
        ("/v1/models/m:countTokens?key=key-a", "google"),
        ("/v1/chat/completions?api_key=key-b&key=key-a", "openai"),
        ("/v1/files?token=key-a&purpose=x", "openai"),
        ("/v1/proxy/files?key=key-a", "openai"),
    ] {
        let ask = Ask::post(path, CHAT).header("x-ostia-provider", provider);
        let asked = upstream.count();
        let _ = ask.header("x-ostia-api-key", "key-a").to(&gateway);
        assert!(upstream.count() > asked, "{path}");
        let seen = upstream.last();
        let told = format!("{seen:?}").to_lowercase();
        assert!(
            !told.contains("key-a") && !told.contains("key%2da") && !told.contains("key-b"),
            "{path}: {told}"
        );
        if path.contains("purpose") {
            assert!(seen.target.ends_with("?purpose=x"), "the rest goes on: {}", seen.target);
        }
    }
}

#[test]
fn a_key_with_a_percent_sign_is_found_in_a_query() {
    let upstream = Upstream::always(Answer::json("{}"));
    let gateway = Gateway::with(&format!(
        "auth: {{ keys: ['key-100%'] }}\nproviders: {{ openai: {{ base_url: '{}', api_key: sk-own }} }}",
        upstream.url()
    ));
    for written in ["key-100%", "key-100%25", "k%65y-100%"] {
        let ask = Ask::new("GET", &format!("/v1/files?token={written}&purpose=x"));
        let ask = ask.header("x-ostia-provider", "openai").header("x-ostia-api-key", "key-100%");
        assert_eq!(ask.to(&gateway).status, 200, "{written}");
        assert_eq!(upstream.last().target, "/files?purpose=x", "{written}");
    }
}

#[test]
fn a_clients_key_in_the_query_goes_where_the_provider_wants_it() {
    let upstream = Upstream::always(Answer::json("{}"));
    let gateway = Gateway::start();
    let ask = Ask::new("GET", "/v1beta/models?key=sk%2Dmine&pageSize=2").header("x-ostia-provider", "google");
    let _ = ask.header("x-ostia-custom-host", &upstream.url()).to(&gateway);
    let seen = upstream.last();
    assert_eq!(seen.header("x-goog-api-key").as_deref(), Some("sk-mine"));
    assert!(seen.target.ends_with("?pageSize=2"), "{}", seen.target);
}

#[test]
fn request_lines_that_can_be_read_in_two_ways() {
    let (upstream, gateway) = house();
    let status = |line: &str| {
        let mut open = Open::connect(&gateway);
        open.send(format!("{line} HTTP/1.1\r\nhost: localhost\r\nx-ostia-api-key: key-a\r\nx-ostia-provider: openai\r\n\r\n").as_bytes());
        open.next().status
    };
    for path in [
        "/v1/../admin",
        "/v1/proxy/../admin",
        "/v1/proxy/./x",
        "/v1/%2e%2e/admin",
        "/v1/proxy/.%2E/x",
        "/v1//files",
        "//v1/files",
        "/v1/proxy//x",
        "/v1/files/..%2f..%2fadmin",
        "/v1/files/%252e%252e/x",
        "/v1/..;x/y",
        "/v1/x%5c..%5cy",
    ] {
        assert_eq!(status(&format!("GET {path}")), 400, "{path}");
    }
    for line in ["TRACE /v1/files", "TRACE /", "CONNECT localhost:80"] {
        assert_eq!(status(line), 405, "{line}");
    }
    let mut open = Open::connect(&gateway);
    open.send(b"GET /v1/files HTTP/1.1\r\nhost: localhost\r\nhost: other\r\nx-ostia-api-key: key-a\r\n\r\n");
    assert_eq!(open.next().status, 400);
    assert_eq!(upstream.count(), 0);
    assert_eq!(status("GET /v1/files/a..b%2Fc"), 200);
}

#[test]
fn a_model_does_not_lead_to_another_path() {
    let (upstream, gateway) = house();
    let models = ["../../files", "a/../../x", "..%2f..", "..;a", "%2e%2e/%2e%2e", "x\\\\..\\\\y"];
    for model in models {
        let body = CHAT.replace("\"m\"", &format!("\"{model}\""));
        let ask = Ask::post("/v1/chat/completions", body).header("x-ostia-api-key", "key-a");
        let reply = ask.header("x-ostia-provider", "google").to(&gateway);
        assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (400, Some("model")), "{model}");
    }
    assert_eq!(upstream.count(), 0);
}
