//! What the Responses API remembers, in front of a provider that does not.

use std::time::Duration;

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Gate, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::data_of;
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply};

fn respond(upstream: &Upstream, body: &Value) -> Ask {
    Ask::post_at(upstream, "anthropic", "/v1/responses", body.to_string())
}

/// About something that is remembered, with the same key.
fn about(method: &str, path: &str) -> Ask {
    Ask::new(method, path).header("authorization", "Bearer sk-client")
}

fn id_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// What an upstream was told, turn by turn: role and text.
fn turns(seen: &Request) -> Vec<(String, String)> {
    let body = seen.json();
    let text = |content: &Value| match content.as_array() {
        Some(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        None => content.as_str().unwrap_or_default().to_owned(),
    };
    let turn = |turn: &Value| (turn["role"].as_str().unwrap().to_owned(), text(&turn["content"]));
    body["messages"].as_array().unwrap().iter().map(turn).collect()
}

fn turn(role: &str, text: &str) -> (String, String) {
    (role.into(), text.into())
}

#[test]
fn a_conversation_goes_on_by_the_id_of_its_last_answer() {
    let gateway = Gateway::start();
    let upstream = Upstream::in_turn(vec![
        Answer::json(anthropic::message("Rome")),
        Answer::stream(anthropic::message_stream(&["On the", " Tiber"])),
        Answer::json(anthropic::message("Yes")),
    ]);
    let first =
        respond(&upstream, &json!({"model": "m", "instructions": "Be brief.", "input": "Which city?"}));
    let first = id_of(&first.to(&gateway));
    let asked = json!({"model": "m", "stream": true, "input": "Where?", "previous_response_id": first});
    let reply = respond(&upstream, &asked).to(&gateway);
    let last = crate::json(data_of(reply.text()).last().unwrap());
    assert_eq!(last["response"]["previous_response_id"], json!(first), "{last}");
    let second = last["response"]["id"].as_str().unwrap();
    let asked = json!({"model": "m", "input": [{"role": "user", "content": "Sure?"}], "previous_response_id": second});
    id_of(&respond(&upstream, &asked).to(&gateway));
    assert_eq!(
        turns(&upstream.last()),
        [
            turn("user", "Which city?"),
            turn("assistant", "Rome"),
            turn("user", "Where?"),
            turn("assistant", "On the Tiber"),
            turn("user", "Sure?"),
        ]
    );
    // Instructions are each request's own.
    assert!(upstream.last().json().get("system").is_none());
}

#[test]
fn calls_of_tools_that_the_client_runs_are_remembered_as_items() {
    let gateway = Gateway::start();
    let upstream = Upstream::in_turn(vec![
        Answer::stream(anthropic::tool_stream("shell", &["{\"commands\":[", "\"ls\"]}"])),
        Answer::stream(anthropic::tool_stream("docs__find", &["{}"])),
        Answer::json(anthropic::message("Done")),
    ]);
    let find =
        json!({"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}});
    let docs = json!({"type": "namespace", "name": "docs", "description": "d", "tools": [find]});
    let tools = json!([{"type": "shell"}, docs]);
    let ask = |more: Value| {
        let mut body = json!({"model": "m", "stream": true, "tools": tools});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = respond(&upstream, &body).to(&gateway);
        crate::json(data_of(reply.text()).last().unwrap())["response"].clone()
    };
    let first = ask(json!({"input": "q"}));
    let call = &first["output"][0];
    assert_eq!((&call["type"], &call["call_id"]), (&json!("shell_call"), &json!("toolu_01")), "{first}");
    assert_eq!(call["action"], json!({"commands": ["ls"]}));
    let chunks = json!([{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]);
    let output = json!({"type": "shell_call_output", "call_id": "toolu_01", "output": chunks});
    let second = ask(json!({"previous_response_id": first["id"], "input": [output]}));
    let call = &second["output"][0];
    assert_eq!((&call["name"], &call["namespace"]), (&json!("find"), &json!("docs")), "{second}");
    let told = upstream.last().json()["messages"].clone();
    let ran = json!({"type": "tool_use", "id": "toolu_01", "name": "shell", "input": {"commands": ["ls"]}});
    assert_eq!(told[1]["content"], json!([ran]));
    assert_eq!(told[2]["content"][0]["tool_use_id"], "toolu_01");
    let output = json!({"type": "function_call_output", "call_id": "toolu_01", "output": "r"});
    let asked =
        json!({"model": "m", "tools": tools, "previous_response_id": second["id"], "input": [output]});
    id_of(&respond(&upstream, &asked).to(&gateway));
    assert_eq!(upstream.last().json()["messages"][3]["content"][0]["name"], "docs__find");
}

#[test]
fn answers_can_be_asked_for_listed_and_deleted() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")));
    let input = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
    let made =
        respond(&upstream, &json!({"model": "m", "input": input, "metadata": {"k": "v"}})).to(&gateway);
    let id = id_of(&made);
    let path = format!("/v1/responses/{id}");
    assert_eq!(about("GET", &path).to(&gateway).json(), made.json());
    assert_eq!(made.json()["metadata"], json!({"k": "v"}));
    let items = |query: &str| about("GET", &format!("{path}/input_items{query}")).to(&gateway).json();
    let texts = |list: &Value| -> Vec<String> {
        let items = list["data"].as_array().unwrap().iter();
        items.map(|item| item["content"][0]["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&items("")), ["c", "b", "a"]);
    let page = items("?order=asc&limit=2");
    assert_eq!((texts(&page), &page["has_more"]), (vec!["a".into(), "b".into()], &json!(true)));
    let after = page["last_id"].as_str().unwrap();
    let page = items(&format!("?order=asc&after={after}"));
    assert_eq!((texts(&page), &page["has_more"]), (vec!["c".into()], &json!(false)));
    for (query, field) in [("?limit=0", "limit"), ("?order=up", "order"), ("?after=x", "after")] {
        assert_eq!(items(query)["error"]["param"], field);
    }
    let deleted = about("DELETE", &path).to(&gateway).json();
    assert_eq!(deleted, json!({"id": id, "object": "response", "deleted": true}));
    assert_eq!(about("GET", &path).to(&gateway).status, 404);
}

#[test]
fn nobody_else_sees_it_and_nothing_is_kept_unasked() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")));
    let id = id_of(&respond(&upstream, &json!({"model": "m", "input": "a"})).to(&gateway));
    let path = format!("/v1/responses/{id}");
    for ask in [Ask::new("GET", &path), Ask::new("GET", &path).header("authorization", "Bearer sk-other")] {
        assert_eq!(ask.to(&gateway).status, 404);
    }
    let asked = json!({"model": "m", "input": "b", "previous_response_id": id});
    let other =
        respond(&upstream, &asked).without("authorization").header("authorization", "Bearer sk-other");
    let reply = other.to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("previous_response_not_found")));
    let unkept =
        id_of(&respond(&upstream, &json!({"model": "m", "input": "a", "store": false})).to(&gateway));
    assert_eq!(about("GET", &format!("/v1/responses/{unkept}")).to(&gateway).status, 404);
}

#[test]
fn the_oldest_go_when_there_is_no_room() {
    let gateway = Setup::new().config("responses: {bytes: 200KiB}").start();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")));
    let ids: Vec<String> = (0..8)
        .map(|_| {
            id_of(&respond(&upstream, &json!({"model": "m", "input": "x".repeat(50 << 10)})).to(&gateway))
        })
        .collect();
    let kept = |id: &String| about("GET", &format!("/v1/responses/{id}")).to(&gateway).status == 200;
    assert!(kept(&ids[7]) && !kept(&ids[0]));
}

#[test]
fn conversations() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")));
    let made = about("POST", "/v1/conversations").body(
        r#"{"metadata":{"topic":"rivers"},"items":[{"type":"message","role":"user","content":"I am in Italy."}]}"#,
    );
    let made = made.to(&gateway);
    let id = id_of(&made);
    assert_eq!(
        (&made.json()["object"], &made.json()["metadata"]["topic"]),
        (&json!("conversation"), &json!("rivers"))
    );
    for question in ["Which city?", "Sure?"] {
        let asked = json!({"model": "m", "input": question, "conversation": id});
        let reply = respond(&upstream, &asked).to(&gateway);
        assert_eq!(reply.json()["conversation"], json!({"id": id}), "{}", reply.text());
    }
    assert_eq!(
        turns(&upstream.last()),
        [turn("user", "I am in Italy.Which city?"), turn("assistant", "Rome"), turn("user", "Sure?")]
    );
    let items = about("GET", &format!("/v1/conversations/{id}/items?order=asc")).to(&gateway).json();
    let roles: Vec<&str> =
        items["data"].as_array().unwrap().iter().map(|i| i["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "user", "assistant", "user", "assistant"]);
    let first = items["first_id"].as_str().unwrap();
    let item = format!("/v1/conversations/{id}/items/{first}");
    assert_eq!(about("GET", &item).to(&gateway).json()["id"], first);
    assert_eq!(about("DELETE", &item).to(&gateway).status, 200);
    assert_eq!(about("GET", &item).to(&gateway).status, 404);
    let path = format!("/v1/conversations/{id}");
    let changed = about("POST", &path).body(r#"{"metadata":{"topic":"cities"}}"#).to(&gateway).json();
    assert_eq!(changed["metadata"]["topic"], "cities");
    assert_eq!(about("DELETE", &path).to(&gateway).json()["object"], "conversation.deleted");
    assert_eq!(about("GET", &path).to(&gateway).status, 404);
    let both = json!({"model": "m", "input": "q", "conversation": id, "previous_response_id": "resp_1"});
    assert_eq!(respond(&upstream, &both).to(&gateway).status, 400);
}

/// Asks until the answer has this status.
fn wait_for(gateway: &Gateway, path: &str, status: &str) -> Value {
    for _ in 0..500 {
        let body = about("GET", path).to(gateway).json();
        if body["status"] == status {
            return body;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{path} did not become {status}");
}

#[test]
fn in_the_background() {
    let gateway = Gateway::start();
    let gate = Gate::new();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")).first(Step::Wait(gate.clone())));
    let reply = respond(&upstream, &json!({"model": "m", "input": "a", "background": true})).to(&gateway);
    let path = format!("/v1/responses/{}", id_of(&reply));
    assert_eq!((&reply.json()["status"], &reply.json()["background"]), (&json!("queued"), &json!(true)));
    wait_for(&gateway, &path, "in_progress");
    gate.open();
    let done = wait_for(&gateway, &path, "completed");
    assert_eq!(done["output"][0]["content"][0]["text"], "Rome");
    let unstored = json!({"model": "m", "input": "a", "background": true, "store": false});
    assert_eq!(respond(&upstream, &unstored).to(&gateway).status, 400);
}

#[test]
fn background_work_can_be_cancelled_and_can_fail() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(anthropic::message("Rome")).first(Step::Stall));
    let id =
        id_of(&respond(&upstream, &json!({"model": "m", "input": "a", "background": true})).to(&gateway));
    assert!(upstream.wait_for_requests(1, Duration::from_secs(5)));
    let path = format!("/v1/responses/{id}");
    let cancelled = about("POST", &format!("{path}/cancel")).to(&gateway).json();
    assert_eq!(cancelled["status"], "cancelled");
    assert!(upstream.wait_for_leaving(1, Duration::from_secs(5)), "the provider's work ends too");
    assert_eq!(about("POST", &format!("{path}/cancel")).to(&gateway).json()["status"], "cancelled");
    let refusing = Upstream::always(Answer::json(anthropic::error("overloaded_error", "Busy")).status(529));
    let id =
        id_of(&respond(&refusing, &json!({"model": "m", "input": "a", "background": true})).to(&gateway));
    let failed = wait_for(&gateway, &format!("/v1/responses/{id}"), "failed");
    assert!(failed["error"]["message"].as_str().unwrap().contains("Busy"), "{failed}");
}

#[test]
fn events_of_background_work_can_be_read_again() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream(anthropic::message_stream(&["Ro", "me"])));
    let asked = json!({"model": "m", "input": "a", "background": true, "stream": true});
    let first = respond(&upstream, &asked).to(&gateway);
    let events = data_of(first.text());
    let last = crate::json(events.last().unwrap());
    assert_eq!(last["type"], "response.completed");
    let path = format!("/v1/responses/{}", last["response"]["id"].as_str().unwrap());
    let again = about("GET", &format!("{path}?stream=true")).to(&gateway);
    assert_eq!(again.text(), first.text());
    let rest = about("GET", &format!("{path}?stream=true&starting_after=1")).to(&gateway);
    assert_eq!(data_of(rest.text()), events[2..]);
    assert_eq!(wait_for(&gateway, &path, "completed")["output"], last["response"]["output"]);
}

#[test]
fn a_provider_that_remembers_is_left_to_it() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::response("Hi").to_string()));
    let body = r#"{"model":"m","input":"a","previous_response_id":"resp_1","background":true,"x":1.50}"#;
    Ask::post_at(&upstream, "openai", "/v1/responses", body).to(&gateway);
    assert_eq!(upstream.last().text(), body);
    for (method, path) in [
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/responses/resp_1/input_items?limit=3"),
        ("POST", "/v1/conversations"),
    ] {
        assert_eq!(Ask::new(method, path).at(&upstream, "openai").to(&gateway).status, 200);
        let (seen, theirs) = (upstream.last(), path.strip_prefix("/v1").unwrap());
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method, theirs));
    }
}

/// Servers that copy the API refuse tools of its own types, or leave them out.
#[test]
fn a_copy_of_the_api_gets_functions_and_the_client_its_own_tools() {
    let gateway = Gateway::start();
    let tools = json!([
        {"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "docs", "description": "d", "tools": [
            {"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}}]},
    ]);
    let answer = |name: &str, arguments: &str| {
        let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name,
            "arguments": arguments, "status": "completed"});
        let mut whole = openai::response("");
        whole["output"] = json!([call]);
        Answer::json(whole.to_string())
    };
    for provider in ["vllm", "x-ai", "llamacpp"] {
        let upstream = Upstream::in_turn(vec![
            answer("patch", r#"{"input":"+a"}"#),
            answer("docs__find", "{}"),
            Answer::json(openai::response("Hi").to_string()),
        ]);
        let ask =
            |body: &Value| Ask::post_at(&upstream, provider, "/v1/responses", body.to_string()).to(&gateway);
        let patch = &ask(&json!({"model": "m", "input": "q", "tools": tools})).json()["output"][0];
        assert_eq!(
            (&patch["type"], &patch["input"]),
            (&json!("custom_tool_call"), &json!("+a")),
            "{provider}"
        );
        let sent = upstream.last();
        assert!(sent.target.ends_with("/responses"), "{provider}: {}", sent.target);
        let sent = sent.json()["tools"].clone();
        assert!(sent.as_array().unwrap().iter().all(|tool| tool["type"] == "function"), "{provider}: {sent}");
        let history = json!([patch, {"type": "custom_tool_call_output", "call_id": "call_1", "output": "r"}]);
        let find = &ask(&json!({"model": "m", "input": history, "tools": tools})).json()["output"][0];
        assert_eq!((&find["name"], &find["namespace"]), (&json!("find"), &json!("docs")), "{provider}");
        let input = upstream.last().json()["input"].clone();
        assert_eq!(
            (&input[0]["type"], &input[1]["type"]),
            (&json!("function_call"), &json!("function_call_output"))
        );
        // What has nothing of the kind, or goes on with what the server remembers, is its own business.
        for body in [
            r#"{"model":"m", "input":"custom","tools":[{"type":"web_search"}]}"#,
            r#"{"model":"m", "input":"q","previous_response_id":"r","tools":[{"type":"custom","name":"f"}]}"#,
        ] {
            Ask::post_at(&upstream, provider, "/v1/responses", body).to(&gateway);
            assert_eq!(upstream.last().text(), body, "{provider}");
        }
    }
}

#[test]
fn what_the_gateway_remembers_can_go_on_at_a_provider_that_remembers_too() {
    let gateway = Gateway::start();
    let claude = Upstream::always(Answer::json(anthropic::message("Rome")));
    let id = id_of(&respond(&claude, &json!({"model": "m", "input": "Which city?"})).to(&gateway));
    let upstream = Upstream::always(Answer::json(openai::response("Yes").to_string()));
    let asked = json!({"model": "m", "input": "Sure?", "previous_response_id": id}).to_string();
    let reply = Ask::post_at(&upstream, "openai", "/v1/responses", asked).to(&gateway);
    let seen = upstream.last().json();
    assert!(seen.get("previous_response_id").is_none(), "{seen}");
    let input = seen["input"].to_string();
    assert!(["Which city?", "Rome", "Sure?"].iter().all(|words| input.contains(words)), "{input}");
    let kept = about("GET", &format!("/v1/responses/{}", id_of(&reply))).to(&gateway).json();
    assert_eq!(kept["output"][0]["content"][0]["text"], "Yes");
}

#[test]
fn a_config_that_is_wrong_is_said_also_where_answers_are_asked_for() {
    let reply = about("GET", "/v1/responses/resp_1").header("x-ostia-config", "nobody").to(&Gateway::start());
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_str()),
        (400, Some("config_unknown")),
        "{}",
        reply.text()
    );
}
