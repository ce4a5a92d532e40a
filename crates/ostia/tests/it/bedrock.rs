//! Clients of every format in front of Bedrock's Converse, whose streams are binary.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use ostia_testkit::event_stream::{event, exception};
use ostia_testkit::model::{Call, Speech, Turn};
use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::bedrock;
use ostia_testkit::{Answer, Framing, Request, Step, Upstream, split};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::programs;
use crate::wire::{Ask, Reply};

const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const PATH: &str = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const PROOF: &str = "cHJvb2Y=";

/// A gateway in front of a provider that counts tokens too.
fn gateway(upstream: &Upstream) -> Gateway {
    let dialects = "[bedrock_converse, bedrock_count_tokens]";
    let url = upstream.url();
    Gateway::with(&format!(
        "providers:\n  cloud: {{base_url: \"{url}\", local: true, dialects: {dialects}}}\n"
    ))
}

fn ask(path: &str, body: &Value) -> Ask {
    Ask::post(path, body.to_string())
        .header("x-ostia-provider", "cloud")
        .header("authorization", "Bearer sk-client")
}

/// A question with a tool, in each client's format, and where it is asked.
fn questions(stream: bool) -> [(String, Value); 4] {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let function = json!({"name": "look", "parameters": schema});
    let mut responses = json!({"type": "function", "strict": false});
    responses.as_object_mut().unwrap().extend(function.as_object().unwrap().clone());
    let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    [
        (
            "/v1/chat/completions".to_owned(),
            json!({"model": MODEL, "stream": stream, "reasoning_effort": "low", "messages": [{"role": "user", "content": "Hello"}],
                   "tools": [{"type": "function", "function": function}]}),
        ),
        (
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "stream": stream, "input": "Hello", "tools": [responses], "reasoning": {"effort": "low"}}),
        ),
        (
            "/v1/messages".to_owned(),
            json!({"model": MODEL, "stream": stream, "max_tokens": 4000, "messages": [{"role": "user", "content": "Hello"}],
                   "thinking": {"type": "enabled", "budget_tokens": 2000},
                   "tools": [{"name": "look", "input_schema": schema}]}),
        ),
        (
            format!("/v1beta/models/{MODEL}:{verb}"),
            json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "tools": [{"functionDeclarations": [function]}],
                   "generationConfig": {"thinkingConfig": {"thinkingBudget": 2000}}}),
        ),
    ]
}

/// A vendor that refuses what Bedrock refuses, and else thinks, speaks and calls.
fn vendor(request: &Request) -> Answer {
    if let Err(refusal) = Vendor::Bedrock.check(request, PROOF) {
        return Vendor::Bedrock.refuse(&refusal);
    }
    let call = Call {
        id: "tooluse_1".into(),
        namespace: None,
        name: "look".into(),
        arguments: json!({"city": "Rome"}),
    };
    let thought = Some(("I have to look.".to_owned(), PROOF.to_owned()));
    let turn = Turn { thought, text: Some("Hi thére".into()), calls: vec![call] };
    Speech::Converse.answer(&turn, request.target.ends_with("/converse-stream"))
}

#[test]
fn every_client_is_answered_whole_and_streamed() {
    let upstream = Upstream::serve(vendor);
    let gateway = gateway(&upstream);
    for stream in [false, true] {
        for (path, body) in questions(stream) {
            let reply = ask(&path, &body).to(&gateway);
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
            let seen = upstream.last();
            let target = format!("{PATH}/converse{}", if stream { "-stream" } else { "" });
            assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", target.as_str()), "{path}");
            assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
            assert_eq!(seen.json()["additionalModelRequestFields"]["thinking"]["type"], "enabled", "{path}");
            for words in ["Hi", "I have", "look", "Rome"] {
                assert!(reply.text().contains(words), "{path} {stream}: no {words} in {}", reply.text());
            }
        }
    }
}

/// A stream in these pieces, each a chunk that arrives alone.
fn in_pieces<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Answer {
    let answer = Answer::empty().header("content-type", bedrock::STREAM).framing(Framing::Chunked);
    pieces.into_iter().fold(answer, |answer, piece| answer.then(Step::Send(piece.as_ref().to_vec())))
}

fn chat(stream: bool) -> Ask {
    let body = json!({"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "Hello"}]});
    ask("/v1/chat/completions", &body)
}

fn said(reply: &Reply) -> String {
    let events = crate::data_of(reply.text()).into_iter().filter(|data| *data != "[DONE]").map(crate::json);
    events.filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

#[test]
fn streams_over_cuts() {
    let stream = bedrock::converse_stream(&["Hi", " thére"]);
    for (cut, pieces) in split::sample(&stream) {
        let upstream = Upstream::always(in_pieces(&pieces));
        let reply = chat(true).to(&gateway(&upstream));
        assert_eq!((reply.status, said(&reply).as_str()), (200, "Hi thére"), "{cut}");
        assert!(reply.text().ends_with("data: [DONE]\n\n"), "{cut}");
    }
}

#[test]
fn failures_in_a_stream_are_told() {
    let begun = [
        event("messageStart", &json!({"role": "assistant"})),
        event("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": "Hi"}})),
    ]
    .concat();
    let mut spoiled = bedrock::converse_stream(&["Hi", "there"]);
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    for (name, stream, words) in [
        ("thrown", [begun.clone(), exception("modelStreamErrorException", "it broke")].concat(), "it broke"),
        ("cut off", begun.clone(), "broke off"),
        ("cut within", begun[..begun.len() - 3].to_vec(), "within a message"),
        ("spoiled", spoiled, "checksum"),
    ] {
        let upstream = Upstream::always(in_pieces([stream]));
        let reply = chat(true).to(&gateway(&upstream));
        assert!(reply.text().contains(words), "{name}: {}", reply.text());
        assert!(!reply.text().contains("[DONE]"), "{name}: {}", reply.text());
    }
}

#[test]
fn an_exception_before_the_first_word_is_a_failed_attempt() {
    let spare = Upstream::always(in_pieces([bedrock::converse_stream(&["Hi"])]));
    for kind in ["throttlingException", "modelStreamErrorException", "serviceUnavailableException"] {
        let upstream = Upstream::always(in_pieces([exception(kind, "words")]));
        let row = |id: &str, upstream: &Upstream| {
            let url = upstream.url();
            format!("  {id}: {{base_url: \"{url}\", local: true, dialects: [bedrock_converse]}}\n")
        };
        let gateway =
            Gateway::with(&format!("providers:\n{}{}", row("cloud", &upstream), row("spare", &spare)));
        let target = |id: &str| json!({"provider": id, "api_key": "sk"});
        let config = json!({"strategy": {"mode": "fallback"}, "targets": [target("cloud"), target("spare")]});
        let reply =
            chat(true).without("x-ostia-provider").header("x-ostia-config", &config.to_string()).to(&gateway);
        assert_eq!((reply.status, said(&reply).as_str()), (200, "Hi"), "{kind}: {}", reply.text());
        assert_eq!(reply.header("x-ostia-provider"), Some("spare"), "{kind}");
    }
}

#[test]
fn refusals_keep_their_status_and_words() {
    for status in [400, 403, 404, 424, 429, 503] {
        let upstream = Upstream::always(Answer::json(bedrock::error("the words")).status(status));
        let reply =
            chat(false).header("x-ostia-config", r#"{"retry":{"attempts":0}}"#).to(&gateway(&upstream));
        assert_eq!((reply.status, reply.json()["error"]["message"].as_str()), (status, Some("the words")));
    }
}

#[test]
fn tokens_are_counted_by_the_vendor() {
    let upstream = Upstream::always(Answer::json(json!({"inputTokens": 23}).to_string()));
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "system": "s"});
    let reply = ask("/v1/messages/count_tokens", &body).to(&gateway(&upstream));
    assert_eq!((reply.status, reply.json()), (200, json!({"input_tokens": 23})));
    let seen = upstream.last();
    assert_eq!(seen.target, format!("{}/count-tokens", PATH.replace("us.", "")));
    let expected =
        json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "system": [{"text": "s"}]});
    assert_eq!(seen.json(), json!({"input": {"converse": expected}}));
}

/// Requests with all that Converse has words for, in Anthropic's format, which says most of it.
fn rich() -> Vec<Value> {
    let ask = |fields: Value| {
        let mut body =
            json!({"model": MODEL, "max_tokens": 4000, "messages": [{"role": "user", "content": "Hello"}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let png = "iVBORw0KGgo=";
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}});
    let document = |name: &str| {
        json!({"type": "document", "title": name, "citations": {"enabled": true},
               "source": {"type": "text", "media_type": "text/plain", "data": "abc"}})
    };
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let call = json!({"type": "tool_use", "id": "a:b", "name": "look.up", "input": {"city": "Rome"}});
    let result = json!({"type": "tool_result", "tool_use_id": "a:b", "is_error": true,
                        "content": [{"type": "text", "text": "no"}, image]});
    vec![
        ask(
            json!({"system": [{"type": "text", "text": "s", "cache_control": mark}], "metadata": {"user_id": "u", "team": "t"},
                   "stop_sequences": ["X"], "service_tier": "standard_only", "top_p": 0.5}),
        ),
        ask(
            json!({"messages": [{"role": "user", "content": [document("résumé.pdf"), document("résumé.pdf"), image]}]}),
        ),
        ask(
            json!({"tools": [{"name": "look.up", "input_schema": {"type": "object"}, "cache_control": mark}],
                   "tool_choice": {"type": "tool", "name": "look.up"},
                   "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": [call]},
                                {"role": "user", "content": [result, {"type": "text", "text": "more"}]}]}),
        ),
        ask(json!({"messages": [{"role": "user", "content": "q"},
                                {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": PROOF},
                                                                  {"type": "redacted_thinking", "data": "EqQC"}, {"type": "text", "text": "a"}]},
                                {"role": "user", "content": "r"}],
                   "thinking": {"type": "enabled", "budget_tokens": 2000}})),
        ask(
            json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {},
                   "additionalProperties": false}}},
                   "guardrailConfig": {"guardrailIdentifier": "abc1", "guardrailVersion": "1", "trace": "enabled"}}),
        ),
    ]
}

#[test]
fn botocore_takes_what_is_sent_and_reads_what_the_testkit_says() {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::serve(|request| {
        Speech::Converse
            .answer(&Turn { text: Some("Hi".into()), ..Turn::default() }, request.target.ends_with("-stream"))
    });
    let gateway = gateway(&upstream);
    let mut lines = String::new();
    let rich = rich().into_iter().map(|body| ("/v1/messages".to_owned(), body));
    for (path, body) in rich.chain(questions(false)).chain(questions(true)) {
        let reply = ask(&path, &body).to(&gateway);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let seen = upstream.last();
        let operation = if seen.target.ends_with("-stream") { "ConverseStream" } else { "Converse" };
        lines += &json!({"operation": operation, "model": MODEL, "body": seen.json()}).to_string();
        lines.push('\n');
    }
    let thought = Some(("I have to look.".to_owned(), PROOF.to_owned()));
    let call =
        Call { id: "tooluse_1".into(), namespace: None, name: "look".into(), arguments: json!({"a": 1}) };
    let turn = Turn { thought, text: Some("Hi thére".into()), calls: vec![call] };
    let stream = Speech::Converse.answer(&turn, true).body();
    let stream: String = stream.iter().map(|byte| format!("{byte:02x}")).collect();
    lines += &json!({"stream": stream}).to_string();
    let said = judged(&python, &lines);
    assert!(said.is_empty(), "{said}");
    let wrong = json!({"operation": "Converse", "model": MODEL, "body": {"messages": [{"role": "user", "content": [{"text": "a", "x": 1}]}]}});
    assert!(judged(&python, &wrong.to_string()).contains("is not known"));
}

/// What botocore has to say of these lines.
fn judged(python: &OsStr, lines: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/botocore_judge.py");
    let mut judge = Command::new(python)
        .env_clear()
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}
