#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use bytes::Bytes;
use ostia_dialect::form::{Decoder, Form, Piece};
use ostia_dialect::rules::ModelFacts;
use ostia_dialect::{Api, Files, PathParams};
use serde_json::{Value, json};

use super::{
    ApiCall, CannotTake, Content, Outgoing, Prepared, Reading, Recipient, Wanted, Way, goes_as_it_came,
    prepare, way,
};
use crate::{Provider, Providers, Values};

mod refusals;

fn provider(id: &str) -> &'static Provider {
    Providers::builtin().get(id).unwrap()
}

static NO_VALUES: LazyLock<Values> = LazyLock::new(Values::default);

fn recipient(id: &str) -> Recipient<'static> {
    Recipient {
        provider: provider(id),
        base_path: "/base",
        values: &NO_VALUES,
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
    }
}

/// The way of a body in this API to this recipient, and the request.
fn prepared(api: Api, body: &Value, recipient: &Recipient<'_>, is_read: bool) -> (Way, Outgoing) {
    let bytes = Bytes::from(body.to_string());
    let path = (api == Api::GeminiGenerate).then_some(PathParams { model: "gemini-3-pro", stream: true });
    let call = ApiCall::read(api, path, "alt=sse", &bytes, usize::MAX).unwrap();
    let way = way(&call, recipient, is_read).unwrap();
    match prepare(way, &call, recipient, None, &Files::new()).unwrap() {
        Prepared::Request(request) => (way, request),
        estimate => unreachable!("{estimate:?}"),
    }
}

/// The body that is to be sent, before the headers have had their say.
pub(super) fn json_of(prepared: &Outgoing, own: &Bytes) -> Bytes {
    match &prepared.body {
        Content::Own => own.clone(),
        Content::Json(body) => body.clone(),
        Content::Pieces { .. } => unreachable!("{:?}", prepared.body),
    }
}

fn sent(prepared: &Outgoing) -> Option<Value> {
    match &prepared.body {
        Content::Own => None,
        Content::Json(body) => Some(serde_json::from_slice(body).unwrap()),
        Content::Pieces { .. } => unreachable!("{:?}", prepared.body),
    }
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

/// Each vendor's own form, or one of its own that is nearly the client's.
#[test]
fn other_operations_go_where_the_provider_has_them() {
    let check = |api: Api, body: Value, id: &str, name: &str, path: &str| {
        let (way, prepared) = prepared(api, &body, &recipient(id), false);
        let path = format!("/base{path}");
        assert_eq!(
            (way.name(), prepared.path.trim_end_matches("?alt=sse")),
            (name, path.as_str()),
            "{id} {body}"
        );
    };
    let documents = json!({"model": "m", "query": "q", "documents": ["a"]});
    let back = json!({"model": "m", "query": "q", "documents": ["a"], "return_documents": true});
    check(Api::JinaRerank, documents.clone(), "jina", "relay", "/rerank");
    check(Api::JinaRerank, documents.clone(), "cohere", "relay", "/v2/rerank");
    check(Api::JinaRerank, back, "cohere", "translation", "/v2/rerank");
    check(Api::JinaRerank, documents.clone(), "bedrock", "translation", "/model/m/invoke");
    check(Api::CohereRerank, documents, "voyage", "translation", "/rerank");
    let top = json!({"model": "m", "query": "q", "documents": ["a"], "top_k": 1});
    check(Api::JinaRerank, top, "voyage", "relay", "/rerank");
    let input = json!({"model": "m", "input": "a"});
    check(Api::OpenaiEmbeddings, input.clone(), "voyage", "relay", "/embeddings");
    check(Api::OpenaiEmbeddings, input.clone(), "nomic", "translation", "/embedding/text");
    check(Api::OpenaiModerations, json!({"input": "a"}), "openai", "relay", "/moderations");
    check(Api::OpenaiModerations, input, "mistral-ai", "translation", "/moderations");
    let prompt = json!({"model": "m", "prompt": "a"});
    check(Api::OpenaiImages, json!({"prompt": "a"}), "openai", "relay", "/images/generations");
    check(Api::OpenaiImages, prompt.clone(), "together-ai", "relay", "/v1/images/generations");
    check(Api::OpenaiImages, prompt, "google", "translation", "/v1beta/models/m:generateContent");
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
    assert!(matches!(plain.answer, Reading::AsItIs { api: Api::OpenaiChat, wanted: Wanted::Whole, .. }));
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
        let fault = prepare(way, &call, &recipient(id), None, &Files::new()).unwrap_err();
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
    let prepared = prepare(way, &call, &recipient("groq"), None, &Files::new()).unwrap();
    assert_eq!(way.name(), "count");
    let is_there = |prepared: &Prepared| matches!(prepared, Prepared::Estimate { request, .. } if request.estimated_tokens() > 1);
    assert!(is_there(&prepared), "{prepared:?}");
}

#[test]
fn an_answer_that_typed_clients_do_not_understand_is_read() {
    let messages = json!([{"role": "user", "content": "a"}]);
    let check = |more: Value, stream: bool, include_usage: bool| {
        let mut body = json!({"model": "m", "messages": messages});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (way, prepared) = prepared(Api::OpenaiChat, &body, &recipient("together-ai"), false);
        assert_eq!((way, sent(&prepared)), (Way::Repair, None), "{more}");
        let Reading::Conversation(read) = prepared.answer else { unreachable!("{:?}", prepared.answer) };
        assert_eq!((read.model.as_str(), read.stream, read.include_usage), ("m", stream, include_usage));
    };
    check(json!({}), false, false);
    check(json!({"stream": true}), true, false);
    check(json!({"stream": true, "stream_options": {"include_usage": true}}), true, true);
    check(json!({"stream": true, "stream_options": {"include_usage": false}}), true, false);
}

/// What is sent when a client's own body is relayed to a model with rules, with the config's parameters.
#[test]
fn a_relayed_body_fits_the_model_and_the_config() {
    let check =
        |own: Value, defaults: Value, over: Value, drop: &[&str], expected: Value, dropped: &[&str]| {
            let messages = json!([{"role": "user", "content": "a"}]);
            let (mut body, mut whole) = (json!({"messages": messages}), json!({"messages": messages}));
            body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            whole.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
            let drop: Vec<String> = drop.iter().map(|path| (*path).to_owned()).collect();
            let to = Recipient {
                default_params: defaults.as_object(),
                override_params: over.as_object(),
                drop_params: &drop,
                ..recipient("openai")
            };
            let (_, prepared) = prepared(Api::OpenaiChat, &body, &to, false);
            assert_eq!(sent(&prepared).unwrap_or(body), whole, "{own}");
            assert_eq!(prepared.dropped, dropped, "{own}");
        };
    let none = Value::Null;
    // The limit of tokens has one name at a model of OpenAI's that thinks, whoever set it.
    check(
        json!({"model": "o3", "max_tokens": 5}),
        none.clone(),
        none.clone(),
        &[],
        json!({"model": "o3", "max_completion_tokens": 5}),
        &[],
    );
    check(
        json!({"model": "o3", "max_tokens": 5, "max_completion_tokens": 6}),
        none.clone(),
        none.clone(),
        &[],
        json!({"model": "o3", "max_completion_tokens": 6}),
        &[],
    );
    check(
        json!({"model": "gpt-4o"}),
        json!({"max_tokens": 7, "top_p": 0.5}),
        none.clone(),
        &[],
        json!({"model": "gpt-4o", "top_p": 0.5, "max_tokens": 7}),
        &[],
    );
    check(
        json!({"model": "gpt-4o", "max_tokens": 9, "top_p": 0.1}),
        json!({"max_tokens": 7, "top_p": 0.5}),
        json!({"max_tokens": 8}),
        &["top_p", "seed"],
        json!({"model": "gpt-4o", "max_tokens": 8}),
        &[],
    );
    // An effort that the model does not have becomes its nearest.
    check(
        json!({"model": "o3", "reasoning_effort": "minimal"}),
        none.clone(),
        none.clone(),
        &[],
        json!({"model": "o3", "reasoning_effort": "low"}),
        &["reasoning_effort"],
    );
    check(
        json!({"model": "o3", "temperature": 0.2}),
        none.clone(),
        none,
        &[],
        json!({"model": "o3"}),
        &["temperature"],
    );
}

#[test]
fn an_effort_in_an_object_stays_there() {
    let body = json!({"model": "o3", "input": "a", "reasoning": {"effort": "minimal", "summary": "auto"}});
    let (_, prepared) = prepared(Api::OpenaiResponses, &body, &recipient("openai"), false);
    let sent = sent(&prepared).unwrap();
    assert_eq!(sent["reasoning"], json!({"effort": "low", "summary": "auto"}));
    assert_eq!(prepared.dropped, ["reasoning.effort"]);
}

#[test]
fn chat_fills_in_the_middle_where_that_is_asked_for() {
    let body = json!({"model": "codestral-latest", "messages": [{"role": "user", "content": "a"}]});
    let to = Recipient { fills_in_the_middle: true, ..recipient("mistral-ai") };
    let (_, prepared) = prepared(Api::OpenaiChat, &body, &to, false);
    assert_eq!(prepared.path, "/base/fim/completions?alt=sse");
}

#[test]
fn the_rest_of_an_answer_is_asked_for_behind_its_beginning() {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9,
                      "messages": [{"role": "user", "content": "Count."}]});
    let bytes = Bytes::from(body.to_string());
    let call = ApiCall::read(Api::AnthropicMessages, None, "", &bytes, usize::MAX).unwrap();
    let to = recipient("anthropic");
    let way = way(&call, &to, true).unwrap();
    let Prepared::Request(prepared) = prepare(way, &call, &to, Some("one, two"), &Files::new()).unwrap()
    else {
        unreachable!("a request")
    };
    let text = sent(&prepared).unwrap()["messages"].to_string();
    assert!(text.contains("one, two"), "{text}");
}

#[test]
fn a_provider_counts_the_tokens_of_other_vendors_clients() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "some words"}]});
    let to = Recipient { model: Some("gemini-3-pro"), ..recipient("google") };
    let read = |answer: &str| {
        let (way, prepared) = prepared(Api::AnthropicCountTokens, &body, &to, false);
        let path = "/base/v1beta/models/gemini-3-pro:countTokens";
        assert_eq!((way.name(), prepared.path.as_str()), ("count", path));
        assert_eq!(prepared.without, ["anthropic-version", "anthropic-beta"]);
        assert!(sent(&prepared).unwrap().to_string().contains("some words"));
        let Reading::Whole { reader, .. } = prepared.answer else { unreachable!("{:?}", prepared.answer) };
        reader.read(answer.as_bytes())
    };
    let (answer, _) = read(r#"{"totalTokens": 7}"#).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap(), json!({"input_tokens": 7}));
    let fault = read(r#"{"totalTokens": "many"}"#).unwrap_err();
    assert!(fault.message.contains("whole number"), "{}", fault.message);
}

/// What stands otherwise in a cloud's bodies, where a call is relayed and where it is translated.
#[test]
fn a_cloud_has_its_version_in_place_of_the_model() {
    let (claude, _) = provider("vertex-ai").for_model("claude-sonnet-4-5", &Values::default());
    let to = Recipient { provider: claude, ..recipient("vertex-ai") };
    let chat = json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "a"}], "max_tokens": 9});
    for (api, way) in [(Api::AnthropicMessages, "relay"), (Api::OpenaiChat, "translation")] {
        let (taken, prepared) = prepared(api, &chat, &to, false);
        let sent = sent(&prepared).unwrap();
        assert_eq!((taken.name(), &sent["anthropic_version"]), (way, &json!("vertex-2023-10-16")), "{sent}");
        assert_eq!((sent.get("model"), &sent["max_tokens"]), (None, &json!(9)), "{sent}");
    }
}

/// Ollama passes over in the APIs that it copies what is its own: a request that has some of that is told in its own API.
#[test]
fn what_only_ollamas_own_api_reads_is_told_there() {
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
    let messages = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]});
    let responses = json!({"model": "m", "input": "a"});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]});
    let check = |api: Api, body: &Value, more: Value, way: &str, path: &str| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for id in ["ollama", "ollama-cloud"] {
            let is_offered = provider(id).offers(api) || way == "translation";
            let (taken, prepared) = prepared(api, &body, &recipient(id), false);
            let found = (taken.name(), prepared.path.trim_end_matches("?alt=sse"));
            assert!(!is_offered || found == (way, path), "{id} {more}: {found:?}");
        }
    };
    let (v1, own) = ("/base/v1/chat/completions", "/base/api/chat");
    let none = json!({});
    check(Api::OpenaiChat, &chat, none.clone(), "relay", v1);
    check(
        Api::OpenaiChat,
        &chat,
        json!({"temperature": 0, "reasoning_effort": "low", "seed": 1}),
        "relay",
        v1,
    );
    check(Api::OpenaiChat, &chat, json!({"options": null, "think": null}), "relay", v1);
    for more in [
        json!({"options": {"num_ctx": 8192}}),
        json!({"keep_alive": "10m"}),
        json!({"think": false}),
        json!({"num_ctx": 8192}),
        json!({"min_p": 0.1}),
        json!({"top_k": 40}),
        json!({"format": "json"}),
    ] {
        check(Api::OpenaiChat, &chat, more, "translation", own);
    }
    check(Api::AnthropicMessages, &messages, json!({"top_k": 40}), "relay", "/base/v1/messages");
    check(Api::AnthropicMessages, &messages, json!({"keep_alive": -1}), "translation", own);
    check(Api::OpenaiResponses, &responses, none.clone(), "translation", v1);
    check(Api::OpenaiResponses, &responses, json!({"reasoning": {"effort": "low"}}), "translation", v1);
    check(Api::OpenaiResponses, &responses, json!({"reasoning": {"effort": "none"}}), "translation", own);
    check(Api::OpenaiResponses, &responses, json!({"num_ctx": 8192}), "translation", own);
    check(Api::GeminiGenerate, &gemini, none, "translation", v1);
    check(Api::GeminiGenerate, &gemini, json!({"generationConfig": {"topK": 40}}), "translation", own);
    let off = json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}});
    check(Api::GeminiGenerate, &gemini, off, "translation", own);
}

/// What the operator says for all clients counts as if they said it, and an operator's bound of tokens is not got around.
#[test]
fn a_config_may_speak_to_ollama_too() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "options": {"num_predict": 9999}});
    let (default, set) = (json!({"options": {"num_ctx": 1}, "keep_alive": "1h"}), json!({"max_tokens": 5}));
    let to = Recipient {
        default_params: default.as_object(),
        override_params: set.as_object(),
        ..recipient("ollama")
    };
    let (_, prepared) = prepared(Api::OpenaiChat, &body, &to, false);
    let body = sent(&prepared).unwrap();
    assert_eq!((&body["options"], &body["keep_alive"]), (&json!({"num_predict": 5}), &json!("1h")));
    assert_eq!(prepared.dropped, ["options.num_predict"]);
    let plain = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
    let (_, prepared) = self::prepared(Api::OpenaiChat, &plain, &to, false);
    assert_eq!(sent(&prepared).unwrap()["options"], json!({"num_predict": 5, "num_ctx": 1}));
    let to = recipient("ollama");
    let (_, prepared) = self::prepared(Api::OpenaiChat, &plain, &to, false);
    assert_eq!(sent(&prepared), None, "relayed as it is");
}

/// Files at addresses: what has to be fetched for whom, and that relays are told anew where a row says that they have to be.
#[test]
fn files_are_fetched_for_who_takes_bytes_only() {
    let url = "https://a.example/x.png";
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]});
    let image = json!({"type": "image", "source": {"type": "url", "url": url}});
    let messages =
        json!({"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": [image]}]});
    let words = json!({"model": "m", "messages": [{"role": "user", "content": url}]});
    let vertex = provider("vertex-ai").for_model("claude-x", &NO_VALUES).0;
    let check = |api: Api, body: &Value, provider: &Provider, name: &str, is_fetched: bool| {
        let bytes = Bytes::from(body.to_string());
        // As deep as it is read where it is relayed.
        let call = ApiCall::read(api, None, "", &bytes, 1).unwrap();
        let to = Recipient { provider, ..recipient("openai") };
        let way = way(&call, &to, false).unwrap();
        assert_eq!(way.name(), name, "{} {body}", provider.id);
        let remotes = match prepare(way, &call, &to, None, &Files::new()).unwrap() {
            Prepared::Fetch(remotes) => remotes,
            _ => Vec::new(),
        };
        assert_eq!(remotes.iter().any(|remote| remote.url == url), is_fetched, "{} {body}", provider.id);
        let files: Files =
            remotes.iter().map(|remote| (remote.url.clone(), Ok(remote.stand_in().into()))).collect();
        let Prepared::Request(request) = prepare(way, &call, &to, None, &files).unwrap() else {
            unreachable!("{}", provider.id)
        };
        let has_address = String::from_utf8_lossy(&json_of(&request, &bytes)).contains(url);
        assert_eq!(has_address, !is_fetched, "{} {body}", provider.id);
    };
    check(Api::OpenaiChat, &chat, provider("openai"), "relay", false);
    check(Api::OpenaiChat, &chat, provider("anthropic"), "translation", false);
    check(Api::OpenaiChat, &chat, provider("google"), "translation", false);
    check(Api::OpenaiChat, &chat, provider("bedrock"), "translation", true);
    check(Api::OpenaiChat, &chat, provider("ollama"), "translation", true);
    check(Api::OpenaiChat, &chat, provider("moonshot"), "translation", true);
    check(Api::OpenaiChat, &words, provider("moonshot"), "relay", false);
    check(Api::AnthropicMessages, &messages, provider("anthropic"), "relay", false);
    check(Api::AnthropicMessages, &messages, vertex, "translation", true);
    check(Api::AnthropicMessages, &messages, provider("bedrock"), "translation", true);
}

/// A form with a model and a file, as it is read while it comes.
fn form(model: &str) -> Form {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--b--\r\n"
    );
    let mut decoder = Decoder::new("b");
    decoder.push(body.as_bytes(), &mut |_, _| {}).unwrap();
    decoder.finish().unwrap()
}

#[test]
fn a_form_is_written_anew_only_where_it_changes() {
    let form = form("m");
    let fields = Bytes::from(form.to_json());
    let set = json!({"language": "en", "response_format": "srt"});
    let check = |to: &Recipient<'_>, expected: Option<&str>, wanted: Wanted| {
        let call = ApiCall::read_form(Api::OpenaiTranscriptions, "", &form, &fields).unwrap();
        let way = way(&call, to, false).unwrap();
        let Prepared::Request(request) = prepare(way, &call, to, None, &Files::new()).unwrap() else {
            unreachable!()
        };
        assert_eq!((way, request.path.as_str()), (Way::Relay, "/base/audio/transcriptions"));
        match (request.body, expected) {
            (Content::Own, None) => {}
            (Content::Pieces { content_type, pieces }, Some(expected)) => {
                assert_eq!(content_type, "multipart/form-data; boundary=b");
                assert_eq!(pieces[1], Piece::File(0));
                let Piece::Bytes(first) = &pieces[0] else { unreachable!("{pieces:?}") };
                assert!(String::from_utf8_lossy(first).contains(expected), "{pieces:?}");
            }
            (body, expected) => unreachable!("{body:?}, {expected:?}"),
        }
        assert!(matches!(request.answer, Reading::AsItIs { wanted: found, .. } if found == wanted));
    };
    check(&recipient("openai"), None, Wanted::Whole);
    // Its spellings are of conversations.
    check(&recipient("groq"), None, Wanted::Whole);
    let renamed = Recipient { model: Some("other"), ..recipient("openai") };
    check(&renamed, Some("name=\"model\"\r\n\r\nother\r\n"), Wanted::Whole);
    let set = Recipient { override_params: set.as_object(), ..recipient("openai") };
    check(&set, Some("name=\"response_format\"\r\n\r\nsrt\r\n"), Wanted::Bytes);
}

#[test]
fn what_goes_as_it_came_whatever_it_says() {
    let check = |to: &Recipient<'_>, expected: bool| {
        assert_eq!(goes_as_it_came(Api::OpenaiTranscriptions, to), expected, "{}", to.provider.id);
    };
    check(&recipient("openai"), true);
    check(&recipient("groq"), true);
    check(&recipient("deepgram"), false);
    check(&recipient("anthropic"), false);
    check(&Recipient { model: Some("m"), ..recipient("openai") }, false);
    let set = json!({"language": "en"});
    check(&Recipient { default_params: set.as_object(), ..recipient("openai") }, false);
    check(&Recipient { drop_params: &["prompt".to_owned()], ..recipient("openai") }, false);
}

#[test]
fn guards_judge_where_nobody_else_does() {
    let body = |model: &str| json!({"model": model, "input": ["a", "b"], "user": "u"});
    let (way, request) =
        prepared(Api::OpenaiModerations, &body("meta-llama/llama-guard-4-12b"), &recipient("groq"), false);
    assert_eq!(
        (way, request.api, request.path.as_str()),
        (Way::ByChat, Api::OpenaiChat, "/base/chat/completions")
    );
    let sent = sent(&request).unwrap();
    assert_eq!(sent["messages"], json!([{"role": "user", "content": "a"}]));
    assert_eq!((request.more.len(), request.dropped), (1, vec!["user".to_owned()]));
    assert!(matches!(request.answer, Reading::Whole { api: Api::OpenaiChat, .. }));
    // Any other model of the same provider is asked at the path that it may have copied, and one with an API of its own there.
    let check = |model: &str, id: &str, expected: Way| {
        assert_eq!(
            prepared(Api::OpenaiModerations, &body(model), &recipient(id), false).0,
            expected,
            "{model} at {id}"
        );
    };
    check("llama-3.3-70b", "groq", Way::Relay);
    check("llama-guard-4", "openai", Way::Relay);
    check("llama-guard3:8b", "ollama", Way::ByChat);
    // What the guard is not shown is told in the client's words; that it is asked at a temperature of 0 is not the client's wish.
    let image = json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
    let turns = json!([{"role": "assistant", "content": [{"type": "text", "text": "a"}, image]}]);
    let shown = json!({"model": "llama-guard-4", "input": turns});
    let without = vec!["temperature".to_owned()];
    let mut provider = provider("groq").clone();
    provider.body.entry(Api::OpenaiChat).or_default().drop = without;
    let to = Recipient { provider: &provider, ..recipient("groq") };
    let (_, request) = prepared(Api::OpenaiModerations, &shown, &to, false);
    assert_eq!(request.dropped, ["input[0].content[1]"]);
}

#[test]
fn models_that_a_row_names_judge_and_read() {
    let mut provider = provider("anthropic").clone();
    let all = |pattern: &str| vec![pattern.to_owned()];
    provider.by_chat.insert(Api::OpenaiModerations, all("claude-haiku-*"));
    provider.by_chat.insert(Api::MistralOcr, all("*"));
    let recipient = Recipient { provider: &provider, ..recipient("anthropic") };
    let body = json!({"model": "claude-haiku-4-5", "input": "a"});
    let (way, request) = prepared(Api::OpenaiModerations, &body, &recipient, false);
    assert_eq!((way, request.path.as_str()), (Way::ByChat, "/base/messages"));
    let pdf = json!({"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0="});
    let body = json!({"model": "claude-haiku-4-5", "document": pdf, "id": "x"});
    let (way, request) = prepared(Api::MistralOcr, &body, &recipient, false);
    assert_eq!((way, request.dropped.as_slice()), (Way::ByChat, &["id".to_owned()][..]));
    assert_eq!(sent(&request).unwrap()["messages"][0]["content"][0]["type"], "document");
    let png = json!({"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo=", "document_name": "a.png"});
    let named = json!({"model": "claude-haiku-4-5", "document": png});
    let (_, request) = prepared(Api::MistralOcr, &named, &recipient, false);
    assert_eq!(request.dropped, ["document.document_name"]);
    // What the model is known not to take is told in the client's words.
    let blind = Recipient { cannot_take: CannotTake { pdf: true, ..CannotTake::default() }, ..recipient };
    let bytes = Bytes::from(body.to_string());
    let call = ApiCall::read(Api::MistralOcr, None, "", &bytes, 1).unwrap();
    let fault = prepare(Way::ByChat, &call, &blind, None, &Files::new()).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("document")));
    assert!(fault.message.starts_with("Invalid `document`: the model"), "{fault}");
    // Nothing is said of other models.
    let bytes = Bytes::from(json!({"model": "claude-opus-4-6", "input": "a"}).to_string());
    let call = ApiCall::read(Api::OpenaiModerations, None, "", &bytes, 1).unwrap();
    assert_eq!(
        super::way(&call, &recipient, false).unwrap_err().code.as_deref(),
        Some("unsupported_operation")
    );
}

#[test]
fn replicates_models_are_asked_by_their_paths() {
    let body =
        json!({"model": "meta/meta-llama-3-8b-instruct", "messages": [{"role": "user", "content": "a"}]});
    let (way, request) = prepared(Api::OpenaiChat, &body, &recipient("replicate"), false);
    assert_eq!(way.name(), "translation");
    assert_eq!(request.path, "/base/models/meta/meta-llama-3-8b-instruct/predictions");
    assert_eq!(sent(&request), Some(json!({"input": {"prompt": "a"}})));
    assert_eq!(request.headers, [("prefer", "wait".to_owned())]);
}

#[test]
fn azure_is_told_pages_in_the_query() {
    let body = json!({"model": "prebuilt-layout", "pages": [0], "document": {"document_url": "https://example.com/a.pdf"}});
    let mut values = Values::default();
    values.insert("azure_api_version", "2024-11-30");
    let recipient = Recipient { values: &values, ..recipient("azure-document-intelligence") };
    let (way, request) = prepared(Api::MistralOcr, &body, &recipient, false);
    assert_eq!((way, request.api), (Way::Translate(Api::AzureAnalyze), Api::AzureAnalyze));
    assert_eq!(
        request.path,
        "/base/documentintelligence/documentModels/prebuilt-layout:analyze?api-version=2024-11-30&outputContentFormat=markdown\
         &stringIndexType=unicodeCodePoint&pages=1"
    );
}

#[test]
fn a_model_is_told_as_what_it_is() {
    let messages = json!([{"role": "user", "content": "a"}]);
    let body = json!({"model": "prod", "messages": messages, "max_tokens": 9, "temperature": 0.2});
    let check = |base_model: Option<&'static str>, is_read: bool, expected: Value| {
        let to = Recipient { base_model, ..recipient("openai") };
        let (_, request) = prepared(Api::OpenaiChat, &body, &to, is_read);
        assert_eq!(sent(&request).unwrap_or_else(|| body.clone()), expected, "{is_read}");
    };
    check(None, false, body.clone());
    let mut told = json!({"model": "prod", "messages": messages, "max_completion_tokens": 9});
    // Relayed, and told anew.
    check(Some("gpt-5"), false, told.clone());
    check(Some("gpt-5"), true, told.clone());
    told["temperature"] = json!(0.2);
    check(None, true, told);
}
