//! Every format that a client may speak, in front of every format that an upstream may speak.

use ostia_testkit::vendor::{anthropic, cohere, gemini, ollama, openai};
use ostia_testkit::{Answer, Step, Upstream};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

/// A format that clients speak.
struct Front {
    name: &'static str,
    path: fn(model: &str, stream: bool) -> String,
    /// A request that says "Be brief." as the operator and "Hello" as the user.
    body: fn(model: &str, stream: bool) -> Value,
    /// Text, tokens in, tokens out of a whole answer.
    read: fn(&Value) -> (String, u64, u64),
    /// The same of a stream that is whole, after a look at its grammar.
    read_stream: fn(&Reply) -> (String, u64, u64),
    /// The message of an error answer, after a look at its envelope.
    error: fn(&Value) -> String,
}

fn fronts() -> Vec<Front> {
    vec![
        Front {
            name: "chat",
            path: |_, _| "/v1/chat/completions".into(),
            body: |model, stream| {
                json!({"model": model, "stream": stream, "stream_options": {"include_usage": true}, "messages": [
                    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]})
            },
            read: |body| {
                let usage = &body["usage"];
                let text = body["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
                (text, number(&usage["prompt_tokens"]), number(&usage["completion_tokens"]))
            },
            read_stream: |reply| {
                let events = data_of(reply.text());
                assert_eq!(events.last(), Some(&"[DONE]"));
                let chunks: Vec<Value> =
                    events[..events.len() - 1].iter().map(|event| crate::json(event)).collect();
                let text = joined(&chunks, "/choices/0/delta/content");
                let usage = &chunks.iter().rfind(|chunk| chunk["usage"].is_object()).unwrap()["usage"];
                (text, number(&usage["prompt_tokens"]), number(&usage["completion_tokens"]))
            },
            error: |body| body["error"]["message"].as_str().unwrap().to_owned(),
        },
        Front {
            name: "responses",
            path: |_, _| "/v1/responses".into(),
            body: |model, stream| json!({"model": model, "stream": stream, "instructions": "Be brief.", "input": "Hello"}),
            read: |body| {
                assert_eq!((&body["object"], &body["status"]), (&json!("response"), &json!("completed")));
                let message =
                    body["output"].as_array().unwrap().iter().find(|item| item["type"] == "message");
                let text = message.unwrap()["content"][0]["text"].as_str().unwrap().to_owned();
                (text, number(&body["usage"]["input_tokens"]), number(&body["usage"]["output_tokens"]))
            },
            read_stream: |reply| {
                let events = named(reply);
                for (at, event) in events.iter().enumerate() {
                    assert_eq!(event["sequence_number"], at, "{event}");
                }
                assert_eq!(events[0]["type"], "response.created");
                let last = events.last().unwrap();
                assert_eq!(last["type"], "response.completed");
                let usage = &last["response"]["usage"];
                let text = joined(&events, "/delta");
                (text, number(&usage["input_tokens"]), number(&usage["output_tokens"]))
            },
            error: |body| body["error"]["message"].as_str().unwrap().to_owned(),
        },
        Front {
            name: "messages",
            path: |_, _| "/v1/messages".into(),
            body: |model, stream| {
                json!({"model": model, "stream": stream, "max_tokens": 50, "system": "Be brief.",
                       "messages": [{"role": "user", "content": "Hello"}]})
            },
            read: |body| {
                assert_eq!((&body["type"], &body["stop_reason"]), (&json!("message"), &json!("end_turn")));
                let text = body["content"][0]["text"].as_str().unwrap().to_owned();
                (text, number(&body["usage"]["input_tokens"]), number(&body["usage"]["output_tokens"]))
            },
            read_stream: |reply| {
                let events = named(reply);
                assert_eq!(events[0]["type"], "message_start");
                assert_eq!(events.last().unwrap()["type"], "message_stop");
                let end = events.iter().find(|event| event["type"] == "message_delta").unwrap();
                assert_eq!(end["delta"]["stop_reason"], "end_turn");
                // A relayed stream tells the input at its start only.
                let input = [&end["usage"]["input_tokens"], &events[0]["message"]["usage"]["input_tokens"]];
                let input = input.into_iter().find(|tokens| tokens.is_u64()).unwrap();
                (joined(&events, "/delta/text"), number(input), number(&end["usage"]["output_tokens"]))
            },
            error: |body| {
                assert_eq!(body["type"], "error");
                assert!(body["error"]["type"].is_string());
                body["error"]["message"].as_str().unwrap().to_owned()
            },
        },
        Front {
            name: "gemini",
            path: |model, stream| {
                let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                format!("/v1beta/models/{model}:{verb}")
            },
            body: |_, _| {
                json!({"systemInstruction": {"parts": [{"text": "Be brief."}]},
                       "contents": [{"role": "user", "parts": [{"text": "Hello"}]}]})
            },
            read: read_gemini,
            read_stream: |reply| {
                let chunks: Vec<Value> =
                    data_of(reply.text()).iter().map(|event| crate::json(event)).collect();
                let (_, input, output) = read_gemini(chunks.last().unwrap());
                (joined(&chunks, "/candidates/0/content/parts/0/text"), input, output)
            },
            error: |body| {
                assert!(body["error"]["code"].is_u64() && body["error"]["status"].is_string(), "{body}");
                body["error"]["message"].as_str().unwrap().to_owned()
            },
        },
    ]
}

fn read_gemini(body: &Value) -> (String, u64, u64) {
    let candidate = &body["candidates"][0];
    assert_eq!(candidate["finishReason"], "STOP", "{body}");
    let text = candidate["content"]["parts"][0]["text"].as_str().unwrap_or_default().to_owned();
    let usage = &body["usageMetadata"];
    (text, number(&usage["promptTokenCount"]), number(&usage["candidatesTokenCount"]))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn joined(events: &[Value], path: &str) -> String {
    events.iter().filter_map(|event| event.pointer(path)?.as_str()).collect()
}

/// Events whose name is also their type.
fn named(reply: &Reply) -> Vec<Value> {
    let events: Vec<Value> = data_of(reply.text()).iter().map(|event| crate::json(event)).collect();
    let names: Vec<&str> = reply.text().lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, types);
    events
}

/// A format that upstreams speak.
struct Vendor {
    name: &'static str,
    /// A provider that speaks nothing else.
    rows: &'static str,
    path: &'static str,
    unary: String,
    stream: String,
    usage: (u64, u64),
    error: String,
}

fn vendors() -> Vec<Vendor> {
    vec![
        Vendor {
            name: "chat",
            rows: "dialects: [openai_chat]",
            path: "/v1/chat/completions",
            unary: openai::chat("Hi there"),
            stream: openai::chat_stream_with_usage(&["Hi", " thére"]),
            usage: (9, 2),
            error: openai::error("slow down", "rate_limit_error", "rate_limit_exceeded"),
        },
        Vendor {
            name: "responses",
            rows: "dialects: [openai_responses]",
            path: "/v1/responses",
            unary: openai::response("Hi there").to_string(),
            stream: openai::response_stream("Hi thére"),
            usage: (9, 2),
            error: openai::error("slow down", "rate_limit_error", "rate_limit_exceeded"),
        },
        Vendor {
            name: "messages",
            rows: "dialects: [anthropic_messages], auth: {header: x-api-key}",
            path: "/v1/messages",
            unary: anthropic::message("Hi there"),
            stream: anthropic::message_stream(&["Hi", " thére"]),
            usage: (10, 3),
            error: anthropic::error("rate_limit_error", "slow down"),
        },
        Vendor {
            name: "gemini",
            rows: "dialects: [gemini_generate], auth: {header: x-goog-api-key}",
            path: "/v1/v1beta/models/m-1:",
            unary: gemini::generate("Hi there"),
            stream: gemini::generate_stream(&["Hi", " thére"]),
            usage: (7, 2),
            error: gemini::error(429, "RESOURCE_EXHAUSTED", "slow down"),
        },
        Vendor {
            name: "cohere",
            rows: "dialects: [cohere_chat]",
            path: "/v1/v2/chat",
            unary: cohere::chat("Hi there"),
            stream: cohere::chat_stream(&["Hi", " thére"]),
            usage: (6, 2),
            error: r#"{"id":"e-1","message":"slow down"}"#.to_owned(),
        },
        Vendor {
            name: "ollama",
            rows: "dialects: [ollama_chat]",
            path: "/v1/api/chat",
            unary: ollama::chat("Hi there"),
            stream: ollama::chat_stream(&["Hi", " thére"]),
            usage: (8, 2),
            error: ollama::error("slow down"),
        },
    ]
}

/// A gateway that knows each vendor at its upstream.
fn gateway(upstreams: &[(&Vendor, &Upstream)]) -> Gateway {
    let rows = upstreams.iter().map(|(vendor, upstream)| {
        format!(
            "  at-{}: {{base_url: \"{}/v1\", local: true, {}}}\n",
            vendor.name,
            upstream.url(),
            vendor.rows
        )
    });
    Gateway::with(&format!("providers:\n{}", rows.collect::<String>()))
}

fn ask(front: &Front, vendor: &Vendor, stream: bool) -> Ask {
    Ask::post(&(front.path)("m-1", stream), (front.body)("m-1", stream).to_string())
        .header("x-ostia-provider", &format!("at-{}", vendor.name))
}

/// Runs `check` for every front and vendor, on one gateway.
fn all(answer: impl Fn(&Vendor) -> Answer, check: impl Fn(&Front, &Vendor, &Upstream, &Gateway)) {
    let vendors = vendors();
    let upstreams: Vec<Upstream> = vendors.iter().map(|vendor| Upstream::always(answer(vendor))).collect();
    let pairs: Vec<(&Vendor, &Upstream)> = vendors.iter().zip(&upstreams).collect();
    let gateway = gateway(&pairs);
    for front in fronts() {
        for (vendor, upstream) in &pairs {
            check(&front, vendor, upstream, &gateway);
        }
    }
}

#[test]
fn whole_answers() {
    all(
        |vendor| Answer::json(vendor.unary.clone()),
        |front, vendor, upstream, gateway| {
            let reply = ask(front, vendor, false).to(gateway);
            let told = format!("{} to {}: {}", front.name, vendor.name, reply.text());
            assert_eq!(reply.status, 200, "{told}");
            let (input, output) = vendor.usage;
            assert_eq!((front.read)(&reply.json()), ("Hi there".into(), input, output), "{told}");
            let seen = upstream.last();
            assert!(seen.target.starts_with(vendor.path), "{told}: {}", seen.target);
            let body = seen.text();
            assert!(body.contains("Be brief.") && body.contains("Hello"), "{told}: {body}");
            assert_eq!(reply.header("x-ostia-dropped"), None, "{told}");
        },
    );
}

#[test]
fn streams() {
    all(
        |vendor| Answer::stream(vendor.stream.clone()),
        |front, vendor, _, gateway| {
            let reply = ask(front, vendor, true).to(gateway);
            let told = format!("{} to {}: {}", front.name, vendor.name, reply.text());
            assert!(reply.status == 200 && reply.whole, "{told}");
            let media = reply.header("content-type").unwrap();
            assert!(media.starts_with("text/event-stream"), "{told}");
            let (input, output) = vendor.usage;
            assert_eq!((front.read_stream)(&reply), ("Hi thére".into(), input, output), "{told}");
        },
    );
}

#[test]
fn errors_keep_their_status_and_speak_as_the_client_does() {
    all(
        |vendor| Answer::json(vendor.error.clone()).status(429).header("retry-after", "7"),
        |front, vendor, _, gateway| {
            for stream in [false, true] {
                let reply = ask(front, vendor, stream).to(gateway);
                let told = format!("{} to {}: {}", front.name, vendor.name, reply.text());
                assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")), "{told}");
                assert!((front.error)(&reply.json()).contains("slow down"), "{told}");
            }
        },
    );
}

#[test]
fn a_broken_stream_is_never_shown_as_a_whole_one() {
    all(
        |vendor| {
            let at = vendor.stream.find("Hi").unwrap() + 4;
            Answer::stream(vendor.stream.as_bytes()[..at].to_vec()).then(Step::Cut)
        },
        |front, vendor, _, gateway| {
            let reply = ask(front, vendor, true).to(gateway);
            let told = format!("{} to {}: {}", front.name, vendor.name, reply.text());
            assert!(reply.status == 200 && !reply.whole, "{told}");
            let last = crate::json(data_of(reply.text()).last().unwrap());
            let is_error =
                last["error"].is_object() || last["type"] == "error" || last["type"] == "response.failed";
            assert!(is_error, "{told}");
            for end in ["[DONE]", "message_stop", "response.completed", "\"finishReason\":\"STOP\""] {
                assert!(!reply.text().contains(end), "{told}");
            }
        },
    );
}

#[test]
fn bad_bodies_are_refused_in_the_clients_words() {
    let vendors = vendors();
    let upstream = Upstream::always(Answer::json(vendors[2].unary.clone()));
    let gateway = gateway(&[(&vendors[2], &upstream), (&vendors[0], &upstream)]);
    for front in fronts() {
        let vendor = if front.name == "messages" { &vendors[0] } else { &vendors[2] };
        for (body, words) in [("{", "The request body is"), ("[]", ""), (r#"{"model":7,"contents":7}"#, "")] {
            let ask = Ask::post(&(front.path)("m-1", false), body)
                .header("x-ostia-provider", &format!("at-{}", vendor.name));
            let reply = ask.to(&gateway);
            assert_eq!(reply.status, 400, "{}: {body}: {}", front.name, reply.text());
            let message = (front.error)(&reply.json());
            assert!(message.contains(words), "{}: {message}", front.name);
        }
    }
    assert_eq!(upstream.count(), 0, "nobody is asked");
}

#[test]
fn losses_are_told_in_the_clients_words() {
    let vendors = vendors();
    let upstream = Upstream::always(Answer::json(vendors[0].unary.clone()));
    let gateway = gateway(&[(&vendors[0], &upstream)]);
    let body = json!({"model": "m-1", "max_tokens": 5, "top_k": 3, "container": "c-1",
                      "messages": [{"role": "user", "content": "Hello"}]});
    let ask = Ask::post("/v1/messages", body.to_string()).header("x-ostia-provider", "at-chat");
    let dropped = ask.to(&gateway).header("x-ostia-dropped").unwrap().to_owned();
    assert!(dropped.contains("container"), "{dropped}");
    let reply = ask.header("x-ostia-lossless", "true").to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["type"]), (400, &json!("invalid_request_error")));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn googles_array_of_chunks() {
    let vendors = vendors();
    for (vendor, text) in [(&vendors[2], "Hi thére"), (&vendors[0], "Hi thére")] {
        let upstream = Upstream::always(Answer::stream(vendor.stream.clone()));
        let gateway = gateway(&[(vendor, &upstream)]);
        let ask = Ask::post(
            "/v1beta/models/m-1:streamGenerateContent?key=sk-in-query",
            (fronts()[3].body)("m-1", true).to_string(),
        );
        let reply = ask.header("x-ostia-provider", &format!("at-{}", vendor.name)).to(&gateway);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let chunks = reply.json();
        assert_eq!(joined(chunks.as_array().unwrap(), "/candidates/0/content/parts/0/text"), text);
        let seen = upstream.last();
        let shown = seen.header("x-api-key").or(seen.header("authorization")).unwrap();
        assert!(shown.ends_with("sk-in-query") && !seen.target.contains("sk-in-query"), "{}", seen.target);
    }
}

#[test]
fn a_gemini_client_is_relayed_to_gemini() {
    let upstream = Upstream::in_turn(vec![
        Answer::stream(gemini::generate_stream(&["a", "b"])),
        Answer::json(format!("[{}]", gemini::generate("a"))),
        Answer::json(gemini::generate("a")),
    ]);
    let gateway = Gateway::start();
    let odd = r#"{ "contents":[{"parts":[{"text":"q"}]}],  "ofTomorrow": 1.50 }"#;
    for (verb, sent) in [
        ("streamGenerateContent?alt=sse", "streamGenerateContent?alt=sse"),
        ("streamGenerateContent?key=sk-q", "streamGenerateContent"),
        ("generateContent", "generateContent"),
    ] {
        let ask = Ask::post(&format!("/v1beta/models/g-1:{verb}"), odd)
            .header("x-goog-api-key", "sk-client")
            .header("x-ostia-provider", "google")
            .header("x-ostia-custom-host", &upstream.url());
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = upstream.last();
        assert_eq!(seen.target, format!("/v1beta/models/g-1:{sent}"));
        assert_eq!(
            (seen.text().as_str(), seen.header("x-goog-api-key").as_deref()),
            (odd, Some("sk-client"))
        );
    }
}

#[test]
fn counts_of_tokens() {
    let vendors = vendors();
    let google = Upstream::always(Answer::json(r#"{"totalTokens":31}"#));
    let chat = Upstream::always(Answer::json("{}"));
    let rows = format!(
        "providers:\n  at-chat: {{base_url: \"{}/v1\", local: true, {}}}\n  \
         counts: {{base_url: \"{}\", local: true, dialects: [gemini_generate, gemini_count_tokens]}}\n",
        chat.url(),
        vendors[0].rows,
        google.url()
    );
    let gateway = Gateway::with(&rows);
    let message = r#"{"model":"m-1","messages":[{"role":"user","content":"How many tokens are in this?"}]}"#;
    let input = r#"{"model":"m-1","input":"How many tokens are in this?"}"#;
    let contents = r#"{"contents":[{"role":"user","parts":[{"text":"How many tokens are in this?"}]}]}"#;
    for (path, body, field) in [
        ("/v1/messages/count_tokens", message, "input_tokens"),
        ("/v1/responses/input_tokens", input, "input_tokens"),
        ("/v1beta/models/m-1:countTokens", contents, "totalTokens"),
    ] {
        let estimated = Ask::post(path, body).header("x-ostia-provider", "at-chat").to(&gateway);
        assert_eq!((estimated.status, estimated.header("x-ostia-estimated")), (200, Some("true")), "{path}");
        assert!((7..=16).contains(&number(&estimated.json()[field])), "{path}: {}", estimated.text());
        let counted = Ask::post(path, body).header("x-ostia-provider", "counts").to(&gateway);
        assert_eq!((counted.status, counted.header("x-ostia-estimated")), (200, None), "{path}");
        assert_eq!(counted.json()[field], 31, "{path}");
    }
    assert_eq!(chat.count(), 0);
}

#[test]
fn embeddings_for_googles_clients() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::embeddings(&[&[0.5, 0.25], &[1.0, 2.0]])));
    let body = r#"{"requests":[{"model":"models/e-1","content":{"parts":[{"text":"a"}]}},{"model":"models/e-1","content":{"parts":[{"text":"b"}]}}]}"#;
    let reply = Ask::post_at(&upstream, "openai", "/v1beta/models/e-1:batchEmbedContents", body).to(&gateway);
    assert_eq!(reply.json()["embeddings"], json!([{"values": [0.5, 0.25]}, {"values": [1.0, 2.0]}]));
    assert_eq!(upstream.last().json()["input"], json!(["a", "b"]));
    let upstream = Upstream::always(Answer::json(openai::embeddings(&[&[0.5, 0.25]])));
    let body = r#"{"content":{"parts":[{"text":"a"}]}}"#;
    let reply = Ask::post_at(&upstream, "openai", "/v1beta/models/e-1:embedContent", body).to(&gateway);
    assert_eq!(reply.json()["embedding"], json!({"values": [0.5, 0.25]}));
}
