//! What stands at the head of requests and answers.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Step, Upstream};

use super::client::{Http2, run};
use crate::gateway::Gateway;
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn calls_are_answered_as_over_http1() {
    let gateway = Gateway::start();
    let openai = Upstream::always(Answer::json(openai::chat("Rome")).header("keep-alive", "timeout=5"));
    let anthropic = Upstream::always(Answer::json(anthropic::message("Rome")));
    let stream = Upstream::always(Answer::stream(openai::chat_stream(&["On the", " Tiber"])));
    let file = Upstream::always(Answer::with("audio/mpeg", vec![7; 100_000]).framing(Framing::Chunked));
    let streamed = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    run(async {
        let client = Http2::to(&gateway).await;
        for (upstream, provider, path, body, words) in [
            (&openai, "openai", "/v1/chat/completions", CHAT, "Rome"),
            (&anthropic, "anthropic", "/v1/chat/completions", CHAT, "Rome"),
            (&stream, "openai", "/v1/chat/completions", streamed, "[DONE]"),
            (&stream, "groq", "/v1/messages", streamed, "message_stop"),
            (&file, "openai", "/v1/audio/speech", CHAT, "\u{7}\u{7}"),
        ] {
            let ask = Ask::post_at(upstream, provider, path, body);
            let (plain, reply) = (ask.to(&gateway), client.ask(&ask).await);
            assert_eq!((reply.status, plain.status), (200, 200), "{path}");
            for name in ["connection", "keep-alive", "transfer-encoding"] {
                assert_eq!(reply.header(name), None, "{path}: {name}");
            }
            // What differs from call to call.
            let hop = ["connection", "keep-alive", "transfer-encoding"];
            let own = ["date", "x-ostia-trace-id", "server-timing"];
            let is_alike = |name: &str| !hop.contains(&name) && !own.contains(&name);
            let of_plain = plain.headers().iter().filter(|(name, _)| is_alike(name));
            let mut of_plain: Vec<_> =
                of_plain.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let of_reply = reply.headers.iter().filter(|(name, _)| is_alike(name.as_str()));
            let mut of_reply: Vec<_> =
                of_reply.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            of_plain.sort_unstable();
            of_reply.sort_unstable();
            assert_eq!(of_reply, of_plain, "{path}");
            assert!(own.iter().all(|name| reply.header(name).is_some()), "{path}");
            assert!(reply.text().await.contains(words), "{path}");
            // The provider is asked in HTTP/1.1, with what that needs and nothing of HTTP/2.
            let (asked, before) = {
                let mut requests = upstream.requests();
                (requests.pop().unwrap(), requests.pop().unwrap())
            };
            assert_eq!((&asked.target, &asked.body), (&before.target, &before.body), "{path}");
            assert_eq!(asked.header("host"), Some(upstream.address().to_string()), "{path}");
            for name in ["content-type", "authorization", "content-length", "transfer-encoding"] {
                assert_eq!(asked.header(name), before.header(name), "{path}: {name}");
            }
        }
        for (method, path, status) in [
            ("GET", "/health", 200),
            ("GET", "/nothing", 404),
            ("DELETE", "/ready", 405),
            ("OPTIONS", "/v1/models", 204),
        ] {
            assert_eq!(client.ask(&Ask::new(method, path)).await.status, status, "{method} {path}");
        }
    });
}

#[test]
fn what_passes_is_streamed_up_with_and_without_its_length() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json("{}"));
    run(async {
        let client = Http2::to(&gateway).await;
        for length in [None, Some(300_000)] {
            let mut ask = Ask::new("PUT", "/v1/files/f").at(&upstream, "openai");
            if let Some(length) = length {
                ask = ask.header("content-length", &format!("{length}"));
            }
            let ask = ask.header("content-type", "application/octet-stream").body(vec![b'x'; 300_000]);
            assert_eq!(client.ask(&ask).await.status, 200);
            let asked = upstream.last();
            assert_eq!((asked.method.as_str(), asked.body.len()), ("PUT", 300_000));
            let framing = if length.is_some() { "content-length" } else { "transfer-encoding" };
            assert!(asked.header(framing).is_some(), "{asked:?}");
        }
    });
}

#[test]
fn the_name_that_is_called_is_looked_at_wherever_it_stands() {
    let gateway = Gateway::with("hosts: [gateway.lan]");
    let keyed = Gateway::with("auth: { keys: [k] }");
    run(async {
        let client = Http2::to(&gateway).await;
        let ask = |host: &str| Ask::new("GET", "/v1/models").host(host);
        for (host, header, status, code) in [
            ("localhost:8787", None, 200, ""),
            ("127.0.0.1", None, 200, ""),
            ("gateway.lan", None, 200, ""),
            ("gateway.lan", Some("GATEWAY.lan"), 200, ""),
            ("gateway.lan:80", Some("gateway.lan"), 200, ""),
            ("evil.example", None, 403, "host_not_allowed"),
            ("evil.example", Some("localhost"), 400, "host"),
            ("localhost", Some("evil.example"), 400, "host"),
            ("localhost:1", Some("localhost:2"), 400, "host"),
            ("user@localhost", None, 400, "host"),
        ] {
            let ask = header.map_or(ask(host), |header| ask(host).header("host", header));
            let reply = client.ask(&ask).await;
            assert_eq!(reply.status, status, "{host} {header:?}");
            let text = reply.text().await;
            assert!(text.contains(code), "{host} {header:?}: {text}");
        }
        // With keys nobody asks for the name, but one request has one.
        let client = Http2::to(&keyed).await;
        let two = ask("a.example").header("host", "b.example").header("x-ostia-api-key", "k");
        assert_eq!(client.ask(&two).await.status, 400);
        let page = client.ask(&Ask::new("GET", "/").host("localhost:1234")).await.text().await;
        assert!(page.contains("http://localhost:1234/v1"), "{page}");
    });
}

#[test]
fn pages_of_others_are_refused_over_http2_too() {
    let gateway = Gateway::with("cors: { origins: ['https://app.example'] }");
    run(async {
        let client = Http2::to(&gateway).await;
        for (origin, status) in [("https://app.example", 200), ("https://evil.example", 403)] {
            let ask = Ask::new("GET", "/v1/models").header("origin", origin);
            let reply = client.ask(&ask).await;
            assert_eq!(reply.status, status, "{origin}");
            let allowed = (status == 200).then_some(origin);
            assert_eq!(reply.header("access-control-allow-origin"), allowed);
        }
    });
}

#[test]
fn cookies_in_many_fields_are_one() {
    // They pass only where a config asks for it.
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    run(async {
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
        let ask = ask.header("cookie", "a=1").header("cookie", "b=2");
        let client = Http2::to(&gateway).await;
        assert_eq!(client.ask(&ask).await.status, 200);
        assert_eq!(upstream.last().header("cookie"), None);
    });
}

#[test]
fn whole_answers_have_their_length_and_broken_ones_have_an_end() {
    let gateway = Gateway::start();
    let broken = Answer::json(openai::chat("Rome")).broken_after(10, Step::Cut);
    let upstream = Upstream::always(broken);
    run(async {
        let client = Http2::to(&gateway).await;
        let health = client.ask(&Ask::new("GET", "/health")).await;
        assert_eq!(health.header("content-length"), Some("15"));
        let head = client.ask(&Ask::new("HEAD", "/health")).await;
        assert_eq!((head.status, head.text().await.as_str()), (200, ""));
        let mut passed = client.ask(&Ask::new("GET", "/v1/files/f").at(&upstream, "openai")).await;
        let (text, reason) = passed.rest().await;
        assert_eq!((text.len(), reason), (10, Some(h2::Reason::INTERNAL_ERROR)));
    });
}

#[test]
fn trailers_of_a_request_end_its_body() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json("{}"));
    run(async {
        let client = Http2::to(&gateway).await;
        for path in ["/v1/files/f", "/v1/chat/completions"] {
            let (request, _) = Ask::post_at(&upstream, "openai", path, "").request("http");
            let (response, mut stream) = client.send.clone().send_request(request, false).unwrap();
            stream.send_data(CHAT.into(), false).unwrap();
            let mut trailers = http::HeaderMap::new();
            trailers.insert("x-checksum", "1".parse().unwrap());
            stream.send_trailers(trailers).unwrap();
            assert!(matches!(response.await.unwrap().status().as_u16(), 200 | 502), "{path}");
            assert_eq!(upstream.last().text(), CHAT, "{path}");
            assert_eq!(upstream.last().header("x-checksum"), None);
        }
    });
}
