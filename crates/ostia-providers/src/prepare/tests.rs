#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use ostia_dialect::{Api, PathParams};
use serde_json::{Value, json};

use super::{ApiCall, Outgoing, Prepared, Reading, Recipient, Wanted, Way, prepare, way};
use crate::{Provider, Providers};

fn provider(id: &str) -> &'static Provider {
    Providers::builtin().get(id).unwrap()
}

fn recipient(id: &str) -> Recipient<'static> {
    Recipient {
        provider: provider(id),
        base_path: "/base",
        model: None,
        override_params: None,
        default_params: None,
        drop_params: &[],
        checks_body: true,
        is_one_of_several: false,
        fills_in_the_middle: false,
    }
}

/// The way of a body in this API to this recipient, and the request.
fn prepared(api: Api, body: &Value, recipient: &Recipient<'_>, is_read: bool) -> (Way, Outgoing) {
    let bytes = Bytes::from(body.to_string());
    let path = (api == Api::GeminiGenerate).then_some(PathParams { model: "gemini-3-pro", stream: true });
    let call = ApiCall::read(api, path, "alt=sse", &bytes, usize::MAX).unwrap();
    let way = way(&call, recipient, is_read).unwrap();
    match prepare(way, &call, recipient, None).unwrap() {
        Prepared::Request(request) => (way, request),
        estimate => unreachable!("{estimate:?}"),
    }
}

fn sent(prepared: &Outgoing) -> Option<Value> {
    prepared.body.as_ref().map(|body| serde_json::from_slice(body).unwrap())
}

#[test]
fn the_way_follows_provider_api_and_need() {
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
    let messages = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]});
    let responses = json!({"model": "m", "input": "a"});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]});
    let check = |api: Api, body: &Value, id: &str, is_read: bool, name: &str, path: &str| {
        let (way, prepared) = prepared(api, body, &recipient(id), is_read);
        assert_eq!((way.name(), prepared.path.as_str()), (name, path), "{} at {id}", api.name());
    };
    check(Api::OpenaiChat, &chat, "openai", false, "relay", "/base/chat/completions?alt=sse");
    check(Api::OpenaiChat, &chat, "openai", true, "translation", "/base/chat/completions");
    check(Api::OpenaiChat, &chat, "anthropic", false, "translation", "/base/messages");
    check(Api::AnthropicMessages, &messages, "anthropic", false, "relay", "/base/messages?alt=sse");
    check(Api::AnthropicMessages, &messages, "groq", false, "translation", "/base/chat/completions");
    check(
        Api::AnthropicCountTokens,
        &messages,
        "anthropic",
        false,
        "relay",
        "/base/messages/count_tokens?alt=sse",
    );
    check(Api::OpenaiResponses, &responses, "openai", false, "relay", "/base/responses?alt=sse");
    check(Api::OpenaiResponses, &responses, "mistral", false, "translation", "/base/chat/completions");
    let of_model = "/base/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse";
    check(Api::GeminiGenerate, &gemini, "google", false, "relay", of_model);
    let embed = json!({"model": "m", "input": "a"});
    check(Api::OpenaiEmbeddings, &embed, "openai", false, "relay", "/base/embeddings?alt=sse");
    check(Api::OpenaiEmbeddings, &embed, "cohere", false, "translation", "/base/v2/embed");
}

#[test]
fn what_no_provider_has_is_refused() {
    let bytes = Bytes::from_static(br#"{"model":"m","input":"a"}"#);
    let call = ApiCall::read(Api::OpenaiEmbeddings, None, "", &bytes, 1).unwrap();
    let fault = way(&call, &recipient("anthropic"), false).unwrap_err();
    assert_eq!(fault.code.as_deref(), Some("unsupported_operation"));
    assert!(fault.message.contains("anthropic_messages"), "{}", fault.message);
}

#[test]
fn a_relayed_body_is_the_clients_own_unless_a_config_says_more() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "seed": 1});
    let (_, plain) = prepared(Api::OpenaiChat, &body, &recipient("openai"), false);
    assert_eq!(sent(&plain), None);
    assert!(matches!(plain.answer, Reading::AsItIs(Wanted::Whole)));
    let (set, dropped) = (json!({"top_p": 0.5}), ["seed".to_owned()]);
    let to = Recipient {
        model: Some("other"),
        override_params: set.as_object(),
        drop_params: &dropped,
        ..recipient("openai")
    };
    let (_, edited) = prepared(Api::OpenaiChat, &body, &to, false);
    let expected = json!({"model": "other", "messages": [{"role": "user", "content": "a"}], "top_p": 0.5});
    assert_eq!(sent(&edited), Some(expected));
}

#[test]
fn a_translated_request_takes_the_configs_words_and_knows_the_way_back() {
    let body = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true},
                      "messages": [{"role": "user", "content": "a"}], "logit_bias": {"1": 2}});
    let to = Recipient { model: Some("claude-sonnet-5"), ..recipient("anthropic") };
    let (_, prepared) = prepared(Api::OpenaiChat, &body, &to, false);
    let sent = sent(&prepared).unwrap();
    assert_eq!((&sent["model"], &sent["stream"]), (&json!("claude-sonnet-5"), &json!(true)));
    assert_eq!(prepared.dropped, ["logit_bias"]);
    let Reading::Conversation(conversation) = prepared.answer else { unreachable!("{:?}", prepared.answer) };
    assert_eq!(
        (conversation.model.as_str(), conversation.stream, conversation.include_usage),
        ("claude-sonnet-5", true, true)
    );
    assert!(prepared.without.is_empty());
}

#[test]
fn a_call_without_a_model_is_refused_before_anybody_is_asked() {
    let check = |api: Api, id: &str, body: &Value, param: &str| {
        let bytes = Bytes::from(body.to_string());
        let call = ApiCall::read(api, None, "", &bytes, usize::MAX).unwrap();
        let way = way(&call, &recipient(id), false).unwrap();
        let fault = prepare(way, &call, &recipient(id), None).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}");
    };
    let messages = json!([{"role": "user", "content": "a"}]);
    check(Api::OpenaiChat, "openai", &json!({"messages": messages}), "model");
    check(Api::OpenaiChat, "anthropic", &json!({"messages": messages}), "model");
    check(Api::OpenaiChat, "openai", &json!({"model": "portkey-default", "messages": messages}), "model");
    check(Api::OpenaiChat, "openai", &json!({"model": "m", "messages": []}), "messages");
    check(Api::OpenaiEmbeddings, "openai", &json!({"model": "m"}), "input");
}

#[test]
fn tokens_that_nobody_counts_are_estimated() {
    let bytes = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"some words"}]}"#);
    let call = ApiCall::read(Api::AnthropicCountTokens, None, "", &bytes, usize::MAX).unwrap();
    let way = way(&call, &recipient("groq"), false).unwrap();
    let prepared = prepare(way, &call, &recipient("groq"), None).unwrap();
    assert_eq!(way.name(), "count");
    assert!(matches!(prepared, Prepared::Estimate { tokens: 1.., .. }), "{prepared:?}");
}
