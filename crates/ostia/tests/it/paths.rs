//! Methods and paths that are nearly right, and keys that are none.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Upstream};

use crate::gateway::Gateway;
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn a_wrong_method_hears_which_ones_are_right() {
    let gateway = Gateway::start();
    for (method, path, allow) in [
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/ready", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/chat/completions", "GET, HEAD, POST, OPTIONS"),
        ("GET", "/v1/messages", "POST, OPTIONS"),
        ("GET", "/v1/responses", "POST, OPTIONS"),
        ("DELETE", "/v1/embeddings", "POST, OPTIONS"),
        ("GET", "/v1beta/models/m:generateContent", "POST, OPTIONS"),
        ("GET", "/v1/explain", "POST, OPTIONS"),
        ("TRACE", "/v1/files", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    ] {
        let reply = Ask::new(method, path).to(&gateway);
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {path}");
        assert!(reply.text().contains(method), "{}", reply.text());
    }
    // The words are those of the path.
    let reply = Ask::new("GET", "/v1/messages").to(&gateway);
    assert_eq!(reply.json()["type"], "error");
    let reply = Ask::new("GET", "/v1/embeddings")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .to(&gateway);
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (426, Some("websocket_unsupported")));
    let reply = Ask::post("/chat/completions", CHAT).to(&gateway);
    assert_eq!(reply.status, 404);
    assert!(
        reply.text().contains("/v1/chat/completions") && reply.text().contains("base URL"),
        "{}",
        reply.text()
    );
}

#[test]
fn a_path_that_can_only_mean_one_thing_is_answered() {
    let chat = Upstream::always(Answer::json(openai::chat("x")));
    let messages = Upstream::always(Answer::json(anthropic::message("x")));
    let gateway = Gateway::start();
    for (upstream, provider, path) in [
        (&chat, "openai", "/v1/chat/completions/"),
        (&chat, "openai", "/v1/v1/chat/completions"),
        (&messages, "anthropic", "/v1/v1/messages?beta=true"),
        (&messages, "anthropic", "/v1/messages/?beta=true"),
    ] {
        let reply = Ask::post_at(upstream, provider, path, CHAT).to(&gateway);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let expected = if provider == "openai" { "/chat/completions" } else { "/messages?beta=true" };
        assert_eq!(upstream.last().target, expected, "{path}");
    }
    assert_eq!(Ask::new("GET", "/v1/models/").to(&gateway).status, 200);
    // What is handed on keeps its slash: a provider may tell the two apart.
    let _ = Ask::new("GET", "/v1/files/").at(&chat, "openai").to(&gateway);
    assert_eq!(chat.last().target, "/files/");
}

#[test]
fn an_empty_bearer_is_no_key() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let own = format!(
        "default_provider: own\nproviders: {{ own: {{ base_url: '{}', dialects: [openai_chat], api_key: sk-operator }} }}",
        upstream.url()
    );
    let gateway = Gateway::with(&own);
    let closed = Gateway::with(&format!("auth: {{ keys: [Bearer] }}\n{own}"));
    for value in ["Bearer", "Bearer ", "bearer", "Bearer   "] {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("authorization", value);
        assert_eq!(ask.to(&gateway).status, 200);
        assert_eq!(
            upstream.last().header("authorization").as_deref(),
            Some("Bearer sk-operator"),
            "{value:?}"
        );
        assert_eq!(ask.to(&closed).status, 401, "{value:?}");
    }
}
