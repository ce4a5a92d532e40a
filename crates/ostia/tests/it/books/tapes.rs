//! Recorded traffic of real providers, where it is there (`../shared/corpus/dev` beside the repository, or `OSTIA_TEST_CORPUS`): each
//! answer is given once more, and what is kept of it is what the recording says. They are no part of the repository: without
//! them these tests say so, and pass.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use super::ledger::sums;
use crate::gateway::Gateway;
use crate::wire::Ask;

/// Fewer would mean that the files are not read.
const TAPES_MIN: usize = 300;

/// One recorded answer.
#[derive(Debug)]
struct Tape {
    id: String,
    endpoint: String,
    model: String,
    is_stream: bool,
    body: String,
}

/// The recordings of conversations and vectors that were answered, to their end.
fn tapes() -> Option<Vec<Tape>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/dev");
    let folder = std::env::var_os("OSTIA_TEST_CORPUS").map_or_else(beside, PathBuf::from);
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: there are no recordings at {}; set OSTIA_TEST_CORPUS", folder.display());
        return None;
    };
    let mut tapes: Vec<Tape> = files.flatten().filter_map(|file| tape(&file.path())).collect();
    tapes.sort_by(|one, other| one.id.cmp(&other.id));
    assert!(tapes.len() >= TAPES_MIN, "{} in {}", tapes.len(), folder.display());
    Some(tapes)
}

fn tape(path: &std::path::Path) -> Option<Tape> {
    let told: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let endpoint = told["endpoint"].as_str()?;
    let is_stream = told["streaming"] == true;
    let is_whole = told["response_status"] == 200 && (!is_stream || told["stream_complete"] == true);
    let body = told["response_body"].as_str()?;
    // Some hold the answers of several calls.
    let ends = ["\"type\":\"response.completed\"", "\"type\":\"message_stop\""];
    let is_one = ends.iter().all(|end| body.matches(end).count() <= 1);
    if !is_whole || !is_one || front(endpoint).is_none() {
        return None;
    }
    Some(Tape {
        id: path.file_stem()?.to_string_lossy().into_owned(),
        endpoint: endpoint.to_owned(),
        model: told["model"].as_str().unwrap_or("some-model").to_owned(),
        is_stream,
        body: body.to_owned(),
    })
}

/// Who speaks it, and where clients ask for it.
fn front(endpoint: &str) -> Option<(&'static str, &'static str)> {
    Some(match endpoint {
        "openai_chat" => ("openai", "/v1/chat/completions"),
        "openai_responses" => ("openai", "/v1/responses"),
        "openai_embeddings" => ("openai", "/v1/embeddings"),
        "anthropic_messages" => ("anthropic", "/v1/messages"),
        "gemini_generate" => ("google", "/v1beta/models"),
        _ => return None,
    })
}

/// What a client asks there.
fn ask(path: &str, tape: &Tape) -> Ask {
    let words = "say something";
    let messages = json!([{"role": "user", "content": words}]);
    let (model, stream) = (&tape.model, tape.is_stream);
    let body = match path {
        "/v1/responses" => json!({"model": model, "input": words, "stream": stream}),
        "/v1/embeddings" => json!({"model": model, "input": words}),
        "/v1/messages" => json!({"model": model, "messages": messages, "max_tokens": 100, "stream": stream}),
        "/v1beta/models" => json!({"contents": [{"role": "user", "parts": [{"text": words}]}]}),
        _ => json!({"model": model, "messages": messages, "stream": stream}),
    };
    let path = match (path, stream) {
        ("/v1beta/models", true) => format!("{path}/some-model:streamGenerateContent?alt=sse"),
        ("/v1beta/models", false) => format!("{path}/some-model:generateContent"),
        (path, _) => path.to_owned(),
    };
    Ask::post(&path, body.to_string())
}

/// What a recording says: tokens of the prompt, of the answer, and from the cache. Read here by other means than the gateway's.
fn told(tape: &Tape) -> Option<(u64, u64, u64)> {
    let objects: Vec<Value> = match tape.is_stream {
        true => {
            let lines = tape.body.split(['\n', '\r']).filter_map(|line| line.strip_prefix("data:"));
            lines.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
        }
        false => vec![serde_json::from_str(&tape.body).ok()?],
    };
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let last = |of: &dyn Fn(&Value) -> Value| objects.iter().map(of).rfind(Value::is_object);
    match tape.endpoint.as_str() {
        "openai_responses" => {
            let usage = last(&|one| {
                if tape.is_stream { one["response"]["usage"].clone() } else { one["usage"].clone() }
            })?;
            let cached = number(&usage["input_tokens_details"]["cached_tokens"]);
            Some((number(&usage["input_tokens"]), number(&usage["output_tokens"]), cached))
        }
        "anthropic_messages" => {
            let mut all = serde_json::Map::new();
            for usage in objects.iter().flat_map(|one| [&one["message"]["usage"], &one["usage"]]) {
                let told = usage.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
                all.extend(told.map(|(name, value)| (name.clone(), value.clone())));
            }
            let all = Value::Object(all);
            // Several turns are billed together, those of other models apart.
            let turns = all["iterations"].as_array().cloned().unwrap_or_default();
            let model = turns.last().map(|turn| turn["model"].clone());
            let own =
                turns.into_iter().filter(|turn| Some(&turn["model"]) == model.as_ref()).collect::<Vec<_>>();
            let turns = if own.is_empty() { vec![all] } else { own };
            Some(turns.iter().fold((0, 0, 0), |(prompt, completion, cached), turn| {
                let read = number(&turn["cache_read_input_tokens"]);
                let whole =
                    number(&turn["input_tokens"]) + read + number(&turn["cache_creation_input_tokens"]);
                (prompt + whole, completion + number(&turn["output_tokens"]), cached + read)
            }))
        }
        "gemini_generate" => {
            let usage = last(&|one| one["usageMetadata"].clone())?;
            let said = number(&usage["candidatesTokenCount"]) + number(&usage["thoughtsTokenCount"]);
            Some((number(&usage["promptTokenCount"]), said, number(&usage["cachedContentTokenCount"])))
        }
        _ => {
            let usage =
                last(&|one| one["usage"].clone()).or_else(|| last(&|one| one["x_groq"]["usage"].clone()))?;
            let cached = [
                &usage["prompt_tokens_details"]["cached_tokens"],
                &usage["prompt_cache_hit_tokens"],
                &usage["cached_tokens"],
            ];
            let cached = cached.into_iter().find_map(Value::as_u64).unwrap_or_default();
            // Some count vectors by the total alone.
            let whole = usage["total_tokens"].as_u64().filter(|_| tape.endpoint == "openai_embeddings");
            let prompt = usage["prompt_tokens"].as_u64().or(whole).unwrap_or_default();
            Some((prompt, number(&usage["completion_tokens"]), cached))
        }
    }
}

/// Gives each recording to whoever asks for it by the key `tape-N`.
fn replay(tapes: Arc<Vec<Tape>>) -> Upstream {
    Upstream::serve(move |request: &Request| {
        let named =
            ["authorization", "x-api-key", "x-goog-api-key"].iter().find_map(|name| request.header(name));
        let number = named.and_then(|key| key.rsplit("tape-").next()?.parse::<usize>().ok());
        let tape = &tapes[number.expect("the key names a recording")];
        let answer =
            if tape.is_stream { Answer::stream(tape.body.clone()) } else { Answer::json(tape.body.clone()) };
        answer.header("x-request-id", &tape.id)
    })
}

/// Asks for each recording at the path that is chosen for it, and compares.
fn check(choose: fn(&Tape) -> Option<&'static str>) {
    let Some(tapes) = tapes() else { return };
    let (tapes, gateway) = (Arc::new(tapes), Gateway::with("records: {bodies: off}"));
    let upstream = replay(tapes.clone());
    let mut expected = HashMap::new();
    for (number, tape) in tapes.iter().enumerate() {
        let (Some(path), Some((provider, _))) = (choose(tape), front(&tape.endpoint)) else { continue };
        let ask = ask(path, tape)
            .header("x-ostia-custom-host", &upstream.url())
            .header("x-ostia-provider", provider);
        let reply = ask.header("authorization", &format!("Bearer tape-{number}")).to(&gateway);
        // What cannot be told to clients of another format is an error there.
        if reply.status == 200 {
            expected.insert(tape.id.clone(), told(tape));
        }
    }
    let count = tapes.iter().filter(|tape| choose(tape).is_some()).count();
    assert!(expected.len() * 5 >= count * 4, "{} of {count} were answered", expected.len());
    sums(&gateway, count as u64);
    let kept = kept(&gateway);
    let wrong: Vec<String> = expected
        .iter()
        .filter_map(|(id, expected)| {
            let attempt = &kept[id];
            let usage = &attempt["usage"];
            let number = |name: &str| usage[name].as_u64().unwrap_or_default();
            let is_told = usage.is_object() && attempt["usage_estimated"].is_null();
            let told = is_told
                .then(|| (number("prompt_tokens"), number("completion_tokens"), number("cached_tokens")));
            (told != *expected).then(|| format!("{id}: {told:?}, and the recording says {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

/// Attempts by the provider's name of the call.
fn kept(gateway: &Gateway) -> HashMap<String, Value> {
    let attempts = super::ledger::attempts(gateway);
    attempts.into_iter().map(|one| (one["request_id"].as_str().unwrap().to_owned(), one)).collect()
}

#[test]
fn in_the_format_of_the_recording() {
    check(|tape| front(&tape.endpoint).map(|(_, path)| path));
}

#[test]
fn in_another_format() {
    // OpenAI is asked in its older format, so that recordings of the newer one are no answers.
    check(|tape| match tape.endpoint.as_str() {
        "openai_chat" | "gemini_generate" => Some("/v1/messages"),
        "anthropic_messages" => Some("/v1/chat/completions"),
        _ => None,
    });
}
