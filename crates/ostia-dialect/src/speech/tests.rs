#![allow(clippy::unwrap_used, clippy::panic)]
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::Api;
use crate::Files;
use crate::api::{Asked, MediaAnswer, MediaReader, Told};
use crate::form::Piece;
use crate::test_support::answered;

fn told(api: Api, body: &Value) -> Result<Told, Fault> {
    let body = body.to_string();
    let asked = Asked {
        api: Api::OpenaiSpeech,
        path_model: "",
        model: None,
        body: body.as_bytes(),
        inputs_max: None,
    };
    (TRANSLATOR.translate)(asked, None, &Files::new(), api)
}

fn sent(told: &Told) -> Value {
    let [Piece::Bytes(body)] = told.body.as_slice() else { panic!("{told:?}") };
    serde_json::from_slice(body).unwrap()
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[track_caller]
fn check(api: Api, body: Value, (in_path, query): (&str, &str), expected: Value, dropped: &[&str]) {
    let told = told(api, &body).unwrap();
    assert_eq!((told.api, &*told.in_path, &*told.query), (api, in_path, query));
    assert_eq!((sent(&told), &told.dropped), (expected, &dropped.iter().map(ToString::to_string).collect()));
}

#[test]
fn what_vendors_are_told() {
    let ask = |model: &str, more: Value| with(json!({"model": model, "input": "Hi", "voice": "nova"}), more);
    check(
        Api::ElevenlabsSpeech,
        ask("eleven_flash_v2_5", json!({"speed": 1.1, "instructions": "calm", "x": 1})),
        ("EXAVITQu4vr4xnSDxMaL", "output_format=mp3_44100_128"),
        json!({"text": "Hi", "model_id": "eleven_flash_v2_5", "voice_settings": {"speed": 1.1}}),
        &["instructions", "x"],
    );
    check(
        Api::ElevenlabsSpeech,
        ask("m", json!({"voice": {"id": "JBFqnCBsd6RMkjVDRZzb"}, "speed": 1, "response_format": "wav"})),
        ("JBFqnCBsd6RMkjVDRZzb", "output_format=pcm_24000"),
        json!({"text": "Hi", "model_id": "m"}),
        &[],
    );
    for (model, voice, expected) in [
        ("aura-2", "nova", "aura-2-luna-en"),
        ("aura-2", "thalia", "aura-2-thalia-en"),
        ("aura-2", "estrella-es", "aura-2-estrella-es"),
        ("aura-2", "aura-2-thalia-en", "aura-2-thalia-en"),
        ("aura", "Zeus", "aura-zeus-en"),
        ("aura-2-thalia-en", "thalia", "aura-2-thalia-en"),
    ] {
        let query = format!("model={expected}&encoding=linear16&container=none&sample_rate=24000");
        let body = ask(model, json!({"voice": voice, "response_format": "pcm"}));
        check(Api::DeepgramSpeak, body, ("", &query), json!({"text": "Hi"}), &[]);
    }
    check(
        Api::DeepgramSpeak,
        ask("aura-asteria-en", json!({"speed": 0.9})),
        ("", "model=aura-asteria-en&encoding=mp3&speed=0.9"),
        json!({"text": "Hi"}),
        &["voice"],
    );
    let voice = "694f9389-aac1-45b6-b726-9d9369183238";
    check(
        Api::CartesiaBytes,
        ask("sonic-3", json!({"voice": voice, "speed": 1.5})),
        ("", ""),
        json!({
            "model_id": "sonic-3", "transcript": "Hi", "voice": {"mode": "id", "id": voice},
            "output_format": {"container": "mp3", "sample_rate": 44100, "bit_rate": 128_000},
            "generation_config": {"speed": 1.5},
        }),
        &[],
    );
    check(
        Api::MistralSpeech,
        ask("v", json!({"voice": "en_paul_neutral", "response_format": "flac", "speed": 2})),
        ("", ""),
        json!({"model": "v", "input": "Hi", "voice_id": "en_paul_neutral", "response_format": "flac"}),
        &["speed"],
    );
    let own = json!({"model": "v", "input": "Hi", "voice_id": "x", "stream": false});
    check(Api::MistralSpeech, own.clone(), ("", ""), own, &[]);
    check(
        Api::GeminiGenerate,
        ask("tts", json!({"instructions": "Say cheerfully", "voice": "puck"})),
        ("tts", ""),
        json!({
            "contents": [{"role": "user", "parts": [{"text": "Say cheerfully:\nHi"}]}],
            "generationConfig": {
                "responseModalities": ["AUDIO"],
                "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}}},
            },
        }),
        &[],
    );
}

#[test]
fn what_cannot_be_given_is_refused_by_name() {
    use Api::{CartesiaBytes, DeepgramSpeak, ElevenlabsSpeech, GeminiGenerate, MistralSpeech};
    let check = |api: Api, more: Value, param: &str, words: &str| {
        let body = with(json!({"model": "aura-2", "input": "Hi", "voice": "alloy"}), more);
        let fault = told(api, &body).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{body}: {}", fault.message);
        assert!(fault.message.contains(words), "{}", fault.message);
    };
    check(GeminiGenerate, json!({"response_format": "mp3"}), "response_format", "ask for `wav` or `pcm`");
    check(ElevenlabsSpeech, json!({"response_format": "flac"}), "response_format", "does not give `flac`");
    check(CartesiaBytes, json!({"response_format": "opus"}), "response_format", "`opus`");
    check(MistralSpeech, json!({"response_format": "aac"}), "response_format", "`aac`");
    check(DeepgramSpeak, json!({"response_format": "mp4"}), "response_format", "`mp4`");
    check(GeminiGenerate, json!({"voice": "rachel"}), "voice", "Kore");
    check(ElevenlabsSpeech, json!({"voice": "rachel"}), "voice", "20 letters");
    check(ElevenlabsSpeech, json!({"voice": "../../models/x123456"}), "voice", "no voice");
    check(CartesiaBytes, json!({}), "voice", "UUID");
    check(DeepgramSpeak, json!({"voice": "thalia&x=1"}), "voice", "no voice");
    check(DeepgramSpeak, json!({"model": "aura-2-thalia-en", "voice": "zeus"}), "voice", "its name says");
    check(DeepgramSpeak, json!({"model": "a&b"}), "model", "a&b");
    check(ElevenlabsSpeech, json!({"speed": 2}), "speed", "0.7 to 1.2");
    check(ElevenlabsSpeech, json!({"speed": "fast"}), "speed", "number");
    check(ElevenlabsSpeech, json!({"input": ""}), "input", "empty");
    check(ElevenlabsSpeech, json!({"stream_format": "x"}), "stream_format", "`audio` or `sse`");
    check(ElevenlabsSpeech, json!({"voice": 3}), "voice", "a string");
}

fn whole(api: Api, more: Value, answer: &Value) -> Result<MediaAnswer, Fault> {
    let body = with(json!({"model": "m", "input": "Hi", "voice": "alloy"}), more);
    let MediaReader::Whole(read) = told(api, &body)?.reader else { panic!("it passes") };
    read(answer.to_string().as_bytes()).map(answered)
}

#[test]
fn sounds_in_json() {
    let samples = [1, 0, 2, 0];
    let google = |parts: Value| {
        json!({
            "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 9},
        })
    };
    let part = json!({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": BASE64_STANDARD.encode(samples)}});
    let answer = whole(Api::GeminiGenerate, json!({}), &google(json!([part]))).unwrap();
    assert_eq!(answer.content_type, "audio/wav");
    assert_eq!(
        (&answer.body[..4], &answer.body[8..16], &answer.body[44..]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &samples[..])
    );
    assert_eq!(
        (&answer.body[24..28], &answer.body[40..44]),
        (&16_000u32.to_le_bytes()[..], &4u32.to_le_bytes()[..])
    );
    assert_eq!(answer.observed.count.usage().map(|usage| (usage.prompt, usage.completion)), Some((3, 9)));
    let answer =
        whole(Api::GeminiGenerate, json!({"response_format": "pcm"}), &google(json!([part, part]))).unwrap();
    assert_eq!((answer.content_type, answer.body), ("audio/pcm", [samples, samples].concat()));
    let more = json!({"response_format": "pcm", "stream_format": "sse"});
    let answer = whole(Api::GeminiGenerate, more, &google(json!([part]))).unwrap();
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        "data: {\"type\":\"speech.audio.delta\",\"audio\":\"AQACAA==\"}\n\n\
         data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":3,\"output_tokens\":9,\"total_tokens\":12}}\n\n"
    );
    assert_eq!(
        whole(Api::GeminiGenerate, json!({}), &google(json!([{"text": "no"}]))).unwrap_err().status,
        502
    );
    let answer = whole(Api::MistralSpeech, json!({}), &json!({"audio_data": "AQACAA=="})).unwrap();
    assert_eq!((answer.content_type, answer.body), ("audio/mpeg", samples.to_vec()));
    assert_eq!(whole(Api::MistralSpeech, json!({}), &json!({"audio_data": "?"})).unwrap_err().status, 502);
    let own = whole(Api::MistralSpeech, json!({"voice_id": "v"}), &json!({"audio_data": "AQ=="})).unwrap();
    assert_eq!((own.content_type, own.body), ("application/json", br#"{"audio_data":"AQ=="}"#.to_vec()));
}

#[test]
fn sounds_that_pass() {
    let check = |more: Value, pieces: &[&[u8]], media: &str, is_same: bool, expected: &[u8]| {
        let body = with(json!({"model": "m", "input": "Hi", "voice": "alloy"}), more);
        let MediaReader::Passing(mut passing) = told(Api::ElevenlabsSpeech, &body).unwrap().reader else {
            panic!("{body}")
        };
        assert_eq!((passing.content_type(), passing.is_same()), (Some(media), is_same), "{body}");
        let mut out: Vec<u8> = pieces.iter().flat_map(|piece| passing.push(piece)).collect();
        out.extend(passing.finish());
        assert_eq!(out, expected, "{body}");
    };
    check(json!({}), &[b"ab", b"", b"c"], "audio/mpeg", true, b"abc");
    let head = [
        b"RIFF\xff\xff\xff\xffWAVEfmt ".as_slice(),
        &[16, 0, 0, 0, 1, 0, 1, 0, 0xc0, 0x5d, 0, 0, 0x80, 0xbb, 0, 0, 2, 0, 16, 0],
    ]
    .concat();
    let wav = [&head, b"data\xff\xff\xff\xff".as_slice(), b"abc"].concat();
    check(json!({"response_format": "wav"}), &[b"ab", b"c"], "audio/wav", false, &wav);
    let events = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"YWI=\"}\n\ndata: {\"type\":\"speech.audio.delta\",\"audio\":\"Yw==\"}\n\n\
                  data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":0,\"output_tokens\":0,\"total_tokens\":0}}\n\n";
    let media = "text/event-stream; charset=utf-8";
    check(json!({"stream_format": "sse"}), &[b"ab", b"c"], media, false, events.as_bytes());
}
