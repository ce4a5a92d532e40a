//! Speech, transcription and translation: forms and sounds, routed as everything that is understood.

use std::time::{Duration, Instant};

use ostia_testkit::{Answer, Framing, Step, Upstream};
use serde_json::json;

use crate::gateway::{Gateway, Setup};
use crate::programs::{self, PYTHON};
use crate::wire::{Ask, Open, Reply};

/// What an upload may add to the gateway's memory, whatever its length.
const GROWTH_KIB_MAX: u64 = 8 << 10;
const LARGE_BYTES: usize = 25 << 20;

/// Two providers that have all of OpenAI's.
fn two(first: &Upstream, second: &Upstream, more: &str) -> Gateway {
    Gateway::with(&providers(&[("first", first), ("second", second)], more))
}

fn providers(all: &[(&str, &Upstream)], more: &str) -> String {
    let row = |(name, upstream): &(&str, &Upstream)| {
        format!(
            "  {name}: {{base_url: \"{}/v1\", local: true, dialects: [openai_chat, openai_speech, openai_transcriptions, \
             openai_translations]}}\n",
            upstream.url()
        )
    };
    format!("{more}\nproviders:\n{}", all.iter().map(row).collect::<String>())
}

/// A form of fields and a file behind them.
fn form(fields: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let field = |(name, text): &(&str, &str)| {
        format!("--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let mut body = fields.iter().map(field).collect::<String>().into_bytes();
    body.extend_from_slice(
        b"--bnd\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n",
    );
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--bnd--\r\n");
    body
}

fn ask(path: &str, body: impl Into<Vec<u8>>) -> Ask {
    Ask::new("POST", path).header("content-type", "multipart/form-data; boundary=bnd").body(body)
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(bytes).collect()
}

fn fallback() -> String {
    let second = json!({"provider": "second", "override_params": {"model": "other", "language": "en"}, "drop_params": ["prompt"]});
    json!({"strategy": {"mode": "fallback"}, "targets": [{"provider": "first"}, second]}).to_string()
}

/// In memory and on disk.
#[test]
fn a_form_follows_a_config_and_is_edited_for_each_target() {
    for bytes in [10, 3 << 20] {
        let first = Upstream::always(Answer::json(r#"{"error":{"message":"no"}}"#).status(500));
        let second = Upstream::always(Answer::json(r#"{"text":"hi"}"#));
        let gateway = two(&first, &second, "");
        let fields = [("model", "whisper-1"), ("prompt", "Ostia"), ("timestamp_granularities[]", "word")];
        let file = noise(bytes);
        let reply = ask("/v1/audio/transcriptions", form(&fields, &file));
        let reply = reply.header("x-ostia-config", &fallback()).to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, r#"{"text":"hi"}"#));
        assert_eq!(reply.header("x-ostia-last-used-option-index"), Some("config.targets[1]"));
        assert_eq!(reply.header("x-ostia-request-body"), None);
        assert!(first.last().body == form(&fields, &file), "as it came");
        let field = |name: &str, text: &str| {
            format!("--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let set = field("language", "en") + &field("model", "other");
        let edited = [set.into_bytes(), form(&[("timestamp_granularities[]", "word")], &file)].concat();
        assert!(second.last().body == edited, "{bytes}: {}", second.last().text());
        assert_eq!(
            second.last().header("content-type").as_deref(),
            Some("multipart/form-data; boundary=bnd")
        );
        assert_eq!(second.last().header("content-length"), Some(second.last().body.len().to_string()));
    }
}

#[test]
fn fields_of_a_form_decide_whom_to_ask() {
    let [first, second] = [0, 1].map(|_| Upstream::always(Answer::json(r#"{"text":"hi"}"#)));
    let gateway = two(&first, &second, "");
    let config = json!({
        "strategy": {"mode": "conditional", "default": "a", "conditions": [
            {"query": {"params.language": {"$eq": "de"}}, "then": "b"},
            {"query": {"params.file.filename": {"$regex": "mp3$"}}, "then": "b"},
        ]},
        "targets": [{"name": "a", "provider": "first"}, {"name": "b", "provider": "second"}],
    });
    for (fields, asked) in [
        (vec![("model", "m"), ("language", "de")], [0, 1]),
        (vec![("model", "m"), ("language", "fr")], [1, 1]),
        (vec![("language", "fr"), ("model", "@second/m")], [1, 2]),
    ] {
        let ask = ask("/v1/audio/translations", form(&fields, b"RIFF"));
        let named = fields.iter().any(|(_, text)| text.starts_with('@'));
        let ask = if named { ask } else { ask.header("x-ostia-config", &config.to_string()) };
        assert_eq!(ask.to(&gateway).status, 200);
        assert_eq!([first.count(), second.count()], asked, "{fields:?}");
    }
    assert_eq!(second.last().body, form(&[("language", "fr"), ("model", "m")], b"RIFF"));
    assert_eq!(second.last().target, "/v1/audio/translations");
}

#[test]
fn a_large_form_is_streamed_where_the_provider_is_known() {
    let upstream = Upstream::always(Answer::json(r#"{"text":"hi"}"#));
    let gateway = two(&upstream, &upstream, "");
    let send = |file: &[u8], named: bool| -> Reply {
        let ask =
            ask("/v1/audio/transcriptions", form(&[("model", if named { "m" } else { "@first/m" })], file));
        let reply = if named { ask.header("x-ostia-provider", "first") } else { ask }.to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, r#"{"text":"hi"}"#));
        reply
    };
    let file = noise(LARGE_BYTES);
    for named in [true, false] {
        send(&noise(2 << 20), named);
        let idle_kib = gateway.resident_kib();
        let reply = send(&file, named);
        let after_kib = gateway.resident_kib();
        assert!(after_kib < idle_kib + GROWTH_KIB_MAX, "{named}: {idle_kib} KiB grew to {after_kib} KiB");
        assert_eq!(reply.header("x-ostia-request-body"), named.then_some("streamed"));
        assert!(upstream.last().body == form(&[("model", "m")], &file));
        assert_eq!(upstream.last().header("content-length"), Some(upstream.last().body.len().to_string()));
    }
}

/// Files of the gateway's that have no name any more.
fn unnamed_files(gateway: &Gateway) -> usize {
    let folder = format!("/proc/{}/fd", gateway.id());
    let links =
        std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.to_string_lossy().ends_with("(deleted)")).count()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_leaves_half_way_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::always(Answer::json(r#"{"text":"hi"}"#));
    let config = providers(&[("first", &upstream)], "");
    let gateway = Setup::new().config(&config).env("TMPDIR", &folder.path().to_string_lossy()).start();
    let bytes = ask("/v1/audio/transcriptions", form(&[("model", "@first/m")], &noise(8 << 20))).bytes();
    let mut open = Open::connect(&gateway);
    open.send(&bytes[..4 << 20]);
    wait_for("nothing was written", || unnamed_files(&gateway) == 1);
    drop(open);
    wait_for("the file is still there", || unnamed_files(&gateway) == 0);
    assert_eq!(upstream.count(), 0);
    assert_eq!(
        ask("/v1/audio/transcriptions", form(&[("model", "@first/m")], &noise(8 << 20))).to(&gateway).status,
        200
    );
    wait_for("the file is still there", || unnamed_files(&gateway) == 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn forms_that_are_none() {
    let upstream = Upstream::always(Answer::json(r#"{"text":"hi"}"#));
    let gateway = two(&upstream, &upstream, "limits: {body_bytes: 2MiB}");
    let check = |ask: Ask, status: u16, words: &str| {
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, status, "{words}: {}", reply.text());
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains(words), "{}", reply.text());
    };
    let good = form(&[("model", "@first/m")], b"RIFF");
    let send = |body: Vec<u8>| ask("/v1/audio/transcriptions", body);
    let typed = |media: &str| send(good.clone()).without("content-type").header("content-type", media);
    check(typed("multipart/form-data"), 400, "name its boundary");
    check(typed("multipart/form-data; boundary=other"), 400, "another boundary");
    check(typed("application/json"), 400, "not valid JSON");
    check(send(br#"{"model":"@first/m"}"#.to_vec()), 400, "it is no form");
    check(send(good[..good.len() - 6].to_vec()), 400, "cut off");
    check(
        send(form(&[("model", "@first/m"), ("model", "@second/m")], b"RIFF")),
        400,
        "several fields `model`",
    );
    check(send(form(&[("model", "@first/m")], &noise(3 << 20))), 413, "limits.body_bytes");
    check(send(form(&[("language", "en")], b"RIFF")).header("x-ostia-provider", "openai"), 401, "key");
    assert_eq!(upstream.count(), 0);
    assert_eq!(send(good).to(&gateway).status, 200);
}

#[test]
fn answers_that_are_no_json() {
    let audio = noise(200_000);
    let sound = audio.clone();
    let good = Upstream::serve(move |request| match request.target.as_str() {
        "/v1/audio/speech" => Answer::with("audio/mpeg", sound.clone()).framing(Framing::Chunked),
        _ => Answer::with("text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,000\nhi\n"),
    });
    // An error with a success, and no answer at all.
    for bad in [Answer::json(r#"{"error":{"message":"no voice"}}"#), Answer::with("audio/mpeg", "")] {
        let bad = Upstream::always(bad);
        let gateway = two(&bad, &good, "");
        let body = json!({"model": "tts-1", "voice": "alloy", "input": "hi"}).to_string();
        let reply = Ask::post("/v1/audio/speech", body).header("x-ostia-config", &fallback()).to(&gateway);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("audio/mpeg")),
            "{}",
            bad.count()
        );
        assert!(reply.body == audio);
        assert_eq!(good.last().json()["model"], "other");
        let fields = [("model", "whisper-1"), ("response_format", "srt")];
        let reply =
            ask("/v1/audio/transcriptions", form(&fields, b"RIFF")).header("x-ostia-provider", "second");
        let reply = reply.to(&gateway);
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(reply.text().starts_with("1\n00:00:00,000"));
    }
}

#[test]
fn streams_of_sounds_and_of_words() {
    let speech = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"UklG\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":\
                  {\"input_tokens\":3,\"output_tokens\":9,\"total_tokens\":12}}\n\n";
    let words = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"hi\"}\n\ndata: {\"type\":\"transcript.text.done\",\
                 \"text\":\"hi\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":3,\"output_tokens\":1,\"total_tokens\":4}}\n\n";
    let upstream = Upstream::serve(move |request| match request.target.as_str() {
        "/v1/audio/speech" => Answer::stream(speech),
        _ if request.text().contains("whisper-1") => Answer::json(r#"{"text":"hi"}"#),
        _ => Answer::stream(words),
    });
    let down = Upstream::always(Answer::empty().first(Step::Reset));
    let gateway = two(&down, &upstream, "");
    let body = json!({"model": "t", "voice": "alloy", "input": "hi", "stream_format": "sse"}).to_string();
    let reply = Ask::post("/v1/audio/speech", body).header("x-ostia-config", &fallback()).to(&gateway);
    assert_eq!((reply.status, reply.text()), (200, speech));
    for (model, expected) in [("gpt-4o-transcribe", words), ("whisper-1", r#"{"text":"hi"}"#)] {
        let body = form(&[("model", model), ("stream", "true")], b"RIFF");
        let reply = ask("/v1/audio/transcriptions", body).header("x-ostia-provider", "second").to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, expected));
    }
}

/// What an upstream said of the file that it got.
fn fields_of(request: &ostia_testkit::Request) -> String {
    let text = request.text();
    let names =
        text.split("form-data; name=\"").skip(1).filter_map(|part| part.split('"').next().map(str::to_owned));
    names.collect::<Vec<_>>().join(" ")
}

/// Vendors with forms of their own, each of them from its own row.
#[test]
fn speech_in_front_of_every_vendor() {
    let sound = noise(100_000);
    let base64 = {
        use base64::Engine as _;
        base64::prelude::BASE64_STANDARD.encode(&sound)
    };
    let part = json!({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64}});
    let google = json!({"candidates": [{"content": {"parts": [part]}}]}).to_string();
    let mistral = json!({"audio_data": base64}).to_string();
    let bytes = |media: &str| Answer::with(media, sound.clone()).framing(Framing::Chunked);
    let voice = "694f9389-aac1-45b6-b726-9d9369183238";
    let gateway = Gateway::start();
    for (provider, model, voice, format, answer, target, key) in [
        (
            "elevenlabs",
            "eleven_v3",
            "nova",
            "mp3",
            bytes("audio/mpeg"),
            "/text-to-speech/EXAVITQu4vr4xnSDxMaL?output_format=mp3_44100_128",
            "xi-api-key",
        ),
        (
            "deepgram",
            "aura-2",
            "thalia",
            "flac",
            bytes("audio/flac"),
            "/speak?model=aura-2-thalia-en&encoding=flac",
            "authorization",
        ),
        ("cartesia", "sonic-3", voice, "pcm", bytes("audio/pcm"), "/tts/bytes", "x-api-key"),
        ("mistral-ai", "voxtral", "x", "mp3", Answer::json(mistral), "/audio/speech", "authorization"),
        (
            "google",
            "tts",
            "Kore",
            "pcm",
            Answer::json(google),
            "/v1beta/models/tts:generateContent",
            "x-goog-api-key",
        ),
        ("groq", "orpheus", "tara", "wav", bytes("audio/wav"), "/audio/speech", "authorization"),
    ] {
        let upstream = Upstream::always(answer);
        let body =
            json!({"model": model, "input": "Hi", "voice": voice, "response_format": format}).to_string();
        let reply = Ask::post_at(&upstream, provider, "/v1/audio/speech", body.clone()).to(&gateway);
        assert_eq!(reply.status, 200, "{provider}: {}", String::from_utf8_lossy(&reply.body));
        assert!(reply.whole && reply.body == sound, "{provider}");
        let media = if format == "mp3" { "audio/mpeg".to_owned() } else { format!("audio/{format}") };
        assert_eq!(reply.header("content-type"), Some(&*media), "{provider}");
        let seen = upstream.last();
        assert_eq!(
            (&*seen.target, seen.header("content-type").as_deref()),
            (target, Some("application/json"))
        );
        assert!(
            seen.header(key).is_some_and(|key| key.ends_with("sk-client")),
            "{provider}: {:?}",
            seen.headers
        );
        if provider == "cartesia" {
            assert_eq!(seen.header("cartesia-version").as_deref(), Some("2025-04-16"));
        }
        if provider == "groq" {
            continue;
        }
        let sse = body.replace("\"input\"", "\"stream_format\":\"sse\",\"input\"");
        let reply = Ask::post_at(&upstream, provider, "/v1/audio/speech", sse).to(&gateway);
        assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"), "{provider}");
        let events: Vec<serde_json::Value> =
            crate::data_of(reply.text()).into_iter().map(crate::json).collect();
        assert_eq!(events.last().unwrap()["type"], "speech.audio.done", "{provider}");
        let mut heard = Vec::new();
        for event in &events[..events.len() - 1] {
            use base64::Engine as _;
            heard.extend(base64::prelude::BASE64_STANDARD.decode(event["audio"].as_str().unwrap()).unwrap());
        }
        assert!(heard == sound, "{provider}: {} bytes", heard.len());
    }
}

#[test]
fn what_a_vendor_says_is_wrong_is_told() {
    let gateway = Gateway::start();
    let ask = |upstream: &Upstream, more: serde_json::Value| {
        let mut body = json!({"model": "eleven_v3", "input": "Hi", "voice": "nova"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = Ask::post_at(upstream, "elevenlabs", "/v1/audio/speech", body.to_string()).to(&gateway);
        (
            reply.status,
            reply.json()["error"]["message"].as_str().unwrap().to_owned(),
            reply.json()["error"]["param"].clone(),
        )
    };
    let told = Answer::json(r#"{"detail":{"status":"voice_not_found","message":"A voice was not found."}}"#)
        .status(404);
    let upstream = Upstream::always(told);
    let (status, message, _) = ask(&upstream, json!({}));
    assert_eq!((status, message.as_str()), (404, "A voice was not found."));
    for (more, param) in [
        (json!({"voice": "nobody"}), "voice"),
        (json!({"response_format": "aac"}), "response_format"),
        (json!({"speed": 9}), "speed"),
    ] {
        let (status, message, named) = ask(&upstream, more);
        assert_eq!((status, named), (400, json!(param)), "{message}");
    }
    assert_eq!(upstream.count(), 1);
    let page = Upstream::always(Answer::with("text/html", "<html><title>Sign in</title></html>"));
    assert_eq!(ask(&page, json!({})).0, 502);
}

#[test]
fn transcripts_in_front_of_every_vendor() {
    let word = |text: &str, start: f64, end: f64| json!({"word": text, "text": text, "start": start, "end": end, "type": "word"});
    let words = json!([word("Hi", 0.5, 1.0), word("Rome.", 1.0, 1.5)]);
    let said = json!({"alternatives": [{"transcript": "Hi Rome.", "words": words}]});
    let deepgram = json!({"metadata": {"duration": 2.0}, "results": {"channels": [said]}});
    let with_words = json!({"text": "Hi Rome.", "duration": 2.0, "words": words});
    let google = json!({"candidates": [{"content": {"parts": [{"text": "Hi Rome."}]}}]});
    let srt = "1\n00:00:00,500 --> 00:00:01,500\nHi Rome.\n\n";
    let gateway = Gateway::start();
    // In memory and on disk.
    for bytes in [1000, 2 << 20] {
        let file = noise(bytes);
        for (provider, answer, target, expected) in [
            (
                "deepgram",
                &deepgram,
                "/listen?model=m&smart_format=true&punctuate=true&utterances=true&detect_language=true",
                "",
            ),
            (
                "elevenlabs",
                &with_words,
                "/speech-to-text",
                "model_id timestamps_granularity tag_audio_events file",
            ),
            ("x-ai", &with_words, "/stt", "file"),
            ("cohere", &with_words, "/v2/audio/transcriptions", "model file"),
            ("google", &google, "/v1beta/models/m:generateContent", ""),
            ("groq", &with_words, "/audio/transcriptions", "model file"),
        ] {
            let upstream = Upstream::always(Answer::json(answer.to_string()));
            let ask = ask("/v1/audio/transcriptions", form(&[("model", "m")], &file)).at(&upstream, provider);
            let reply = ask.to(&gateway);
            assert_eq!(
                (reply.status, &reply.json()["text"]),
                (200, &json!("Hi Rome.")),
                "{provider}: {}",
                reply.text()
            );
            let seen = upstream.last();
            assert!(seen.target.ends_with(target), "{provider}: {}", seen.target);
            assert_eq!(seen.header("content-length"), Some(seen.body.len().to_string()), "{provider}");
            match provider {
                "deepgram" => {
                    assert!(seen.body == file);
                    assert_eq!(seen.header("content-type").as_deref(), Some("audio/wav"));
                }
                "google" => {
                    use base64::Engine as _;
                    let data = &seen.json()["contents"][0]["parts"][1]["inlineData"]["data"];
                    assert!(data == &json!(base64::prelude::BASE64_STANDARD.encode(&file)));
                }
                _ => {
                    assert_eq!(fields_of(&seen), expected, "{provider}");
                    assert!(memchr::memmem::find(&seen.body, &file).is_some(), "{provider}");
                }
            }
            let fields = [("model", "m"), ("response_format", "srt")];
            let reply = self::ask("/v1/audio/transcriptions", form(&fields, &file))
                .at(&upstream, provider)
                .to(&gateway);
            match provider {
                "groq" => {}
                "cohere" | "google" => {
                    assert_eq!(
                        (reply.status, &reply.json()["error"]["param"]),
                        (400, &json!("response_format"))
                    );
                }
                _ => assert_eq!((reply.status, reply.text()), (200, srt), "{provider}"),
            }
        }
    }
}

/// One after the other has to be told in another form, with the same file.
#[test]
fn a_fallback_from_vendor_to_vendor() {
    let down = Upstream::always(Answer::json(r#"{"err_msg":"busy"}"#).status(503));
    let up = Upstream::always(Answer::json(r#"{"text":"hi"}"#));
    let config = format!(
        "providers:\n  deepgram: {{base_url: \"{}/v1\", api_key: k}}\n  x-ai: {{base_url: \"{}/v1\", api_key: k}}\n",
        down.url(),
        up.url()
    );
    let gateway = Gateway::with(&config);
    let targets = json!({"strategy": {"mode": "fallback"}, "targets": [
        {"provider": "deepgram", "override_params": {"model": "nova-3"}},
        {"provider": "x-ai", "retry": {"attempts": 1}},
    ]});
    let file = noise(3 << 20);
    let ask = ask("/v1/audio/transcriptions", form(&[("model", "whisper-1"), ("stream", "true")], &file));
    let reply = ask.header("x-ostia-config", &targets.to_string()).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert!(reply.text().contains(r#"{"type":"transcript.text.done","text":"hi"}"#), "{}", reply.text());
    assert!(down.last().body == file && down.last().target.contains("model=nova-3&"));
    assert!(memchr::memmem::find(&up.last().body, &file).is_some());
}

/// What each vendor's server says to whatever it is asked.
fn scripted(request: &ostia_testkit::Request) -> Answer {
    use base64::Engine as _;
    let sound: Vec<u8> = (0..40).flat_map(|_| 0..=255).collect();
    let base64 = base64::prelude::BASE64_STANDARD.encode(&sound);
    let words = json!([
        {"word": "Hi", "text": "Hi", "start": 0.5, "end": 1.0, "type": "word"},
        {"word": "Rome.", "text": "Rome.", "start": 1.0, "end": 1.5, "type": "word"},
    ]);
    let part = match request.text().contains("responseModalities") {
        true => json!({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64}}),
        false => json!({"text": "Hi Rome."}),
    };
    let path = request.target.split('?').next().unwrap_or_default();
    match path {
        "/mistral/audio/speech" => Answer::json(json!({"audio_data": base64}).to_string()),
        "/groq/audio/speech" | "/deepgram/speak" => {
            Answer::with("audio/wav", sound).framing(Framing::Chunked)
        }
        _ if path.contains("/text-to-speech/") => Answer::with("audio/pcm", sound).framing(Framing::Chunked),
        "/deepgram/listen" => {
            let said = json!({"alternatives": [{"transcript": "Hi Rome.", "words": words}]});
            Answer::json(json!({"results": {"channels": [said]}}).to_string())
        }
        _ if path.ends_with(":generateContent") => {
            Answer::json(json!({"candidates": [{"content": {"parts": [part]}}]}).to_string())
        }
        _ => Answer::json(json!({"text": "Hi Rome.", "words": words}).to_string()),
    }
}

/// OpenAI's own SDK in front of every vendor, by the rows that everybody has.
#[test]
fn openais_sdk() {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::serve(scripted);
    let url = upstream.url();
    let rows = [
        ("groq", "groq"),
        ("elevenlabs", "eleven"),
        ("deepgram", "deepgram"),
        ("google", "google"),
        ("mistral-ai", "mistral"),
        ("x-ai", "xai"),
        ("cohere", "cohere"),
    ];
    let config: String = rows
        .iter()
        .map(|(id, path)| format!("  {id}: {{base_url: \"{url}/{path}\", api_key: k}}\n"))
        .collect();
    let gateway = Gateway::with(&format!("providers:\n{config}"));
    let output = std::process::Command::new(python)
        .env_clear()
        .arg("-B")
        .arg(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openai_audio.py"))
        .arg(format!("http://{}", gateway.address))
        .args(rows.map(|(id, _)| format!("{id}={}", if id == "deepgram" { "aura-2" } else { "m" })))
        .output()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error}"));
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}\nthe gateway:\n{}", gateway.printed());
}
