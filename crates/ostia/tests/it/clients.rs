//! The vendors' official SDKs as clients, each in front of a scripted model of every format. What an SDK asks stands in
//! `tests/clients/`, one script for each; the model refuses with 400 what does not reach it whole, so that a script that
//! gets its answers has also been understood.
//!
//! `cargo verify` installs the SDKs and names the Python that has them in `OSTIA_TEST_PYTHON`.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ostia_testkit::model::{Call, Speech, Told, Turn};
use ostia_testkit::vendor::{anthropic, cohere, gemini, ollama, openai};
use ostia_testkit::{Answer, Request, Step, Upstream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::Gateway;
use crate::programs::{self, PYTHON};
use crate::websockets::tools::{Provider, Socket};

/// Like the image, this has signs in base64 that the alphabet for URLs has not.
const PROOF: &str = "proof1>>>???";
/// The image that the scripts show, in base64.
const IMAGE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4L8UAAAM1ARr46/+zAAAAAElFTkSuQmCC";
const THOUGHTLESS: &str = "Weather in Rome and Oslo? Do not think.";
const CITIES: [&str; 2] = ["Rome", "Oslo"];

#[test]
fn googles_sdk() {
    run("google_genai_sdk.py");
}

#[test]
fn openais_sdk() {
    run("openai_sdk.py");
}

#[test]
fn anthropics_sdk() {
    run("anthropic_sdk.py");
}

#[test]
fn portkeys_sdk_on_what_is_kept() {
    let upstream = Upstream::serve(|request| answer(Speech::Chat, request).unwrap_or_else(|answer| answer));
    let target = format!("{}={}", provider(Speech::Chat), model(Speech::Chat));
    run_with("portkey_sdk.py", &row(Speech::Chat, &upstream.url()), [target]);
}

#[test]
fn openais_sdk_in_realtime() {
    let provider = Provider::serve(realtime);
    let row = format!(
        "  at-realtime: {{base_url: \"{}/v1\", local: true, dialects: [openai_realtime]}}\n",
        provider.url()
    );
    if run_with("openai_realtime_sdk.py", &row, ["at-realtime=gpt-realtime".to_owned()]) {
        let target = provider.last().target;
        assert!(target.ends_with("/v1/realtime?model=gpt-realtime"), "{target}");
    }
}

#[test]
fn pythons_websockets_on_http2() {
    let provider = Provider::echo();
    let row = format!(
        "  at-echo: {{base_url: \"{}/v1\", local: true, dialects: [openai_realtime]}}\n",
        provider.url()
    );
    run_with("websocket_http2.py", &row, ["at-echo=m".to_owned()]);
}

/// A guard, and a model that is told how to judge.
#[test]
fn openais_sdk_on_moderation() {
    let guard = Upstream::serve(|request: &Request| {
        let said = request.text();
        Answer::json(openai::chat(match () {
            () if said.contains("bomb") => "unsafe\nS9",
            () if said.contains("nothing") => "I would rather not.",
            () => "safe",
        }))
    });
    let told = Upstream::serve(|request: &Request| {
        let said = request.json()["messages"].to_string();
        Answer::json(anthropic::message(match () {
            () if said.contains("bomb") => r#"{"categories": ["illicit", "illicit/violent"]}"#,
            () if said.contains("nothing") => "I would rather not.",
            () => r#"{"categories": []}"#,
        }))
    });
    let rows = format!(
        "  at-chat: {{base_url: \"{}\", local: true, dialects: [openai_chat]}}\n  \
           at-messages: {{base_url: \"{}\", local: true, dialects: [anthropic_messages], by_chat: {{openai_moderations: ['*']}}}}\n",
        guard.url(),
        told.url()
    );
    let targets = ["at-chat=llama-guard-4-12b", "at-messages=claude-haiku-4-5"].map(str::to_owned);
    run_with("openai_moderation.py", &rows, targets);
}

/// A service that answers with a job, and a model that sees.
#[test]
fn mistrals_sdk_on_ocr() {
    let service = Upstream::serve(|request: &Request| {
        let own = format!("http://{}/result", request.header("host").unwrap_or_default());
        let result = json!({"status": "succeeded", "analyzeResult": {"modelId": "prebuilt-layout", "content": "# OneTwo", "pages": [
            {"pageNumber": 1, "spans": [{"offset": 0, "length": 5}]}, {"pageNumber": 2, "spans": [{"offset": 5, "length": 3}]}]}});
        match request.method.as_str() {
            "POST" => Answer::empty().status(202).header("operation-location", &own),
            _ => Answer::json(result.to_string()),
        }
    });
    let seer = Upstream::always(Answer::json(openai::chat("<<<PAGE 1>>>\n# One\n<<<PAGE 2>>>\nTwo")));
    let rows = format!(
        "  at-service: {{base_url: \"{}\", local: true, dialects: [azure_analyze]}}\n  \
           at-seer: {{base_url: \"{}\", local: true, dialects: [openai_chat], by_chat: {{mistral_ocr: ['*']}}}}\n",
        service.url(),
        seer.url()
    );
    run_with("mistral_ocr.py", &rows, ["at-service=prebuilt-layout", "at-seer=m"].map(str::to_owned));
}

/// What vendors of sounds and of rankings are asked by their own SDKs, with a key of the gateway's where each shows its own.
#[test]
fn sdks_of_other_vendors() {
    let upstream = Upstream::serve(own_words);
    let row = |id: &str, base: &str| {
        format!("  {id}: {{base_url: \"{}{base}\", api_key: sk-operator}}\n", upstream.url())
    };
    let rows =
        row("elevenlabs", "/v1") + &row("deepgram", "/v1") + &row("cohere", "") + &row("voyage", "/v1");
    let rows = format!("{rows}auth: {{keys: [pk-gateway]}}\n");
    run_with("elevenlabs_sdk.py", &rows, ["elevenlabs=voice-1".to_owned()]);
    run_with("deepgram_sdk.py", &rows, ["deepgram=aura-2-thalia-en".to_owned()]);
    let rankers = || ["cohere=rerank-v4.0-fast", "voyage=rerank-2.5"].map(str::to_owned);
    run_with("cohere_sdk.py", &rows, rankers());
    run_with("voyageai_sdk.py", &rows, rankers());
}

fn own_words(request: &Request) -> Answer {
    let key = request.header("xi-api-key").or(request.header("authorization")).unwrap_or_default();
    assert!(["sk-operator", "Token sk-operator", "Bearer sk-operator"].contains(&&*key), "{key}");
    assert!(!format!("{:?}", request.headers).contains("pk-gateway"), "{request:?}");
    let sound: Vec<u8> = (0..40).flat_map(|_| 0..=255).collect();
    let words = json!([
        {"word": "Hi", "text": "Hi", "start": 0.5, "end": 1.0, "confidence": 0.9, "type": "word"},
        {"word": "Rome.", "text": "Rome.", "start": 1.0, "end": 1.5, "confidence": 0.9, "type": "word"},
    ]);
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match path {
        "/v1/speech-to-text" => Answer::json(
            json!({"language_code": "eng", "language_probability": 1.0, "text": "Hi Rome.", "words": words})
                .to_string(),
        ),
        "/v1/listen" => {
            let heard =
                json!({"alternatives": [{"transcript": "Hi Rome.", "confidence": 0.9, "words": words}]});
            Answer::json(json!({"metadata": {}, "results": {"channels": [heard]}}).to_string())
        }
        "/v1/speak" if query.contains("model=none") => {
            Answer::json(r#"{"err_msg":"No such model."}"#).status(404)
        }
        _ if path.starts_with("/v1/text-to-speech/none") => {
            Answer::json(r#"{"detail":"No such voice."}"#).status(404)
        }
        "/v1/speak" => Answer::with("audio/mpeg", sound),
        _ if path.starts_with("/v1/text-to-speech/voice-1") => Answer::with("audio/mpeg", sound),
        "/v2/rerank" => {
            Answer::json(json!({"id": "r", "results": [{"index": 1, "relevance_score": 0.75}]}).to_string())
        }
        "/v1/rerank" => {
            let results = json!([{"index": 1, "relevance_score": 0.75}]);
            Answer::json(json!({"data": results, "usage": {"total_tokens": 9}}).to_string())
        }
        "/v1/embeddings" => {
            let data = json!([{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]);
            Answer::json(json!({"object": "list", "data": data, "usage": {"total_tokens": 3}}).to_string())
        }
        "/v2/chat" if request.json()["stream"] == true => {
            Answer::stream(cohere::chat_stream(&["Hi ", "there"]))
        }
        "/v2/chat" => Answer::json(cohere::chat("Hi there")),
        "/v2/embed" => Answer::json(cohere::embed(&[&[0.5, 0.25]])),
        other => Answer::json(other).status(404),
    }
}

/// The addresses in its answers are followed to the gateway.
#[test]
fn replicates_sdk() {
    let upstream = Upstream::serve(predictions);
    let row = format!("  replicate: {{base_url: \"{}/v1\", api_key: sk-operator}}\n", upstream.url());
    run_with(
        "replicate_sdk.py",
        &format!("{row}auth: {{keys: [pk-gateway]}}\n"),
        ["replicate=v1".to_owned()],
    );
}

/// The same of a queue.
#[test]
fn fals_sdk() {
    let asked = AtomicUsize::new(0);
    let upstream = Upstream::serve(move |request: &Request| queue(request, &asked));
    let row = format!("  fal: {{base_url: \"{}\", api_key: sk-operator}}\n", upstream.url());
    run_with(
        "fal_sdk.py",
        &format!("{row}auth: {{keys: [pk-gateway]}}\n"),
        ["fal=fal-ai/flux/dev".to_owned()],
    );
}

/// `asked`: how often it was asked how far a request is.
fn queue(request: &Request, asked: &AtomicUsize) -> Answer {
    assert_eq!(request.header("authorization").as_deref(), Some("Key sk-operator"));
    assert!(!format!("{:?}", request.headers).contains("pk-gateway"), "{request:?}");
    let at = format!("http://{}/fal-ai/flux/requests/r1", request.header("host").unwrap_or_default());
    let told = |status: &str| {
        json!({"request_id": "r1", "status": status, "queue_position": 0, "logs": [], "metrics": {}, "response_url": at,
               "status_url": format!("{at}/status"), "cancel_url": format!("{at}/cancel")})
    };
    let path = request.target.split('?').next().unwrap_or_default();
    let answer = match (request.method.as_str(), path) {
        ("POST", "/fal-ai/flux/dev") => told("IN_QUEUE"),
        ("GET", "/fal-ai/flux/requests/r1/status") => {
            told(if asked.fetch_add(1, Ordering::SeqCst) == 0 { "IN_PROGRESS" } else { "COMPLETED" })
        }
        ("GET", "/fal-ai/flux/requests/r1") => {
            json!({"images": [{"url": "https://v3.fal.media/files/a.png"}]})
        }
        ("PUT", "/fal-ai/flux/requests/r1/cancel") => json!({"status": "CANCELLATION_REQUESTED"}),
        _ => return Answer::json(r#"{"detail":"Application not found"}"#).status(404),
    };
    Answer::json(answer.to_string())
}

fn predictions(request: &Request) -> Answer {
    assert_eq!(request.header("authorization").as_deref(), Some("Bearer sk-operator"));
    assert!(!format!("{:?}", request.headers).contains("pk-gateway"), "{request:?}");
    let own = format!("http://{}/v1", request.header("host").unwrap_or_default());
    let prediction = |id: &str, status: &str, input: &Value| {
        let output = (status == "succeeded").then_some("https://replicate.delivery/a.png");
        let at = format!("{own}/predictions/{id}");
        json!({"id": id, "model": "m/m", "version": "v1", "status": status, "input": input, "output": output, "logs": "",
               "error": null, "metrics": {}, "created_at": "2026-01-01T00:00:00Z", "started_at": null, "completed_at": null,
               "urls": {"get": at, "cancel": format!("{at}/cancel")}})
    };
    let answer = match (request.method.as_str(), request.target.as_str()) {
        ("POST", "/v1/predictions") => prediction("p1", "starting", &request.json()["input"]),
        ("GET", "/v1/predictions/p1") => prediction("p1", "succeeded", &json!({})),
        ("POST", "/v1/predictions/p1/cancel") => prediction("p1", "canceled", &json!({})),
        ("GET", "/v1/predictions") => {
            let results = [prediction("p1", "succeeded", &json!({}))];
            json!({"previous": null, "next": format!("{own}/predictions?cursor=cD0y"), "results": results})
        }
        ("GET", "/v1/predictions?cursor=cD0y") => {
            json!({"previous": format!("{own}/predictions"), "next": null, "results": [prediction("p2", "failed", &json!({}))]})
        }
        ("POST", "/v1/files") => {
            json!({"id": "f1", "name": "a.wav", "content_type": "audio/wav", "size": 400, "etag": "e",
               "checksums": {}, "metadata": {}, "created_at": "2026-01-01T00:00:00Z", "expires_at": null,
               "urls": {"get": format!("{own}/files/f1")}})
        }
        _ => return Answer::json(r#"{"title":"Not found","detail":"None","status":404}"#).status(404),
    };
    Answer::json(answer.to_string())
}

/// A session at a provider: what it says to each event.
fn realtime(mut socket: Socket) {
    let say = |socket: &mut Socket, event: &Value| drop(socket.send(Message::text(event.to_string())));
    let session = json!({"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": "gpt-realtime",
                         "output_modalities": ["text"]});
    say(&mut socket, &json!({"type": "session.created", "event_id": "e0", "session": session}));
    while let Ok(Message::Text(text)) = socket.read() {
        let event: Value = serde_json::from_str(&text).unwrap();
        let answers = match event["type"].as_str().unwrap() {
            "session.update" => {
                vec![json!({"type": "session.updated", "event_id": "e1", "session": session})]
            }
            "input_audio_buffer.append" => {
                vec![json!({"type": "input_audio_buffer.committed", "event_id": "e2",
                                                       "item_id": "i", "previous_item_id": null})]
            }
            "response.create" => ["Hi th", "\u{e9}re"]
                .map(|delta| {
                    json!({"type": "response.output_text.delta", "event_id": "e3", "response_id": "r",
                                    "item_id": "i", "output_index": 0, "content_index": 0, "delta": delta})
                })
                .into_iter()
                .chain([json!({"type": "response.done", "event_id": "e4", "response": {
                    "id": "r", "object": "realtime.response", "status": "completed", "output": [],
                    "usage": {"total_tokens": 9, "input_tokens": 5, "output_tokens": 4}}})])
                .collect(),
            _ => continue,
        };
        answers.iter().for_each(|answer| say(&mut socket, answer));
    }
}

/// Runs all cases of a script in front of every format.
fn run(script: &str) {
    let upstreams = Speech::IN_EVENTS.map(|speech| {
        (speech, Upstream::serve(move |request| answer(speech, request).unwrap_or_else(|answer| answer)))
    });
    let rows = upstreams.iter().map(|(speech, upstream)| row(*speech, &upstream.url()));
    let targets = Speech::IN_EVENTS.map(|speech| format!("{}={}", provider(speech), model(speech)));
    run_with(script, &rows.collect::<String>(), targets);
}

/// Runs all cases of a script in front of these targets. `false`: it could not be run.
fn run_with(script: &str, rows: &str, targets: impl IntoIterator<Item = String>) -> bool {
    let Some(python) = programs::python() else { return false };
    let gateway = Gateway::with(&format!("providers:\n{rows}"));
    // Nothing of the surroundings, such as keys and proxies, is for the SDK.
    let output = Command::new(python)
        .env_clear()
        .arg("-B")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .arg(format!("http://{}", gateway.address))
        .args(targets)
        .output()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error}"));
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{script}:\n{said}\nthe gateway:\n{}", gateway.printed());
    true
}

fn provider(speech: Speech) -> String {
    format!("at-{speech:?}").to_lowercase()
}

/// A provider that has all that the format's vendor has.
fn row(speech: Speech, url: &str) -> String {
    let offers = match speech {
        Speech::Chat => "openai_chat, openai_embeddings",
        Speech::Responses => "openai_responses, openai_input_tokens",
        Speech::Messages => "anthropic_messages, anthropic_count_tokens",
        Speech::Gemini => "gemini_generate, gemini_count_tokens, gemini_embed, gemini_batch_embed",
        Speech::Cohere => "cohere_chat, cohere_embed",
        Speech::Converse => "bedrock_converse, bedrock_count_tokens",
        Speech::Ollama => "ollama_chat, openai_embeddings",
    };
    format!("  {}: {{base_url: \"{url}/v1\", local: true, dialects: [{offers}]}}\n", provider(speech))
}

fn model(speech: Speech) -> &'static str {
    match speech {
        Speech::Chat | Speech::Responses => "gpt-5",
        Speech::Messages => "claude-sonnet-4-5",
        Speech::Gemini => "gemini-3-pro-preview",
        Speech::Cohere => "command-a-reasoning-08-2025",
        Speech::Converse => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Speech::Ollama => "qwen3:8b",
    }
}

/// What the vendor's server says to a request, or how it refuses it.
fn answer(speech: Speech, request: &Request) -> Result<Answer, Answer> {
    if let Some(body) = counted(&request.target).or_else(|| embedded(&request.target)) {
        return Ok(Answer::json(body));
    }
    let body = request.json();
    let stream = body["stream"] == true || request.target.contains(":streamGenerateContent");
    let told = speech.read(&body);
    let user = |piece: &Told| matches!(piece, Told::User(text) if text == "Break off");
    if told.iter().any(user) {
        return Ok(broken(&speech.answer(&says("This is never whole."), true)));
    }
    if told.last() == Some(&Told::User("Take your time".into())) {
        // A client has time to say something in the middle of it.
        let answer = speech.answer(&says("Slowly."), stream);
        let middle = answer.body().len() / 2;
        return Ok(answer.split_after(middle, Step::Pause(Duration::from_millis(700))));
    }
    let mut text = body.to_string();
    if speech == Speech::Gemini {
        // Google takes both alphabets of base64, and its SDK writes the one for URLs.
        text = text.replace('-', "+").replace('_', "/");
    }
    let turn = turn(&told, &text, speech.takes_proofs());
    turn.map(|turn| speech.answer(&turn, stream)).map_err(|(status, words)| refusal(speech, status, words))
}

/// What the model says to what it was told, or a status and why not.
fn turn(told: &[Told], body: &str, takes_proofs: bool) -> Result<Turn, (u16, &'static str)> {
    let require = |found: bool, words| if found { Ok(()) } else { Err((400, words)) };
    if let Some(Told::Result(..)) = told.last() {
        let proven = told.contains(&Told::Thought(PROOF.into()))
            || told.first() == Some(&Told::User(THOUGHTLESS.into()));
        require(proven || !takes_proofs, "the thought's proof did not come back")?;
        return Ok(says(&report(told)));
    }
    let Some(Told::User(asked)) = told.last() else { return Err((400, "the last turn is not the user's")) };
    match asked.as_str() {
        "Hello" => Ok(says("Hi thére")),
        "Who are you?" => {
            require(body.contains("You are a sailor."), "no instruction came")?;
            Ok(says("A sailor."))
        }
        "Capital of Italy?" => {
            require(body.contains("population"), "no schema came")?;
            Ok(says(&json!({"name": "Rome", "population": 2_750_000}).to_string()))
        }
        "What is this?" => {
            require(body.contains(IMAGE), "no image came")?;
            Ok(says("A red dot."))
        }
        "Be quick" => {
            let before = [Told::User("Take your time".into()), Told::Said("Slowly.".into())];
            require(told.starts_with(&before), "the conversation did not come whole")?;
            Ok(says("Quickly."))
        }
        "My name is Ada." => Ok(says("Hello Ada.")),
        "What is my name?" => {
            let before = [Told::User("My name is Ada.".into()), Told::Said("Hello Ada.".into())];
            require(told.starts_with(&before), "the conversation did not come whole")?;
            Ok(says("Ada."))
        }
        "Weather in Rome and Oslo?" | THOUGHTLESS => {
            require(body.contains("\"weather\"") && body.contains("\"city\""), "no tool came")?;
            Ok(asks_for_the_weather(asked != THOUGHTLESS))
        }
        "Fail" => Err((429, "slow down")),
        _ => Err((400, "this is no part of the script")),
    }
}

fn says(text: &str) -> Turn {
    Turn { text: Some(text.into()), ..Turn::default() }
}

fn asks_for_the_weather(thinks: bool) -> Turn {
    let call = |city: &str| Call {
        id: format!("call_{city}"),
        namespace: None,
        name: "weather".into(),
        arguments: json!({"city": city}),
    };
    let thought = ("I have to look.".to_owned(), PROOF.to_owned());
    Turn { thought: thinks.then_some(thought), text: None, calls: CITIES.map(call).to_vec() }
}

/// The results by their calls, in the calls' order: `Rome: 21 C, Oslo: 9 C`.
fn report(told: &[Told]) -> String {
    let mut results: Vec<(usize, String)> = told.iter().filter_map(result).collect();
    results.sort();
    let city = |number: usize| CITIES.get(number).copied().unwrap_or("nowhere");
    let lines = results.into_iter().map(|(number, words)| format!("{}: {words}", city(number)));
    lines.collect::<Vec<_>>().join(", ")
}

fn result(piece: &Told) -> Option<(usize, String)> {
    match piece {
        Told::Result(number, words) => Some((*number, words.clone())),
        Told::User(_) | Told::Thought(_) | Told::Said(_) | Told::Called(..) => None,
    }
}

/// The number of tokens, in the words of the vendor that is asked for it.
fn counted(target: &str) -> Option<String> {
    let body = match target {
        _ if target.ends_with("/messages/count_tokens") => json!({"input_tokens": 31}),
        _ if target.ends_with("/responses/input_tokens") => {
            json!({"object": "response.input_tokens", "input_tokens": 31})
        }
        _ if target.ends_with(":countTokens") => json!({"totalTokens": 31}),
        _ => return None,
    };
    Some(body.to_string())
}

/// Two vectors, in the words of the vendor that is asked for them.
fn embedded(target: &str) -> Option<String> {
    let vectors: [&[f64]; 2] = [&[0.5, 0.25], &[1.0, 2.0]];
    match target {
        _ if target.ends_with("/embeddings") => Some(openai::embeddings(&vectors)),
        _ if target.ends_with(":batchEmbedContents") => Some(gemini::batch_embed(&vectors)),
        _ if target.ends_with("/embed") => Some(cohere::embed(&vectors)),
        _ => None,
    }
}

/// The first half of an answer, and then the connection's end.
fn broken(answer: &Answer) -> Answer {
    let body = answer.body();
    Answer::stream(body[..body.len() / 2].to_vec()).then(Step::Cut)
}

fn refusal(speech: Speech, status: u16, words: &str) -> Answer {
    let limited = status == 429;
    let body = match speech {
        Speech::Chat | Speech::Responses if limited => {
            openai::error(words, "rate_limit_error", "rate_limit_exceeded")
        }
        Speech::Chat | Speech::Responses => openai::error(words, "invalid_request_error", "invalid_value"),
        Speech::Messages if limited => anthropic::error("rate_limit_error", words),
        Speech::Messages => anthropic::error("invalid_request_error", words),
        Speech::Gemini if limited => gemini::error(status, "RESOURCE_EXHAUSTED", words),
        Speech::Gemini => gemini::error(status, "INVALID_ARGUMENT", words),
        Speech::Cohere => json!({"id": "e-1", "message": words}).to_string(),
        Speech::Converse => json!({"message": words}).to_string(),
        Speech::Ollama => ollama::error(words),
    };
    Answer::json(body).status(status)
}
