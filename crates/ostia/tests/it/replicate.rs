//! Replicate: conversations with models that take a prompt, as jobs that are waited for, and as streams at another address.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ostia_testkit::vendor::replicate::{self, CANCEL, GET, STREAM};
use ostia_testkit::{Answer, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE, Reply, wait_until};

const MODEL: &str = "meta/meta-llama-3-70b-instruct";
const SUBMIT: &str = "/models/meta/meta-llama-3-70b-instruct/predictions";

fn chat(more: Value) -> Value {
    let mut body = json!({"model": MODEL, "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn ask(body: &Value, upstream: &Upstream) -> Ask {
    Ask::post_at(upstream, "replicate", "/v1/chat/completions", body.to_string())
}

fn words(reply: &Reply) -> String {
    let events = data_of(reply.text()).into_iter().filter(|data| *data != "[DONE]").map(crate::json);
    events.filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

/// A vendor that answers a submit with a job, and serves what a stream of it says.
fn streaming(stream: impl Fn() -> Answer + Send + Sync + 'static) -> Upstream {
    Upstream::serve(move |request: &Request| match (request.method.as_str(), request.target.as_str()) {
        ("POST", SUBMIT) => Answer::json(replicate::begun(&replicate::own(request))).status(201),
        ("GET", STREAM) => stream(),
        ("POST", CANCEL) => Answer::json("{}"),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_vendor_that_waits_answers_at_once() {
    let upstream = Upstream::always(Answer::json(replicate::done("Hi there")).status(201));
    let reply = ask(&chat(json!({"max_tokens": 9, "user": "u"})), &upstream).to(&Gateway::start());
    assert_eq!((reply.status, reply.header("x-ostia-dropped")), (200, Some("user")), "{}", reply.text());
    let answer = reply.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "Hi there");
    assert_eq!(
        (&answer["usage"]["prompt_tokens"], &answer["usage"]["completion_tokens"]),
        (&json!(8), &json!(2))
    );
    let seen = upstream.last();
    assert_eq!((seen.target.as_str(), seen.header("prefer").as_deref()), (SUBMIT, Some("wait")));
    assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-client"));
    assert_eq!(
        seen.json(),
        json!({"input": {"prompt": "Hello", "system_prompt": "Be brief.", "max_tokens": 9}})
    );
}

#[test]
fn one_that_does_not_is_asked_until_it_is_done() {
    let asked = AtomicUsize::new(0);
    let upstream =
        Upstream::serve(move |request: &Request| match (request.method.as_str(), request.target.as_str()) {
            ("POST", SUBMIT) => Answer::json(replicate::begun(&replicate::own(request))).status(201),
            ("GET", GET) if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
                Answer::json(replicate::begun(&replicate::own(request)))
            }
            ("GET", GET) => Answer::json(replicate::done("Hi there")),
            other => panic!("{other:?}"),
        });
    let body = json!({"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]});
    let reply = Ask::post_at(&upstream, "replicate", "/v1/messages", body.to_string()).to(&Gateway::start());
    assert_eq!(reply.json()["content"][0]["text"], "Hi there", "{}", reply.text());
    assert_eq!(upstream.count(), 3);
}

#[test]
fn a_prediction_that_fails_says_why() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(replicate::failed("CUDA out of memory")).status(201));
    for body in [chat(json!({})), chat(json!({"stream": true}))] {
        let reply = ask(&body, &upstream).to(&gateway);
        assert_eq!(reply.status, 500, "{}", reply.text());
        assert!(reply.text().contains("CUDA out of memory"), "{}", reply.text());
    }
    let upstream = Upstream::always(
        Answer::json(r#"{"title":"Unauthenticated","detail":"You did not pass a token","status":401}"#)
            .status(401),
    );
    let reply = ask(&chat(json!({})), &upstream).to(&gateway);
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert!(reply.text().contains("You did not pass a token"), "{}", reply.text());
}

#[test]
fn a_stream_is_read_where_the_job_says() {
    let upstream = streaming(|| Answer::stream(replicate::stream(&["Hi", " thére", "", "!"])));
    let gateway = Gateway::start();
    let reply = ask(&chat(json!({"stream": true})), &upstream).to(&gateway);
    assert!(
        reply.status == 200 && reply.whole && reply.text().ends_with("data: [DONE]\n\n"),
        "{}",
        reply.text()
    );
    assert_eq!(words(&reply), "Hi thére!");
    let seen = upstream.requests();
    assert_eq!(seen[0].json()["stream"], json!(true));
    assert_eq!((seen[0].header("prefer"), seen[1].target.as_str()), (None, STREAM));
    assert_eq!(seen[1].header("accept").as_deref(), Some("text/event-stream"));
    assert_eq!(seen[1].header("authorization").as_deref(), Some("Bearer sk-client"));
    // What is whole is not given up.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(upstream.count(), 2);
}

#[test]
fn streams_that_break_or_fail_end_in_an_error() {
    let gateway = Gateway::start();
    for (end, message) in [
        ("event: error\ndata: \"out of memory\"\n\n", "out of memory"),
        ("event: done\ndata: {\"reason\": \"canceled\"}\n\n", "canceled"),
        ("", "broke off"),
    ] {
        let upstream = streaming(move || Answer::stream(replicate::words(&["Hi"]) + end));
        let reply = ask(&chat(json!({"stream": true})), &upstream).to(&gateway);
        let last = crate::json(data_of(reply.text()).last().unwrap());
        assert!(last["error"]["message"].as_str().unwrap().contains(message), "{}", reply.text());
        assert!(!reply.text().contains("[DONE]"), "{}", reply.text());
    }
}

#[test]
fn a_client_that_leaves_gives_the_prediction_up() {
    let upstream = streaming(|| Answer::stream(replicate::words(&["first"])).then(Step::Stall));
    let gateway = Gateway::start();
    let mut open = ask(&chat(json!({"stream": true})), &upstream).open(&gateway);
    assert!(open.read_words("first", PATIENCE));
    drop(open);
    let is_cancel = |request: &Request| request.target == CANCEL;
    wait_until("the vendor goes on for nobody", || upstream.requests().iter().any(is_cancel));
}

#[test]
fn a_model_without_a_stream_and_one_elsewhere() {
    let gateway = Gateway::start();
    let begun = |stream: Value| {
        Upstream::serve(move |request: &Request| {
            let mut begun: Value = serde_json::from_str(&replicate::begun(&replicate::own(request))).unwrap();
            begun["urls"]["stream"] = stream.clone();
            match request.method.as_str() {
                "POST" => Answer::json(begun.to_string()).status(201),
                _ => panic!("{}", request.target),
            }
        })
    };
    let reply = ask(&chat(json!({"stream": true})), &begun(json!(null))).to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("stream")), "{}", reply.text());
    // The key goes to the vendor's own hosts only.
    let elsewhere = Upstream::always(Answer::stream(replicate::stream(&["stolen"])));
    let reply = ask(&chat(json!({"stream": true})), &begun(json!(elsewhere.url() + "/s"))).to(&gateway);
    assert_eq!((reply.status, elsewhere.count()), (502, 0), "{}", reply.text());
}

#[test]
fn tools_are_refused_by_name() {
    let upstream = Upstream::always(Answer::json(replicate::done("no")));
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let reply = ask(&chat(json!({"tools": tools})), &upstream).to(&Gateway::start());
    assert_eq!((reply.status, &reply.json()["error"]["param"], upstream.count()), (400, &json!("tools"), 0));
}
