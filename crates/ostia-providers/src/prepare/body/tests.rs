#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use ostia_dialect::frame::Framing;
use ostia_dialect::rules::ModelFacts;
use ostia_dialect::{Api, Files};
use serde_json::{Value, json};

use crate::prepare::tests::json_of;
use crate::prepare::{
    ApiCall, CannotTake, Outgoing, Prepared, Reading, Recipient, Way, finish, prepare, way,
};
use crate::{Providers, Values};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// What a call of this API with these headers becomes at the cloud: its way, the request, its headers and its body.
fn sent(api: Api, body: &str, betas: &[&str]) -> (Way, Outgoing, HeaderMap, Value) {
    let bytes = Bytes::from(body.to_owned());
    let values = Values::default();
    let call = ApiCall::read(api, None, "beta=true", &bytes, usize::MAX).unwrap();
    let provider = Providers::builtin().get("bedrock").unwrap();
    let (provider, _) = provider.for_model(call.model().unwrap(), &values);
    let to = Recipient {
        provider,
        base_path: "",
        values: &values,
        model: None,
        override_params: None,
        default_params: None,
        drop_params: &[],
        checks_body: true,
        is_one_of_several: false,
        base_model: None,
        facts: ModelFacts::default(),
        cannot_take: CannotTake::default(),
        fills_in_the_middle: false,
    };
    let way = way(&call, &to, false).unwrap();
    let Prepared::Request(mut prepared) = prepare(way, &call, &to, None, &Files::new()).unwrap() else {
        unreachable!()
    };
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    let own = prepared.headers.iter().map(|(_, value)| value.clone());
    let betas: Vec<String> = betas.iter().map(|beta| (*beta).to_owned()).chain(own).collect();
    for beta in betas {
        headers.append(HeaderName::from_static("anthropic-beta"), HeaderValue::from_str(&beta).unwrap());
    }
    prepared.without.iter().for_each(|name| {
        headers.remove(*name);
    });
    let body = json_of(&prepared, &bytes);
    let body = finish(&mut prepared, provider, body, &mut headers).unwrap();
    (way, prepared, headers, serde_json::from_slice(&body).unwrap())
}

/// A Messages request with these fields too.
fn messages(model: &str, more: Value) -> Value {
    let mut body = json!({"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": "a"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_messages_client_of_anthropics_models_is_relayed() {
    let body = r#"{"model":"MODEL", "stream":true, "max_tokens":99,"messages":[{"role":"user","content":"a"}],"new_field":1.0}"#;
    for (model, path) in [
        (CLAUDE, "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        ("anthropic.claude-v2", "anthropic.claude-v2"),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x",
            "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.anthropic.claude-x",
        ),
        (
            "arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fanthropic.claude-x",
            "arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fanthropic.claude-x",
        ),
    ] {
        let (way, prepared, headers, sent) = sent(Api::AnthropicMessages, &body.replace("MODEL", model), &[]);
        assert_eq!(way, Way::Relay, "{model}");
        assert_eq!(prepared.path, format!("/model/{path}/invoke-with-response-stream"));
        let expected = json!({"max_tokens": 99, "messages": [{"role": "user", "content": "a"}], "new_field": 1.0,
                              "anthropic_version": "bedrock-2023-05-31"});
        assert_eq!(sent, expected);
        assert!(headers.is_empty() && prepared.dropped.is_empty(), "{headers:?} {:?}", prepared.dropped);
        assert!(matches!(prepared.answer, Reading::AsItIs { framing: Framing::AwsChunks, .. }));
    }
}

#[test]
fn others_go_through_converse() {
    let check = |api: Api, body: Value| {
        let (way, prepared, ..) = sent(api, &body.to_string(), &[]);
        assert!(
            matches!(way, Way::Converse(_)) && prepared.path.ends_with("/converse"),
            "{body}: {}",
            prepared.path
        );
    };
    let chat = json!({"model": CLAUDE, "messages": [{"role": "user", "content": "a"}]});
    check(Api::OpenaiChat, chat);
    check(Api::OpenaiResponses, json!({"model": CLAUDE, "input": "a"}));
    let search = json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]});
    // What is not known to be Anthropic's, and what only Converse has a word for.
    for (model, more) in [
        ("amazon.nova-lite-v1:0", json!({})),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", json!({})),
        (CLAUDE, json!({"guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}})),
        (CLAUDE, json!({"mcp_servers": []})),
        (CLAUDE, search),
    ] {
        check(Api::AnthropicMessages, messages(model, more));
    }
    let image = json!([{"role": "user", "content": [
        {"type": "image", "source": {"type": "url", "url": "s3://bucket/a.png"}}, {"type": "text", "text": "a"}]}]);
    check(Api::AnthropicMessages, messages(CLAUDE, json!({"messages": image})));
}

/// Words of a conversation and of schemas are no types.
#[test]
fn words_decide_nothing() {
    let schema =
        json!({"type": "object", "properties": {"url": {"type": "string"}, "file": {"type": ["string"]}}});
    let text = r#"{"type":"url"} web_search_x "type": "file""#;
    let more = json!({"messages": [{"role": "user", "content": text}], "tools": [{"name": "f", "input_schema": schema}]});
    let (way, ..) = sent(Api::AnthropicMessages, &messages(CLAUDE, more).to_string(), &[]);
    assert_eq!(way, Way::Relay);
}

#[test]
fn what_has_to_be_told_anew_is_told_in_the_clients_dialect() {
    let more = json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}], "stream": true});
    let body = messages("anthropic.claude-3-haiku-20240307-v1:0", more).to_string();
    let (way, prepared, headers, sent) = sent(Api::AnthropicMessages, &body, &["context-1m-2025-08-07"]);
    assert!(matches!(way, Way::Converse(_)));
    assert!(prepared.path.ends_with("/invoke-with-response-stream"), "{}", prepared.path);
    let Reading::Conversation(read) = prepared.answer else { unreachable!() };
    assert_eq!(read.framing, Framing::AwsChunks);
    assert_eq!(
        (sent.get("model"), sent.get("stream"), &sent["anthropic_version"], &sent["anthropic_beta"]),
        (None, None, &json!("bedrock-2023-05-31"), &json!(["context-1m-2025-08-07"]))
    );
    assert!(headers.is_empty(), "{headers:?}");
}

/// Betas of headers and body are one list, without those that are refused.
#[test]
fn betas_stand_in_the_body() {
    let check = |own: Value, betas: &[&str], expected: Value, dropped: &[&str]| {
        let body = messages(CLAUDE, own).to_string();
        let (_, prepared, headers, sent) = sent(Api::AnthropicMessages, &body, betas);
        assert_eq!(sent.get("anthropic_beta").cloned().unwrap_or(Value::Null), expected, "{betas:?}");
        assert_eq!(
            (prepared.dropped.as_slice(), headers.len()),
            (dropped.iter().map(|name| format!("anthropic-beta.{name}")).collect::<Vec<_>>().as_slice(), 0)
        );
    };
    check(json!({}), &[], Value::Null, &[]);
    check(json!({}), &["a-1, b-2", "a-1"], json!(["a-1", "b-2"]), &[]);
    check(json!({"anthropic_beta": ["b-2"]}), &["a-1,b-2"], json!(["b-2", "a-1"]), &[]);
    check(json!({}), &["oauth-2025-04-20"], Value::Null, &["oauth-2025-04-20"]);
    check(
        json!({"anthropic_beta": ["mcp-client-2025-04-04"]}),
        &["advanced-tool-use-2025-11-20,context-management-2025-06-27"],
        json!(["tool-search-tool-2025-10-19", "context-management-2025-06-27"]),
        &["mcp-client-2025-04-04"],
    );
}

#[test]
fn what_is_refused_is_left_out_and_told() {
    let check = |more: Value, path: &str, expected: Value| {
        let (way, prepared, _, sent) = sent(Api::AnthropicMessages, &messages(CLAUDE, more).to_string(), &[]);
        assert_eq!((way, prepared.dropped), (Way::Relay, vec![path.to_owned()]));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&sent[name], value, "{path}");
        }
        assert!(!sent.to_string().contains("scope") && sent.get(path).is_none(), "{sent}");
    };
    check(json!({"service_tier": "auto"}), "service_tier", json!({}));
    check(json!({"inference_geo": "us"}), "inference_geo", json!({}));
    check(json!({"speed": "fast"}), "speed", json!({}));
    check(json!({"cache_control": {"type": "ephemeral"}}), "cache_control", json!({}));
    let tool = |more: Value| {
        let mut tool = json!({"name": "f", "input_schema": {"type": "object"}});
        tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"tools": [tool]})
    };
    check(tool(json!({"eager_input_streaming": true})), "tools[*].eager_input_streaming", tool(json!({})));
    let (scoped, plain) = (json!({"type": "ephemeral", "scope": "global"}), json!({"type": "ephemeral"}));
    check(
        tool(json!({"cache_control": scoped})),
        "tools[*].cache_control.scope",
        tool(json!({"cache_control": plain})),
    );
    let system = |mark: &Value| json!({"system": [{"type": "text", "text": "s", "cache_control": mark}]});
    check(system(&scoped), "system[*].cache_control.scope", system(&plain));
    let said = |mark: &Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "s", "cache_control": mark}]}]});
    check(said(&scoped), "messages[*].content[*].cache_control.scope", said(&plain));
}

#[test]
fn tokens_are_counted_as_the_model_would_be_invoked() {
    let check = |more: Value, max_tokens: u64| {
        let mut body = messages(CLAUDE, more);
        body.as_object_mut().unwrap().remove("max_tokens");
        let (way, prepared, headers, sent) =
            sent(Api::AnthropicCountTokens, &body.to_string(), &["context-1m-2025-08-07"]);
        assert_eq!(way.name(), "count");
        // Tokens are counted by the model, not by its profile.
        assert_eq!(prepared.path, "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens");
        let inside = BASE64_STANDARD.decode(sent["input"]["invokeModel"]["body"].as_str().unwrap()).unwrap();
        let inside: Value = serde_json::from_slice(&inside).unwrap();
        body.as_object_mut().unwrap().remove("model");
        let own = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": max_tokens, "anthropic_beta": ["context-1m-2025-08-07"]});
        body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        assert_eq!(inside, body);
        assert!(headers.is_empty());
        let Reading::Whole { reader, .. } = prepared.answer else { unreachable!() };
        assert_eq!(reader.read(br#"{"inputTokens": 7}"#).unwrap().0, br#"{"input_tokens":7}"#);
    };
    let default = ostia_dialect::rules::Rules::of(ostia_dialect::Dialect::AnthropicMessages, CLAUDE)
        .output_tokens_default;
    check(json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}), default);
    check(json!({"thinking": {"type": "enabled", "budget_tokens": 100_000}}), 100_001.max(default));
    // Of others, and with what InvokeModel refuses, by Converse as before.
    for (model, more) in [("amazon.nova-lite-v1:0", json!({})), (CLAUDE, json!({"mcp_servers": []}))] {
        let (_, _, _, sent) = sent(Api::AnthropicCountTokens, &messages(model, more).to_string(), &[]);
        assert!(sent["input"]["converse"].is_object(), "{sent}");
    }
}

/// Names of fields in a body may be escaped, and values may be anything.
#[test]
fn odd_bodies_break_nothing() {
    for more in [
        json!({"anthropic_beta": "x"}),
        json!({"anthropic_beta": [1, null, "a-1"]}),
        json!({"anthropic_beta": null}),
    ] {
        let (_, _, _, sent) =
            sent(Api::AnthropicMessages, &messages(CLAUDE, more.clone()).to_string(), &["b-2"]);
        let last = sent["anthropic_beta"].as_array().unwrap().last().unwrap();
        assert_eq!(last, "b-2", "{more}");
    }
}
