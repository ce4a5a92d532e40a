//! Who may open one, whom it is opened at, and what is said where it is not.

use ostia_testkit::{Answer, Upstream};
use tokio_tungstenite::tungstenite::Message;

use super::tools::{Client, Provider};
use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

const REALTIME: &str = "/v1/realtime?model=gpt-realtime";

fn error_of(refused: &http::Response<Vec<u8>>) -> serde_json::Value {
    serde_json::from_slice(refused.body()).unwrap_or_else(|error| panic!("{error}: {refused:?}"))
}

#[test]
fn a_provider_is_asked_as_it_wants_to_be() {
    let (gateway, provider) = (Gateway::start(), Provider::echo());
    let client = Client::new("/v1/realtime?model=gpt-realtime&intent=a%20b")
        .at(&provider, "openai")
        .header("openai-beta", "realtime=v1")
        .header("cookie", "a=b")
        .header("sec-websocket-extensions", "permessage-deflate; client_max_window_bits");
    let (mut socket, agreed) = client.to(&gateway);
    let seen = provider.last();
    assert_eq!(seen.target, "/realtime?model=gpt-realtime&intent=a%20b");
    for (name, value) in [
        ("authorization", Some("Bearer sk-client")),
        ("openai-beta", Some("realtime=v1")),
        ("upgrade", Some("websocket")),
        ("connection", Some("Upgrade")),
        ("cookie", None),
        ("sec-websocket-extensions", None),
        ("sec-websocket-protocol", None),
        ("x-ostia-provider", None),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert_ne!(seen.header("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    let header = |name: &str| agreed.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("x-request-id"), header("x-ostia-provider")), (Some("req_1"), Some("openai")));
    assert!(header("x-ostia-trace-id").is_some() && header("sec-websocket-extensions").is_none());
    socket.send(Message::text("x")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("x"));
}

#[test]
fn each_provider_has_its_own_place_and_sign_in() {
    let provider = Provider::echo();
    let file = format!(
        "providers: {{ azure-openai: {{ base_url: '{0}/openai', api_key: az-1 }}, x-ai: {{ base_url: '{0}/v1', api_key: xai-1 }}, \
         openai: {{ base_url: '{0}/v1', api_key: sk-1 }}, deepgram: {{ base_url: '{0}/v1', api_key: dg-1 }} }}\n\
         aliases: {{ talk: {{ provider: openai, override_params: {{ model: gpt-realtime-2 }} }} }}\n",
        provider.url()
    );
    let gateway = Gateway::with(&file);
    for (id, path, version, target, header, value) in [
        ("azure-openai", REALTIME, "v1", "/openai/v1/realtime?model=gpt-realtime", "api-key", "az-1"),
        (
            "azure-openai",
            REALTIME,
            "2025-04-01-preview",
            "/openai/realtime?api-version=2025-04-01-preview&deployment=gpt-realtime",
            "api-key",
            "az-1",
        ),
        ("x-ai", REALTIME, "", "/v1/realtime?model=gpt-realtime", "authorization", "Bearer xai-1"),
        ("deepgram", "/v1/listen?model=n", "", "/v1/listen?model=n", "authorization", "Token dg-1"),
        (
            "openai",
            "/v1/realtime?call_id=rtc_1",
            "",
            "/v1/realtime?call_id=rtc_1",
            "authorization",
            "Bearer sk-1",
        ),
        (
            "",
            "/v1/realtime?model=%40openai%2Fa-b",
            "",
            "/v1/realtime?model=a-b",
            "authorization",
            "Bearer sk-1",
        ),
        (
            "",
            "/v1/realtime?model=talk",
            "",
            "/v1/realtime?model=gpt-realtime-2",
            "authorization",
            "Bearer sk-1",
        ),
    ] {
        let mut client = Client::new(path);
        if !id.is_empty() {
            client = client.header("x-ostia-provider", id);
        }
        if !version.is_empty() {
            client = client.header("x-ostia-azure-api-version", version);
        }
        client.to(&gateway);
        let seen = provider.last();
        assert_eq!((seen.target.as_str(), seen.header(header)), (target, Some(value)), "{id} {path}");
    }
}

#[test]
fn browsers_send_their_key_among_the_protocols() {
    let provider = Provider::echo();
    let file = format!(
        "auth: {{ keys: [gw-1] }}\nhosts: []\nproviders: {{ openai: {{ base_url: '{}', api_key: sk-operator }} }}\n",
        provider.url()
    );
    let gateway = Setup::new().config(&file).arg("--log").arg("access=info").start();
    let client = |key: &str| {
        let protocols = format!("realtime, openai-insecure-api-key.{key}, openai-beta.realtime-v1");
        Client::new("/v1/realtime?model=@openai/gpt-realtime").header("sec-websocket-protocol", &protocols)
    };
    let (_, agreed) = client("gw-1").to(&gateway);
    assert_eq!(agreed.headers().get("sec-websocket-protocol").unwrap(), "realtime");
    let seen = provider.last();
    assert_eq!(seen.header("authorization"), Some("Bearer sk-operator"));
    assert_eq!(seen.header("sec-websocket-protocol"), Some("realtime, openai-beta.realtime-v1"));
    assert!(!format!("{:?}", seen.headers).contains("gw-1"));
    assert_eq!(client("gw-2").refused_by(&gateway).status(), 401);
    // Wherever else it stands.
    let elsewhere =
        client("gw-1").header("x-ostia-forward-headers", "sec-websocket-extensions, sec-websocket-protocol");
    elsewhere.header("sec-websocket-protocol", "gw-1, a.gw-1").to(&gateway);
    assert!(!format!("{:?}", provider.last().headers).contains("gw-1"));
    // The client's own key, where the gateway wants none.
    let open = Gateway::with(&file.replace("auth: { keys: [gw-1] }", ""));
    client("sk-client").to(&open);
    assert_eq!(provider.last().header("authorization"), Some("Bearer sk-client"));
    let printed = gateway.end();
    assert_eq!(printed.matches("/v1/realtime").count(), 3, "{printed}");
    assert!(!printed.contains("gw-1") && !printed.contains("gw-2"), "{printed}");
}

#[test]
fn keys_in_the_query_are_withheld() {
    let provider = Provider::echo();
    let file = format!(
        "auth: {{ keys: [gw-1] }}\nproviders: {{ google: {{ base_url: '{}', api_key: g-operator }} }}\n",
        provider.url()
    );
    let gateway = Setup::new().config(&file).arg("--log").arg("access=info").start();
    let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    Client::new(&format!("{path}?key=gw-1&a=b")).header("x-ostia-provider", "google").to(&gateway);
    let seen = provider.last();
    assert_eq!(seen.target, format!("{path}?a=b"));
    assert_eq!(seen.header("x-goog-api-key"), Some("g-operator"));
    let refused = Client::new(path).header("x-ostia-provider", "google").refused_by(&gateway);
    assert_eq!(
        (refused.status().as_u16(), &error_of(&refused)["error"]["status"]),
        (401, &"UNAUTHENTICATED".into())
    );
    let printed = gateway.end();
    assert!(printed.matches(path).count() == 2 && !printed.contains("gw-1"), "{printed}");
}

#[test]
fn what_is_no_handshake_is_refused_by_name() {
    let (gateway, provider) = (Gateway::start(), Provider::echo());
    let ask = |version: &str, key: &str, body: &str| {
        let mut ask = Ask::new("GET", REALTIME)
            .header("x-ostia-provider", "openai")
            .header("x-ostia-custom-host", &provider.url())
            .header("authorization", "Bearer sk-1")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", version)
            .header("sec-websocket-key", key);
        if !body.is_empty() {
            ask = ask.body(body);
        }
        ask.to(&gateway)
    };
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    for (version, key, body, status, param) in [
        ("8", key, "", 426, "sec-websocket-version"),
        ("13", "short", "", 400, "sec-websocket-key"),
        ("13", key, "hello", 400, "body"),
    ] {
        let reply = ask(version, key, body);
        assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (status, Some(param)));
        assert_eq!(reply.header("sec-websocket-version").is_some(), status == 426);
    }
    assert_eq!(provider.count(), 0);
    // Nobody is named, or somebody who may not be reached.
    let refused = Client::new(REALTIME).refused_by(&gateway);
    assert_eq!(error_of(&refused)["error"]["code"], "provider_missing");
    let metadata = Client::new(REALTIME)
        .header("x-ostia-provider", "openai")
        .header("authorization", "Bearer sk-1")
        .header("x-ostia-custom-host", "http://169.254.169.254");
    assert_eq!(metadata.refused_by(&gateway).status(), 400);
    // A page of somebody else's.
    let page = Client::new(REALTIME).at(&provider, "openai").header("origin", "https://evil.example");
    assert_eq!(page.refused_by(&gateway).status(), 403);
    assert_eq!(provider.count(), 0);
}

#[test]
fn refusals_are_told_as_answers() {
    let gateway = Gateway::start();
    for (status, body, code) in [
        (
            401,
            r#"{"error":{"message":"bad key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            "invalid_api_key",
        ),
        (
            404,
            r#"{"error":{"message":"no such model","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#,
            "model_not_found",
        ),
        (
            429,
            r#"{"error":{"message":"slowly","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#,
            "rate_limit_exceeded",
        ),
    ] {
        let provider = Provider::answering(move |_| Some((status, body)), |_| {});
        let refused = Client::new(REALTIME).at(&provider, "openai").refused_by(&gateway);
        assert_eq!((refused.status().as_u16(), &error_of(&refused)["error"]["code"]), (status, &code.into()));
        assert_eq!(refused.headers().get("x-request-id").unwrap(), "req_1");
        assert_eq!(refused.headers().get("x-ostia-provider").unwrap(), "openai");
    }
    // Somebody who answers, and knows nothing of WebSockets.
    let plain = Upstream::always(Answer::json("{}"));
    let client = Client::new(REALTIME)
        .header("x-ostia-provider", "openai")
        .header("x-ostia-custom-host", &plain.url())
        .header("authorization", "Bearer sk-1");
    let refused = client.refused_by(&gateway);
    assert_eq!(
        (refused.status().as_u16(), &error_of(&refused)["error"]["code"]),
        (502, &"websocket_refused".into())
    );
}

#[test]
fn a_config_is_followed_to_whoever_agrees() {
    let busy = Provider::answering(|_| Some((503, "{}")), |_| {});
    let shy = Provider::answering(
        |number| (number == 0).then_some((429, "{}")),
        |mut socket| {
            let _ = socket.send(Message::text("here"));
            super::tools::close_of(&mut socket);
        },
    );
    let gateway = Gateway::start();
    let config = format!(
        r#"{{"strategy":{{"mode":"fallback"}},"targets":[
            {{"provider":"openai","api_key":"sk-1","custom_host":"{}"}},
            {{"provider":"x-ai","api_key":"sk-2","custom_host":"{}","retry":{{"attempts":2,"on_status_codes":[429]}},
              "override_params":{{"model":"grok-voice"}}}}]}}"#,
        busy.url(),
        shy.url()
    )
    .replace('\n', "");
    let (mut socket, agreed) = Client::new(REALTIME).header("x-ostia-config", &config).to(&gateway);
    assert_eq!(socket.read().unwrap(), Message::text("here"));
    assert_eq!((busy.count(), shy.count()), (1, 2));
    let header = |name: &str| agreed.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("x-ostia-last-used-option-index"), "config.targets[1]");
    assert_eq!(header("x-ostia-retry-attempt-count"), "1");
    assert_eq!(shy.last().target, "/realtime?model=grok-voice");
    assert_eq!(shy.last().header("authorization"), Some("Bearer sk-2"));
}

/// What is asked before a session, and for one by WebRTC.
#[test]
fn the_side_of_it_that_is_plain_http_passes() {
    let gateway = Gateway::start();
    let sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n";
    let upstream = Upstream::serve(move |request| match request.target.as_str() {
        "/realtime/calls" => {
            Answer::with("application/sdp", sdp).status(201).header("location", "/v1/realtime/calls/rtc_1")
        }
        _ => Answer::json(r#"{"value":"ek_1","expires_at":1}"#),
    });
    let form = "--XX\r\nContent-Disposition: form-data; name=\"sdp\"\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n\
        --XX\r\nContent-Disposition: form-data; name=\"session\"\r\n\r\n{\"type\":\"realtime\",\"model\":\"m\"}\r\n--XX--\r\n";
    for (path, media, body, status) in [
        ("/realtime/calls", "multipart/form-data; boundary=XX", form, 201),
        ("/realtime/calls", "application/sdp", sdp, 201),
        ("/realtime/calls/rtc_1/hangup", "application/json", "", 200),
        (
            "/realtime/client_secrets",
            "application/json",
            r#"{"session":{"type":"realtime","model":"m"}}"#,
            200,
        ),
        ("/realtime/sessions", "application/json", r#"{"model":"m", "a" : 1.50}"#, 200),
        ("/realtime/transcription_sessions", "application/json", "{}", 200),
    ] {
        let ask =
            Ask::new("POST", &format!("/v1{path}")).at(&upstream, "openai").header("content-type", media);
        let reply = ask.body(body).to(&gateway);
        let seen = upstream.last();
        assert_eq!((reply.status, seen.target.as_str(), seen.text().as_str()), (status, path, body));
        assert_eq!(seen.header("content-type").as_deref(), Some(media));
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
        if status == 201 {
            assert_eq!((reply.text(), reply.header("content-type")), (sdp, Some("application/sdp")));
            assert_eq!(reply.header("location"), Some("/v1/realtime/calls/rtc_1"));
        }
    }
}
