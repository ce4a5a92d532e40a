//! An OpenAI client in front of upstreams that speak something else.

use ostia_testkit::vendor::{anthropic, cohere, gemini, openai};
use ostia_testkit::{Answer, Framing, Request, Step, Upstream, split};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

/// What one vendor gets and how its answers look.
struct Vendor {
    provider: &'static str,
    model: &'static str,
    unary_target: &'static str,
    stream_target: &'static str,
    key_header: (&'static str, &'static str),
    /// Checks the body of `CONVERSATION`.
    body: fn(&Value),
    unary: String,
    stream: String,
    /// Tokens in and out of both.
    usage: (u64, u64),
    error: String,
}

const CONVERSATION: &str = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}]"#;

fn vendors() -> Vec<Vendor> {
    vec![
        Vendor {
            provider: "anthropic",
            model: "claude-sonnet-4-20250514",
            unary_target: "/messages",
            stream_target: "/messages",
            key_header: ("x-api-key", "sk-client"),
            body: |body| {
                assert_eq!(body["max_tokens"], 50);
                assert!(body["system"].to_string().contains("Be brief."), "{body}");
                assert_eq!(body["messages"].as_array().unwrap().len(), 1);
                assert!(body["messages"][0].to_string().contains("Hello"));
            },
            unary: anthropic::message("Hi there"),
            stream: anthropic::message_stream(&["Hi", " thére"]),
            usage: (10, 3),
            error: anthropic::error("rate_limit_error", "slow down"),
        },
        Vendor {
            provider: "google",
            model: "gemini-2.0-flash",
            unary_target: "/v1beta/models/gemini-2.0-flash:generateContent",
            stream_target: "/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse",
            key_header: ("x-goog-api-key", "sk-client"),
            body: |body| {
                assert_eq!(body["generationConfig"]["maxOutputTokens"], 50);
                assert!(body["systemInstruction"].to_string().contains("Be brief."), "{body}");
                assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": "Hello"}]}]));
            },
            unary: gemini::generate("Hi there"),
            stream: gemini::generate_stream(&["Hi", " thére"]),
            usage: (7, 2),
            error: gemini::error(429, "RESOURCE_EXHAUSTED", "slow down"),
        },
        Vendor {
            provider: "cohere",
            model: "command-a-03-2025",
            unary_target: "/v2/chat",
            stream_target: "/v2/chat",
            key_header: ("authorization", "Bearer sk-client"),
            body: |body| {
                assert_eq!(body["max_tokens"], 50);
                assert_eq!(body["messages"].as_array().unwrap().len(), 2);
                assert_eq!(body["messages"][0]["role"], "system");
            },
            unary: cohere::chat("Hi there"),
            stream: cohere::chat_stream(&["Hi", " thére"]),
            usage: (6, 2),
            error: r#"{"id":"e-1","message":"slow down"}"#.to_owned(),
        },
    ]
}

impl Vendor {
    fn ask(&self, upstream: &Upstream, further: &str) -> Ask {
        let body =
            format!(r#"{{"model":"{}","max_tokens":50,"messages":{CONVERSATION}{further}}}"#, self.model);
        Ask::post_at(upstream, self.provider, "/v1/chat/completions", body)
    }

    fn check_request(&self, seen: &Request, target: &str) {
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", target));
        assert_eq!(seen.header(self.key_header.0).as_deref(), Some(self.key_header.1), "{}", self.provider);
        for other in ["x-api-key", "x-goog-api-key", "authorization"] {
            assert!(other == self.key_header.0 || seen.header(other).is_none(), "{}: {other}", self.provider);
        }
        assert_eq!(seen.header("content-type").as_deref(), Some("application/json"));
        let version = seen.header("anthropic-version");
        assert_eq!(version.as_deref(), (self.provider == "anthropic").then_some("2023-06-01"));
        (self.body)(&seen.json());
    }
}

#[test]
fn whole_answers() {
    let gateway = Gateway::start();
    for vendor in vendors() {
        let upstream = Upstream::always(Answer::json(vendor.unary.clone()).header("x-vendor", "kept"));
        let reply = vendor.ask(&upstream, "").to(&gateway);
        vendor.check_request(&upstream.last(), vendor.unary_target);
        assert_eq!(reply.status, 200, "{}: {}", vendor.provider, reply.text());
        let body = reply.json();
        assert_eq!(body["object"], "chat.completion");
        assert_eq!(body["choices"].as_array().unwrap().len(), 1);
        let choice = &body["choices"][0];
        assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("stop")));
        assert_eq!(choice["message"]["role"], "assistant");
        assert_eq!(choice["message"]["content"], "Hi there");
        let (prompt, completion) = vendor.usage;
        assert_eq!(body["usage"]["prompt_tokens"], prompt);
        assert_eq!(body["usage"]["completion_tokens"], completion);
        assert_eq!(body["usage"]["total_tokens"], prompt + completion);
        assert!(
            body["created"].as_u64().unwrap() > 1_600_000_000 && !body["id"].as_str().unwrap().is_empty()
        );
        assert_eq!(
            (reply.header("x-ostia-provider"), reply.header("x-vendor")),
            (Some(vendor.provider), Some("kept"))
        );
    }
}

#[test]
fn streams() {
    let gateway = Gateway::start();
    for vendor in vendors() {
        for (usage_asked, further) in [
            (false, r#","stream":true"#),
            (true, r#","stream":true,"stream_options":{"include_usage":true}"#),
        ] {
            for (cut, pieces) in split::sample(vendor.stream.as_bytes()) {
                if cut == "bytes" {
                    continue;
                }
                let upstream = Upstream::always(Answer::stream_in(&pieces));
                let reply = vendor.ask(&upstream, further).to(&gateway);
                vendor.check_request(&upstream.last(), vendor.stream_target);
                let told = format!("{}, {cut}: {}", vendor.provider, reply.text());
                assert!(reply.status == 200 && reply.whole, "{told}");
                check_stream(reply.text(), vendor.usage, usage_asked, &told);
            }
        }
    }
}

fn check_stream(stream: &str, usage: (u64, u64), usage_asked: bool, told: &str) {
    let events = data_of(stream);
    let (done, chunks) = events.split_last().unwrap();
    assert_eq!(*done, "[DONE]", "{told}");
    let chunks: Vec<Value> = chunks.iter().map(|chunk| crate::json(chunk)).collect();
    let ids: std::collections::HashSet<_> = chunks.iter().map(|chunk| chunk["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "one id: {told}");
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"), "{told}");
    let choices: Vec<&Value> = chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap()).collect();
    assert!(choices.iter().all(|choice| choice["index"] == 0), "{told}");
    let count = |path: &str| {
        choices.iter().filter(|choice| choice.pointer(path).is_some_and(|v| !v.is_null())).count()
    };
    assert_eq!((count("/delta/role"), count("/finish_reason")), (1, 1), "{told}");
    assert_eq!(choices[0]["delta"]["role"], "assistant", "{told}");
    assert_eq!(choices.last().unwrap()["finish_reason"], "stop", "{told}");
    let text: String = choices.iter().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
    assert_eq!(text, "Hi thére", "{told}");
    let told_usage: Vec<&Value> =
        chunks.iter().map(|chunk| &chunk["usage"]).filter(|usage| !usage.is_null()).collect();
    assert_eq!(told_usage.len(), usize::from(usage_asked), "{told}");
    if usage_asked {
        assert_eq!(told_usage[0]["prompt_tokens"], usage.0, "{told}");
        assert_eq!(told_usage[0]["completion_tokens"], usage.1, "{told}");
        let last = chunks.last().unwrap();
        assert_eq!(last["choices"], json!([]), "the usage comes last, alone: {told}");
    }
}

#[test]
fn calls_of_tools() {
    let gateway = Gateway::start();
    let tools = r#","tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]"#;
    let vendor = &vendors()[0];
    let upstream = Upstream::in_turn(vec![
        Answer::stream(anthropic::tool_stream("weather", &["{\"ci", "ty\": \"Rome\"}"])),
        Answer::json(anthropic::message_of(
            &json!([{"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Rome"}}]),
            "tool_use",
        )),
    ]);
    let reply = vendor.ask(&upstream, &format!("{tools},\"stream\":true")).to(&gateway);
    let sent = upstream.last().json();
    assert_eq!(sent["tools"][0]["name"], "weather");
    assert_eq!(sent["tools"][0]["input_schema"]["properties"]["city"]["type"], "string");
    let events = data_of(reply.text());
    let chunks: Vec<Value> =
        events.iter().filter(|event| **event != "[DONE]").map(|event| crate::json(event)).collect();
    let calls: Vec<&Value> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].get(0)).collect();
    assert!(calls.iter().all(|call| call["index"] == 0));
    assert_eq!((&calls[0]["id"], &calls[0]["function"]["name"]), (&json!("toolu_01"), &json!("weather")));
    assert!(calls[1..].iter().all(|call| call.get("id").is_none()), "{}", reply.text());
    let arguments: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(crate::json(&arguments), json!({"city": "Rome"}));
    assert!(reply.text().contains(r#""finish_reason":"tool_calls""#));
    let whole = vendor.ask(&upstream, tools).to(&gateway).json();
    let call = &whole["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!("weather")));
    assert_eq!(crate::json(call["function"]["arguments"].as_str().unwrap()), json!({"city": "Rome"}));
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn fields_beyond_openai_only_where_asked_for() {
    let gateway = Gateway::start();
    let thinking = json!([
        {"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "text", "text": "Hi"}
    ]);
    let upstream = Upstream::always(Answer::json(anthropic::message_of(&thinking, "end_turn")));
    let vendor = &vendors()[0];
    for (header, open) in [(None, false), (Some("true"), false), (Some("false"), true)] {
        for name in ["x-ostia-strict-open-ai-compliance", "x-portkey-strict-open-ai-compliance"] {
            let ask = vendor.ask(&upstream, "");
            let ask = match header {
                Some(value) => ask.header(name, value),
                None => ask,
            };
            let message = ask.to(&gateway).json()["choices"][0]["message"].clone();
            assert_eq!(message["content"], "Hi");
            assert_eq!(message.get("content_blocks").is_some(), open, "{header:?}: {message}");
        }
    }
}

#[test]
fn errors_keep_their_status_and_speak_openai() {
    let gateway = Gateway::start();
    for vendor in vendors() {
        for further in ["", r#","stream":true"#] {
            let upstream =
                Upstream::always(Answer::json(vendor.error.clone()).status(429).header("retry-after", "7"));
            let reply = vendor.ask(&upstream, further).to(&gateway);
            let told = format!("{}: {}", vendor.provider, reply.text());
            assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")), "{told}");
            let error = &reply.json()["error"];
            assert!(error["message"].as_str().unwrap().contains("slow down"), "{told}");
            assert!(error["type"].is_string() && error["param"].is_null(), "{told}");
        }
    }
}

/// The stream has some text, then an error event, and no end.
fn check_broken(reply: &Reply, words: &str, told: &str) {
    assert_eq!(reply.status, 200, "{told}");
    assert!(!reply.whole, "the end of a broken answer is broken: {told}");
    let events = data_of(reply.text());
    let error = crate::json(events.last().unwrap());
    let message = error["error"]["message"].as_str().unwrap_or_else(|| panic!("{told}: {}", reply.text()));
    assert!(message.contains(words), "{told}: {message}");
    assert!(!events.contains(&"[DONE]"), "{told}");
}

#[test]
fn errors_inside_a_stream() {
    let gateway = Gateway::start();
    let vendor = &vendors()[0];
    let stream = anthropic::failing_stream(&["Hi"], "overloaded_error", "Overloaded");
    let upstream = Upstream::always(Answer::stream(stream));
    let reply = vendor.ask(&upstream, r#","stream":true"#).to(&gateway);
    check_broken(&reply, "Overloaded", "error event");
    assert!(reply.text().contains(r#""content":"Hi""#));
    assert!(reply.text().contains("overloaded_error"));
}

#[test]
fn a_stream_that_breaks_off_is_an_error() {
    let gateway = Gateway::start();
    let body = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    let streams = vendors().into_iter().map(|vendor| (vendor.provider, vendor.stream));
    for (provider, stream) in streams.chain([("openai", openai::chat_stream(&["Hi", " thére"]))]) {
        // In the middle of the text: the answer cannot be whole.
        let at = stream.find("Hi").unwrap() + 40;
        let cut = stream.as_bytes()[..at].to_vec();
        for (name, answer) in [
            ("clean end", Answer::stream(cut.clone())),
            ("closed", Answer::stream(cut.clone()).framing(Framing::Close)),
            ("cut", Answer::stream(cut.clone()).then(Step::Cut)),
            ("reset", Answer::stream(cut.clone()).then(Step::Reset)),
            (
                "cut, length",
                Answer::stream(stream.clone()).framing(Framing::Length).broken_after(at, Step::Cut),
            ),
        ] {
            let upstream = Upstream::always(answer);
            let reply = Ask::post_at(&upstream, provider, "/v1/chat/completions", body).to(&gateway);
            check_broken(&reply, "", &format!("{provider}, {name}"));
        }
    }
    // Anthropic's clients get Anthropic's words.
    let stream = anthropic::message_stream(&["Hi"]);
    let at = stream.find("Hi").unwrap() + 40;
    let upstream = Upstream::always(Answer::stream(stream.as_bytes()[..at].to_vec()));
    let reply = Ask::post_at(&upstream, "anthropic", "/v1/messages", body).to(&gateway);
    assert!(!reply.whole);
    assert!(reply.text().contains("event: error\ndata: {\"type\":\"error\""), "{}", reply.text());
}

#[test]
fn what_is_lost_is_said() {
    let gateway = Gateway::start();
    let vendor = &vendors()[0];
    let upstream = Upstream::always(Answer::json(vendor.unary.clone()));
    let further = r#","logit_bias":{"1":2},"seed":7"#;
    let reply = vendor.ask(&upstream, further).to(&gateway);
    assert_eq!(reply.status, 200);
    let dropped = reply.header("x-ostia-dropped").unwrap();
    assert!(dropped.contains("logit_bias") && dropped.contains("seed"), "{dropped}");
    let sent = upstream.last().json();
    assert!(sent.get("logit_bias").is_none() && sent.get("seed").is_none());
    let count = upstream.count();
    for ask in [
        vendor.ask(&upstream, further).header("x-ostia-lossless", "true"),
        vendor.ask(&upstream, further).header("x-portkey-config", r#"{"lossless":true}"#),
    ] {
        let reply = ask.to(&gateway);
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["code"]), (400, &json!("lossy_translation")), "{error}");
        assert!(["logit_bias", "seed"].iter().all(|name| error["message"].as_str().unwrap().contains(name)));
    }
    assert_eq!(upstream.count(), count, "nobody is asked");
    assert_eq!(vendor.ask(&upstream, "").header("x-ostia-lossless", "true").to(&gateway).status, 200);
}

#[test]
fn embeddings() {
    let gateway = Gateway::start();
    for (provider, input, target, answer, expected) in [
        (
            "google",
            r#""a""#,
            "/v1beta/models/e-1:embedContent",
            gemini::embed(&[0.5, -1.0]),
            json!([[0.5, -1.0]]),
        ),
        (
            "google",
            r#"["a","b"]"#,
            "/v1beta/models/e-1:batchEmbedContents",
            gemini::batch_embed(&[&[0.5], &[0.25]]),
            json!([[0.5], [0.25]]),
        ),
        ("cohere", r#"["a","b"]"#, "/v2/embed", cohere::embed(&[&[0.5], &[0.25]]), json!([[0.5], [0.25]])),
    ] {
        let upstream = Upstream::always(Answer::json(answer));
        let body = format!(r#"{{"model":"e-1","input":{input}}}"#);
        let reply = Ask::post_at(&upstream, provider, "/v1/embeddings", body).to(&gateway);
        assert_eq!(reply.status, 200, "{provider}: {}", reply.text());
        assert_eq!(upstream.last().target, target);
        let body = reply.json();
        assert_eq!(body["object"], "list");
        let data = body["data"].as_array().unwrap();
        let vectors: Vec<&Value> = data.iter().map(|item| &item["embedding"]).collect();
        assert_eq!(json!(vectors), expected, "{provider}");
        assert!(
            data.iter().enumerate().all(|(at, item)| item["index"] == at && item["object"] == "embedding")
        );
    }
}

#[test]
fn a_stream_in_place_of_an_answer_and_the_other_way_round() {
    let gateway = Gateway::start();
    for vendor in vendors() {
        let upstream = Upstream::in_turn(vec![
            Answer::json(vendor.unary.clone()),
            Answer::stream(vendor.stream.clone()),
        ]);
        let whole_for_stream = vendor.ask(&upstream, r#","stream":true"#).to(&gateway);
        let stream_for_whole = vendor.ask(&upstream, "").to(&gateway);
        for reply in [whole_for_stream, stream_for_whole] {
            assert_eq!(reply.status, 502, "{}: {}", vendor.provider, reply.text());
            assert!(reply.json()["error"]["message"].is_string());
        }
    }
}
