//! Every provider of the table times every way to converse and to embed: what the row says it has arrives at a server that holds
//! the request against its vendor's rules, with the key where the row puts it, and the answer comes back in the client's words.

use ostia_providers::{Provider, Providers, SettingKind};
use ostia_testkit::event_stream::part;
use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::{anthropic, bedrock, cohere, gemini, ollama, openai, replicate};
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::Ask;

const KEY: &str = "key-for-the-matrix";
const WORDS: &str = "the answer";

/// A client's way to ask: path, body, and where the answer's words are.
const CLIENTS: [(&str, &str, &str); 4] = [
    (
        "/v1/chat/completions",
        r#"{"model":"m","max_tokens":2000,"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}]}"#,
        "/choices/0/message/content",
    ),
    (
        "/v1/responses",
        r#"{"model":"m","store":false,"max_output_tokens":2000,"instructions":"s","input":"x"}"#,
        "/output/0/content/0/text",
    ),
    (
        "/v1/messages",
        r#"{"model":"m","max_tokens":2000,"system":"s","messages":[{"role":"user","content":"x"}]}"#,
        "/content/0/text",
    ),
    (
        "/v1beta/models/m:generateContent",
        r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#,
        "/candidates/0/content/parts/0/text",
    ),
];

/// The vendor that a request is meant for, by where it went and what it looks like.
fn vendor(request: &Request) -> Option<Vendor> {
    let path = request.target.split('?').next().unwrap_or_default();
    let (ends, has) = (|end: &str| path.ends_with(end), |part: &str| path.contains(part));
    match () {
        () if has("enerateContent") => Some(Vendor::Google),
        () if has("/converse") => Some(Vendor::Bedrock),
        () if ends("/messages") || has("awPredict") || has("/invoke") => Some(Vendor::Anthropic),
        () if ends("/responses") => Some(Vendor::OpenAiResponses),
        () if ends("/api/chat") => Some(Vendor::Ollama),
        () if ends("/v2/chat") => None,
        // OpenAI's newer word: whoever takes it follows OpenAI.
        () if request.json().get("max_completion_tokens").is_some() => Some(Vendor::OpenAiChat),
        () => Some(Vendor::Compatible),
    }
}

fn answer(request: &Request) -> Answer {
    if let Some(answer) = replicate::serve(request, WORDS) {
        return answer;
    }
    let is_embedding = request.json().get("messages").is_none() && !request.target.contains("enerateContent");
    if is_embedding && let Some(answer) = vectors(request) {
        return answer;
    }
    let is_stream = request.json()["stream"] == true || request.target.contains("tream");
    let Some(vendor) = vendor(request) else {
        return match is_stream {
            true => Answer::stream(cohere::chat_stream(&[WORDS])),
            false => Answer::json(cohere::chat(WORDS)),
        };
    };
    if let Err(refusal) = vendor.check(request, "") {
        return vendor.refuse(&refusal);
    }
    match is_stream {
        true if request.target.ends_with("/invocations-response-stream") => {
            let parts =
                openai::chat_stream(&[WORDS]).as_bytes().chunks(50).flat_map(part).collect::<Vec<_>>();
            Answer::with(bedrock::STREAM, parts)
        }
        true => streamed(vendor),
        false => whole(vendor),
    }
}

fn streamed(vendor: Vendor) -> Answer {
    match vendor {
        Vendor::Google => Answer::stream(gemini::generate_stream(&[WORDS])),
        Vendor::Bedrock => Answer::with(bedrock::STREAM, bedrock::converse_stream(&[WORDS])),
        Vendor::Anthropic | Vendor::Invoke => Answer::stream(anthropic::message_stream(&[WORDS])),
        Vendor::OpenAiResponses => Answer::stream(openai::response_stream(WORDS)),
        Vendor::Ollama => Answer::json_lines(ollama::chat_stream(&[WORDS])),
        Vendor::OpenAiChat | Vendor::Compatible => Answer::stream(openai::chat_stream_with_usage(&[WORDS])),
    }
}

fn whole(vendor: Vendor) -> Answer {
    Answer::json(match vendor {
        Vendor::Google => gemini::generate(WORDS),
        Vendor::Bedrock => bedrock::converse(WORDS),
        Vendor::Anthropic | Vendor::Invoke => anthropic::message(WORDS),
        Vendor::OpenAiResponses => openai::response(WORDS).to_string(),
        Vendor::Ollama => ollama::chat(WORDS),
        Vendor::OpenAiChat | Vendor::Compatible => openai::chat(WORDS),
    })
}

/// One vector, in the form that belongs to what was asked; nothing where no vectors were asked for.
fn vectors(request: &Request) -> Option<Answer> {
    let (body, target) = (request.json(), request.target.as_str());
    let answer = match () {
        () if target.contains(":embedContent") => gemini::embed(&[0.5]),
        () if target.contains(":batchEmbedContents") => gemini::batch_embed(&[&[0.5]]),
        () if target.ends_with("/embedding/text") => json!({"embeddings": [[0.5]]}).to_string(),
        () if target.ends_with("/cortex/inference:embed") => {
            json!({"data": [{"index": 0, "embedding": [[0.5]]}]}).to_string()
        }
        () if target.ends_with("/v2/embed") => cohere::embed(&[&[0.5]]),
        () if body.get("instances").is_some() => {
            json!({"predictions": [{"embeddings": {"values": [0.5], "statistics": {"token_count": 1}}}]})
                .to_string()
        }
        () if body.get("instructions").is_none()
            && body.get("input").is_some_and(|input| *input == json!("e")) =>
        {
            openai::embeddings(&[&[0.5]])
        }
        () => return None,
    };
    Some(Answer::json(answer))
}

/// Whom to ask: the provider at the test's server, with a key and all that it may need besides.
fn config(provider: &Provider, upstream: &Upstream) -> Value {
    let mut config = json!({"provider": provider.id, "api_key": KEY, "custom_host": upstream.url()});
    for (name, setting) in &provider.settings {
        let value = match setting.kind {
            SettingKind::Text | SettingKind::Label => "set1".to_owned(),
            SettingKind::Url => upstream.url(),
        };
        if !setting.optional && setting.default.is_none() {
            config[name] = json!(value);
        }
    }
    config
}

/// All that anybody answers for: but those that are switched off, and those that would give a token for the key first (`sign_in`
/// tries these).
fn providers() -> impl Iterator<Item = &'static Provider> {
    let is_asked = |provider: &&Provider| provider.retired.is_none() && !provider.auth.exchanges_keys();
    Providers::builtin().iter().filter(is_asked)
}

fn ask(gateway: &Gateway, upstream: &Upstream, provider: &Provider, path: &str, body: &str) -> (u16, Value) {
    let ask = Ask::post(path, body).header("x-ostia-config", &config(provider, upstream).to_string());
    let reply = ask.to(gateway);
    (reply.status, reply.json())
}

/// The key is where the row says, once, and nothing of the gateway's own comes along.
fn check_head(provider: &Provider, seen: &Request) {
    let of_key = seen.headers.iter().filter(|(_, value)| value.contains(KEY)).count()
        + usize::from(seen.target.contains(KEY));
    assert_eq!(
        of_key,
        usize::from(provider.auth != ostia_providers::Auth::None),
        "{}: {seen:?}",
        provider.id
    );
    let is_ours = |name: &str| name.starts_with("x-ostia") || name.starts_with("x-portkey");
    let ours = seen.headers.iter().find(|(name, value)| is_ours(name) && !value.contains(KEY));
    assert_eq!(ours, None, "{}", provider.id);
}

#[test]
fn each_converses_with_each_client() {
    let upstream = Upstream::serve(answer);
    let gateway = Gateway::start();
    let (mut tried, mut failures) = (0, Vec::new());
    for provider in providers() {
        let converses = provider.dialects().next().is_some();
        for (path, body, place) in CLIENTS {
            let before = upstream.count();
            let (status, told) = ask(&gateway, &upstream, provider, path, body);
            let (id, asked) = (&provider.id, upstream.count() - before);
            if !converses {
                assert_eq!((status, asked), (400, 0), "{id} {path}: {told}");
                continue;
            }
            if (status, asked) != (200, 1) || told.pointer(place) != Some(&json!(WORDS)) {
                failures.push(format!("{id} {path}: {status}, asked {asked} times: {told}"));
                continue;
            }
            check_head(provider, &upstream.last());
            tried += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tried > 500, "{tried}");
}

#[test]
fn each_streams() {
    let upstream = Upstream::serve(answer);
    let gateway = Gateway::start();
    let body =
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "x"}]}).to_string();
    let mut failures = Vec::new();
    for provider in providers() {
        if provider.dialects().next().is_none() {
            continue;
        }
        let ask = Ask::post("/v1/chat/completions", body.as_str());
        let reply = ask.header("x-ostia-config", &config(provider, &upstream).to_string()).to(&gateway);
        let text = reply.text();
        if reply.status != 200 || !text.contains(WORDS) || !text.ends_with("data: [DONE]\n\n") {
            failures.push(format!("{}: {} {text}", provider.id, reply.status));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_that_embeds_does() {
    let upstream = Upstream::serve(answer);
    let gateway = Gateway::start();
    let mut tried = 0;
    for provider in providers() {
        let embeds =
            |api: &ostia_dialect::Api| matches!(api.operation(), ostia_dialect::Operation::Embeddings(_));
        if !provider.apis.iter().any(embeds) {
            continue;
        }
        let (status, told) =
            ask(&gateway, &upstream, provider, "/v1/embeddings", r#"{"model":"m","input":"e"}"#);
        assert_eq!(status, 200, "{}: {told}", provider.id);
        assert_eq!(told.pointer("/data/0/embedding/0"), Some(&json!(0.5)), "{}: {told}", provider.id);
        check_head(provider, &upstream.last());
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}
