//! Ollama: relayed in the formats that it copies, and told in its own chat what only that reads. The upstream refuses what
//! Ollama refuses, and every field that it would pass over.

use std::time::Duration;

use ostia_testkit::model::{Call, Speech, Told, Turn};
use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::{ollama, openai};
use ostia_testkit::{Answer, Framing, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::Ask;

const PATIENCE: Duration = Duration::from_secs(10);
const IMAGE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4L8UAAAM1ARr46/+zAAAAAElFTkSuQmCC";

/// A model that calls a tool, and tells what came of it.
fn server() -> Upstream {
    Upstream::serve(|request| {
        if let Err(refusal) = Vendor::Ollama.check(request, "") {
            return Vendor::Ollama.refuse(&refusal);
        }
        let body = request.json();
        Speech::Ollama.answer(&turn(&Speech::Ollama.read(&body)), body["stream"] != false)
    })
}

fn turn(told: &[Told]) -> Turn {
    let thought = Some(("I have to look.".to_owned(), String::new()));
    if let Some(Told::Result(0, words)) = told.last() {
        return Turn { thought, text: Some(format!("It is {words}.")), calls: Vec::new() };
    }
    let arguments = json!({"city": "Rome"});
    let call = Call { id: "call_1".into(), namespace: None, name: "weather".into(), arguments };
    Turn { thought, text: None, calls: vec![call] }
}

/// A client's request to an Ollama that listens elsewhere.
fn ask(path: &str, body: &Value, upstream: &Upstream) -> Ask {
    Ask::post_at(upstream, "ollama", path, body.to_string())
}

fn chat(more: Value) -> Value {
    let mut body = json!({"model": "qwen3:8b", "messages": [{"role": "user", "content": "Hello"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

#[test]
fn a_chat_client_is_relayed_byte_for_byte() {
    let upstream = Upstream::always(Answer::json(openai::chat("Hi")));
    let odd = r#"{ "model":"m",  "messages":[{"role":"user","content":"x"}], "ofTomorrow": 1.50 }"#;
    let reply = Ask::post_at(&upstream, "ollama", "/v1/chat/completions", odd).to(&Gateway::start());
    assert_eq!(reply.text(), openai::chat("Hi"));
    let seen = upstream.last();
    assert_eq!((seen.target.as_str(), seen.text().as_str()), ("/v1/chat/completions", odd));
}

#[test]
fn what_is_ollamas_own_reaches_it() {
    let upstream = server();
    let own = json!({"options": {"num_ctx": 8192, "min_p": 0.1}, "keep_alive": "10m", "think": "high", "top_k": 40,
                     "max_tokens": 9, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema()}}});
    let reply = ask("/v1/chat/completions", &chat(own), &upstream).to(&Gateway::start());
    assert_eq!((reply.status, reply.header("x-ostia-dropped")), (200, None), "{}", reply.text());
    let seen = upstream.last();
    assert_eq!(seen.target, "/api/chat");
    let body = seen.json();
    let options = json!({"num_predict": 9, "top_k": 40, "num_ctx": 8192, "min_p": 0.1});
    assert_eq!((&body["options"], &body["format"]), (&options, &schema()));
    assert_eq!(
        (&body["keep_alive"], &body["think"], &body["stream"]),
        (&json!("10m"), &json!("high"), &json!(false))
    );
    let message = &reply.json()["choices"][0]["message"];
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], r#"{"city":"Rome"}"#);
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 8);
}

/// A client of Chat Completions, then one of generateContent: an image, a tool, its result, whole and as streams.
#[test]
fn a_tool_over_two_turns() {
    let (upstream, gateway) = (server(), Gateway::start());
    for stream in [false, true] {
        let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": schema()}}]);
        let url = format!("data:image/png;base64,{IMAGE}");
        let user = json!({"role": "user", "content": [{"type": "text", "text": "Where is this?"},
                          {"type": "image_url", "image_url": {"url": url}}]});
        let mut body =
            json!({"model": "m", "tools": tools, "messages": [user], "stream": stream, "keep_alive": -1});
        let first = ask("/v1/chat/completions", &body, &upstream).to(&gateway);
        assert!(first.status == 200 && first.whole, "{}", first.text());
        let call = json!({"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}});
        if stream {
            assert!(
                first.text().contains("call_1") && first.text().contains("\"finish_reason\":\"tool_calls\"")
            );
        } else {
            assert_eq!(first.json()["choices"][0]["message"]["tool_calls"][0], call);
        }
        let assistant = json!({"role": "assistant", "content": null, "tool_calls": [call]});
        let result = json!({"role": "tool", "tool_call_id": "call_1", "content": "sunny"});
        body["messages"].as_array_mut().unwrap().extend([assistant, result]);
        let second = ask("/v1/chat/completions", &body, &upstream).to(&gateway);
        assert!(second.status == 200 && second.whole, "{}", second.text());
        let seen = upstream.last().json();
        assert_eq!(
            seen["messages"][0],
            json!({"role": "user", "content": "Where is this?", "images": [IMAGE]})
        );
        let told =
            json!({"role": "tool", "tool_name": "weather", "tool_call_id": "call_1", "content": "sunny"});
        assert_eq!(seen["messages"][2], told);
        let said = match stream {
            false => second.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned(),
            true => words(&second, "/choices/0/delta/content"),
        };
        assert_eq!(said, "It is sunny.");
    }
}

#[test]
fn a_gemini_client_may_forbid_to_think() {
    let (upstream, gateway) = (server(), Gateway::start());
    let settings = json!({"topK": 20, "thinkingConfig": {"thinkingBudget": 0}});
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "generationConfig": settings,
                      "tools": [{"functionDeclarations": [{"name": "weather", "parameters": schema()}]}]});
    let path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let reply = ask(path, &body, &upstream).to(&gateway);
    assert!(reply.status == 200 && reply.whole, "{}", reply.text());
    let seen = upstream.last();
    assert_eq!((seen.target.as_str(), &seen.json()["think"]), ("/api/chat", &json!(false)));
    assert_eq!(seen.json()["options"]["top_k"], 20);
    assert!(reply.text().contains("\"functionCall\""), "{}", reply.text());
}

fn words(reply: &crate::wire::Reply, path: &str) -> String {
    let events = data_of(reply.text()).into_iter().filter(|data| *data != "[DONE]").map(crate::json);
    events.filter_map(|event| Some(event.pointer(path)?.as_str()?.to_owned())).collect()
}

fn streaming() -> Value {
    chat(json!({"stream": true, "keep_alive": "1m"}))
}

#[test]
fn a_line_is_there_before_the_next_is_sent() {
    let stream = ollama::chat_stream(&["first", "second"]);
    let at = stream.find('\n').unwrap() + 1;
    for (media, framing) in [("application/x-ndjson", Framing::Chunked), ("application/json", Framing::Close)]
    {
        let gate = Gate::new();
        let answer = Answer::with(media, stream[..at].to_owned()).framing(framing);
        let answer = answer.then(Step::Wait(gate.clone())).then(Step::Send(stream[at..].into()));
        let upstream = Upstream::always(answer);
        let gateway = Gateway::start();
        let mut open = ask("/v1/chat/completions", &streaming(), &upstream).open(&gateway);
        assert!(open.read_words("first", PATIENCE), "{media}");
        gate.open();
        let reply = open.finish();
        assert!(
            reply.whole && words(&reply, "/choices/0/delta/content") == "firstsecond",
            "{}",
            reply.text()
        );
        assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    }
}

#[test]
fn errors_keep_their_status_or_end_the_stream() {
    let gateway = Gateway::start();
    let check = |status: u16, message: &str, kind: &str| {
        let upstream = Upstream::always(Answer::json(ollama::error(message)).status(status));
        for body in [chat(json!({"keep_alive": 1})), streaming()] {
            let reply = ask("/v1/chat/completions", &body, &upstream).to(&gateway);
            assert_eq!(reply.status, status, "{}", reply.text());
            let error = &reply.json()["error"];
            assert!(error["message"].as_str().unwrap().contains(message), "{error}");
            assert_eq!(error["type"], kind, "{error}");
        }
    };
    check(404, "model 'm' not found", "invalid_request_error");
    check(400, "\"m\" does not support thinking", "invalid_request_error");
    let begun = ollama::chat_stream(&["Hi"]);
    let begun = &begun[..=begun.find('\n').unwrap()];
    for end in [format!("{}\n", ollama::error("the runner has stopped")), String::new(), "{\"mess".to_owned()]
    {
        let upstream = Upstream::always(Answer::json_lines(format!("{begun}{end}")));
        let reply = ask("/v1/chat/completions", &streaming(), &upstream).to(&gateway);
        let last = crate::json(data_of(reply.text()).last().unwrap());
        assert!(reply.status == 200 && last["error"]["message"].is_string(), "{}", reply.text());
        assert!(!reply.text().contains("[DONE]") && reply.text().contains("Hi"), "{}", reply.text());
        assert!(end.len() < 10 || last["error"]["message"] == "the runner has stopped", "{last}");
    }
}

#[test]
fn a_client_that_leaves_is_not_answered_any_more() {
    let stream = ollama::chat_stream(&["first"]);
    let at = stream.find('\n').unwrap() + 1;
    let answer = Answer::json_lines(stream[..at].to_owned()).then(Step::Stall);
    let upstream = Upstream::always(answer);
    let gateway = Gateway::start();
    let mut open = ask("/v1/chat/completions", &streaming(), &upstream).open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    drop(open);
    assert!(upstream.wait_for_leaving(1, PATIENCE), "the server goes on for nobody");
}

#[test]
fn the_cloud_has_the_same_chat() {
    let upstream = Upstream::serve(|request: &Request| match request.header("authorization").as_deref() {
        Some("Bearer sk-cloud") => Answer::json(ollama::chat("Hi")),
        _ => Answer::json(ollama::error("unauthorized")).status(401),
    });
    let gateway = Gateway::start();
    let ask = Ask::post("/v1/chat/completions", chat(json!({"think": true})).to_string())
        .header("x-ostia-provider", "ollama-cloud")
        .header("x-ostia-custom-host", &upstream.url())
        .header("authorization", "Bearer sk-cloud");
    let reply = ask.to(&gateway);
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "Hi", "{}", reply.text());
    assert_eq!(upstream.last().target, "/api/chat");
}
