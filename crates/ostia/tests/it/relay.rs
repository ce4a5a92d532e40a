//! Client and upstream speak the same dialect: bytes pass as they are.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Upstream, split};

use crate::gateway::Gateway;
use crate::wire::Ask;

/// Whitespace, escapes, numbers and fields that a re-encoder would not keep.
const ODD_FIELDS: &str = r#""temperature" : 1.0, "top_p":1e-1,  "seed": 12345678901234567890,
  "x_unknown": {"deep": [1.50, -0, 1E+2, "\u00e9\/\ud83d\ude00", null, {}]}, "empty":"", "user":"ü""#;

#[test]
fn bodies_pass_byte_for_byte() {
    let gateway = Gateway::start();
    let chat = format!(
        "{{ \"model\":\"gpt-4o\", {ODD_FIELDS}, \"messages\":[ {{\"role\":\"user\",\"content\":\"hi\"}} ] }}\n"
    );
    let text = format!("{{\"model\":\"gpt-3.5-turbo-instruct\",\"prompt\":[1,2, 3],{ODD_FIELDS}}}");
    let embed = format!("{{{ODD_FIELDS},\"input\" : [\"a\",\"b\"],\"model\":\"text-embedding-3-small\"}}");
    let responses = format!("{{\"model\":\"gpt-4o\",\"input\":\"hi\",\"tools\":[],{ODD_FIELDS}}}");
    let messages = format!(
        "{{\"model\":\"claude\",\"max_tokens\":5,\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],{ODD_FIELDS}}}"
    );
    let odd_answer = openai::chat("hi").replace("\"created\":", "\"x_new\": 1.50 ,\n \"created\" :");
    for (provider, path, upstream_path, body, answer) in [
        ("openai", "/v1/chat/completions", "/chat/completions", &chat, odd_answer),
        ("openai", "/v1/completions", "/completions", &text, openai::completion("x")),
        ("openai", "/v1/embeddings", "/embeddings", &embed, openai::embeddings(&[&[0.1, -2.5e-8], &[1.0]])),
        ("openai", "/v1/responses", "/responses", &responses, openai::response("x").to_string()),
        ("anthropic", "/v1/messages", "/messages", &messages, anthropic::message("x")),
        (
            "anthropic",
            "/v1/messages/count_tokens",
            "/messages/count_tokens",
            &messages,
            "{ \"input_tokens\":7 }".into(),
        ),
    ] {
        let upstream = Upstream::always(Answer::json(answer.clone()));
        let reply = Ask::post_at(&upstream, provider, path, body.as_str()).to(&gateway);
        let seen = upstream.last();
        assert_eq!((reply.status, reply.text()), (200, answer.as_str()), "{path}");
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", upstream_path));
        assert_eq!(seen.text(), *body, "{path}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("x-ostia-provider"), Some(provider));
    }
}

#[test]
fn only_the_model_prefix_is_cut_out() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("hi")));
    for (written, sent) in
        [("@openai/gpt-4o", "gpt-4o"), ("@openai/ft:a/b/c", "ft:a/b/c"), ("@openai/é", "é")]
    {
        let body = |model: &str| {
            format!(
                "{{ \"messages\" :[{{\"role\":\"user\",\"content\":\"@openai/x\"}}], \"model\" : \"{model}\" ,{ODD_FIELDS} }}"
            )
        };
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body(written))
            .without("x-ostia-provider");
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(upstream.last().text(), body(sent));
    }
}

#[test]
fn query_and_provider_stay_with_a_typed_call() {
    let (gateway, upstream) = (Gateway::start(), Upstream::always(Answer::json(openai::chat("hi"))));
    let path = "/v1/chat/completions?api-version=2024-10-21&x=%20y";
    let reply = Ask::post_at(
        &upstream,
        "openai",
        path,
        r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
    )
    .to(&gateway);
    assert_eq!(reply.status, 200);
    assert_eq!(upstream.last().target, "/chat/completions?api-version=2024-10-21&x=%20y");
}

fn streaming(provider: &'static str, path: &'static str) -> impl Fn(&Gateway, Answer) -> crate::wire::Reply {
    move |gateway, answer| {
        let upstream = Upstream::always(answer);
        let body = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}],"input":"x"}"#;
        Ask::post_at(&upstream, provider, path, body).to(gateway)
    }
}

/// Streams with everything that the grammar of events allows, small enough to be cut everywhere.
fn small_streams() -> Vec<(&'static str, String)> {
    let last = r#"{"choices":[{"index":0,"delta":{"content":"é😀"},"finish_reason":"stop"}]}"#;
    vec![
        ("LF", format!(": hello\n\ndata: {{\"choices\":[]}}\n\ndata: {last}\n\ndata: [DONE]\n\n")),
        (
            "CRLF",
            format!("data: {{\"choices\":[]}}\r\n\r\n:\r\n\r\ndata: {last}\r\n\r\ndata: [DONE]\r\n\r\n"),
        ),
        ("CR", format!("id: 1\rdata:{last}\r\rdata: [DONE]\r\r")),
        (
            "fields",
            format!(
                "event: x\nretry: 5\ndata: {{\"choices\":\ndata: []}}\n\ndata: {last}\n\ndata: [DONE]\n\n"
            ),
        ),
    ]
}

#[test]
fn streams_pass_over_every_cut() {
    let gateway = Gateway::start();
    let call = streaming("openai", "/v1/chat/completions");
    for (name, stream) in small_streams() {
        let samples = split::sample(stream.as_bytes()).into_iter();
        let cuts = split::in_two(stream.as_bytes()).map(|pieces| (format!("at {}", pieces[0].len()), pieces));
        for (cut, pieces) in samples.chain(cuts) {
            let reply = call(&gateway, Answer::stream_in(&pieces));
            assert_eq!((reply.status, reply.text()), (200, stream.as_str()), "{name}, {cut}");
            assert!(reply.whole, "{name}, {cut}");
        }
    }
}

#[test]
fn streams_of_every_dialect_pass() {
    let gateway = Gateway::start();
    for (provider, path, stream) in [
        ("openai", "/v1/chat/completions", openai::chat_stream(&["Hé", "llo"])),
        ("openai", "/v1/responses", openai::response_stream("Hé")),
        ("anthropic", "/v1/messages", anthropic::message_stream(&["Hé", "llo"])),
    ] {
        let call = streaming(provider, path);
        for (cut, pieces) in split::sample(stream.as_bytes()) {
            if cut == "bytes" {
                continue; // takes long for long streams; the small ones above are cut everywhere
            }
            let reply = call(&gateway, Answer::stream_in(&pieces));
            assert_eq!(reply.text(), stream, "{path}, {cut}");
            assert!(reply.whole && reply.header("content-type").unwrap().starts_with("text/event-stream"));
        }
    }
}

#[test]
fn the_end_that_the_upstream_forgot_is_added() {
    let gateway = Gateway::start();
    let call = streaming("openai", "/v1/chat/completions");
    let stream = openai::chat_stream_without_done(&["a"]);
    let unended = stream.trim_end().to_owned();
    for (sent, expected) in [
        (stream.clone(), format!("{stream}data: [DONE]\n\n")),
        (unended.clone(), format!("{unended}\n\ndata: [DONE]\n\n")),
    ] {
        for framing in [Framing::Chunked, Framing::Close] {
            let reply = call(&gateway, Answer::stream(sent.clone()).framing(framing));
            assert_eq!(reply.text(), expected, "{framing:?}");
            assert!(reply.whole);
        }
    }
}

#[test]
fn an_error_that_the_upstream_streams_passes_as_it_is() {
    let gateway = Gateway::start();
    let chat = format!("data: {}\n\n", openai::error("no more", "server_error", "x"));
    let messages = anthropic::failing_stream(&["a"], "overloaded_error", "Overloaded");
    for (provider, path, stream) in
        [("openai", "/v1/chat/completions", chat), ("anthropic", "/v1/messages", messages)]
    {
        let reply = streaming(provider, path)(&gateway, Answer::stream(stream.clone()));
        assert_eq!((reply.status, reply.text()), (200, stream.as_str()), "{path}");
    }
}

#[test]
fn packed_answers_are_unpacked() {
    let gateway = Gateway::start();
    let call = streaming("openai", "/v1/chat/completions");
    let stream = openai::chat_stream(&["a", "b"]);
    let reply = call(&gateway, Answer::stream(stream.clone()).gzip());
    assert_eq!((reply.text(), reply.header("content-encoding")), (stream.as_str(), None));
    let upstream = Upstream::always(Answer::json(openai::chat("packed")).gzip());
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let reply = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body).to(&gateway);
    assert_eq!(reply.text(), openai::chat("packed"));
    assert_eq!(
        (reply.header("content-encoding"), upstream.last().header("accept-encoding").as_deref()),
        (None, Some("identity"))
    );
}

#[test]
fn a_large_answer_passes_whole() {
    let (gateway, text) = (Gateway::start(), "x".repeat(3 << 20));
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let upstream = Upstream::always(Answer::json(openai::chat(&text)).framing(framing));
        let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
        let reply = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body).to(&gateway);
        assert!(reply.whole && reply.text() == openai::chat(&text), "{framing:?}");
    }
}

#[test]
fn connections_are_used_again() {
    let gateway = Gateway::with("workers: 1");
    let upstream = Upstream::always(Answer::json(openai::chat("hi")));
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body);
    let mut client = ask.open(&gateway);
    for _ in 0..5 {
        assert_eq!(client.next().status, 200);
        client.send(&ask.bytes());
    }
    assert_eq!(client.next().status, 200);
    assert_eq!((upstream.count(), upstream.connections()), (6, 1));
}
