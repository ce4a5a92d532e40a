#![allow(clippy::unwrap_used, clippy::panic)]
use serde_json::{Value, json};

use super::*;
use crate::Api;
use crate::Files;
use crate::api::{Asked, MediaAnswer, MediaReader, Told};
use crate::form::{Decoder, Form, Piece};
use crate::test_support::answered;

/// A form with these fields and a recording.
fn form(fields: &Value) -> Form {
    let mut body = String::new();
    for (name, value) in fields.as_object().unwrap() {
        let values = value.as_array().map_or_else(
            || vec![(name.clone(), value)],
            |list| list.iter().map(|item| (format!("{name}[]"), item)).collect(),
        );
        for (name, value) in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            body.push_str(&format!(
                "--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
            ));
        }
    }
    body.push_str("--bnd\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nRIFF\r\n--bnd--\r\n");
    let mut decoder = Decoder::new("bnd");
    decoder.push(body.as_bytes(), &mut |_, _| {}).unwrap();
    decoder.finish().unwrap()
}

fn told(client: Api, upstream: Api, fields: &Value) -> Result<Told, Fault> {
    let form = form(fields);
    let body = form.to_json();
    (TRANSLATOR.translate)(
        Asked { api: client, path_model: "", model: None, body: &body, inputs_max: None },
        Some(&form),
        &Files::new(),
        upstream,
    )
}

fn sent(told: &Told) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Piece::File(index) => format!("<file {index}>"),
        Piece::Base64(index) => format!("<base64 {index}>"),
        Piece::Uploaded => "<uploaded>".to_owned(),
        Piece::Mask(mask) => panic!("{mask:?}"),
    };
    told.body.iter().map(text).collect()
}

/// A form that was written, as its fields.
fn fields(told: &Told) -> Vec<(String, String)> {
    assert_eq!(told.content_type, "multipart/form-data; boundary=bnd");
    let (sent, mut decoder) = (sent(told), Decoder::new("bnd"));
    decoder.push(sent.as_bytes(), &mut |_, _| {}).unwrap();
    let parts = decoder.finish().unwrap().parts.into_iter().map(|part| match part.content {
        crate::form::Content::Text(text) => (part.name, text),
        crate::form::Content::File(file) => (part.name, file.name),
    });
    parts.collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const CLIENT: Api = Api::OpenaiTranscriptions;

#[test]
fn what_vendors_are_told() {
    let all = json!({"model": "m", "language": "en", "prompt": "Ostia", "temperature": "0.5", "diarize": "true", "include": ["logprobs"]});
    let deepgram = told(CLIENT, Api::DeepgramListen, &all).unwrap();
    assert_eq!(
        deepgram.query,
        "model=m&smart_format=true&punctuate=true&utterances=true&language=en&diarize=true"
    );
    assert_eq!((&*deepgram.content_type, &*sent(&deepgram)), ("audio/mpeg", "<file 0>"));
    assert_eq!(deepgram.dropped, ["prompt", "temperature", "include"]);
    let assembly = told(CLIENT, Api::AssemblyaiTranscripts, &all).unwrap();
    assert_eq!(
        sent(&assembly),
        r#"{"audio_url":<uploaded>,"speech_models":["m"],"language_code":"en","speaker_labels":true}"#
    );
    let upload = assembly.upload.unwrap();
    assert_eq!((upload.path, upload.body, upload.field), ("/v2/upload", vec![Piece::File(0)], "upload_url"));
    assert_eq!(assembly.dropped, ["prompt", "temperature", "include"]);
    let plain = told(CLIENT, Api::DeepgramListen, &json!({"model": "a&b=1"})).unwrap();
    assert_eq!(
        plain.query,
        "model=a%26b%3D1&smart_format=true&punctuate=true&utterances=true&detect_language=true"
    );
    let eleven = told(CLIENT, Api::ElevenlabsTranscription, &all).unwrap();
    let expected = [
        ("model_id", "m"),
        ("language_code", "en"),
        ("temperature", "0.5"),
        ("timestamps_granularity", "word"),
        ("tag_audio_events", "false"),
        ("diarize", "true"),
        ("file", "a.mp3"),
    ];
    assert_eq!(
        (fields(&eleven), &*eleven.dropped),
        (pairs(&expected), &["prompt".to_owned(), "include".to_owned()][..])
    );
    let xai = told(CLIENT, Api::XaiTranscription, &all).unwrap();
    assert_eq!(
        fields(&xai),
        pairs(&[("language", "en"), ("format", "true"), ("diarize", "true"), ("file", "a.mp3")])
    );
    let cohere = told(CLIENT, Api::CohereTranscription, &all).unwrap();
    assert_eq!(
        fields(&cohere),
        pairs(&[("model", "m"), ("language", "en"), ("temperature", "0.5"), ("file", "a.mp3")])
    );
    assert_eq!(cohere.dropped, ["prompt", "diarize", "include"]);
    let gemini = told(Api::OpenaiTranslations, Api::GeminiGenerate, &all).unwrap();
    let body: Value = serde_json::from_str(&sent(&gemini)).unwrap();
    let parts = &body["contents"][0]["parts"];
    assert_eq!(parts[1]["inlineData"], json!({"mimeType": "audio/mp3", "data": "<base64 0>"}));
    let task = parts[0]["text"].as_str().unwrap();
    assert!(task.contains("into English") && task.contains("`en`") && task.ends_with("Ostia"), "{task}");
    assert_eq!((&body["generationConfig"], &*gemini.in_path), (&json!({"temperature": 0.5}), "m"));
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    let check = |upstream: Api, more: Value, param: &str| {
        let mut all = json!({"model": "m"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let fault = told(CLIENT, upstream, &all).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{more}: {}", fault.message);
    };
    check(Api::CohereTranscription, json!({"response_format": "srt"}), "response_format");
    check(Api::GeminiGenerate, json!({"response_format": "verbose_json"}), "response_format");
    check(Api::DeepgramListen, json!({"response_format": "xml"}), "response_format");
    check(Api::DeepgramListen, json!({"timestamp_granularities": ["line"]}), "timestamp_granularities");
    check(Api::DeepgramListen, json!({"temperature": "hot"}), "temperature");
    check(Api::ElevenlabsTranscription, json!({"file": "text"}), "file");
    let asked =
        Asked { api: CLIENT, path_model: "", model: None, body: br#"{"model":"m"}"#, inputs_max: None };
    let fault = (TRANSLATOR.translate)(asked, None, &Files::new(), Api::DeepgramListen).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("file")));
    let upstream = |client, offered: Api| (TRANSLATOR.upstream)(client, &|api| api == offered);
    assert_eq!(upstream(CLIENT, Api::DeepgramListen), Some(Api::DeepgramListen));
    assert_eq!(upstream(Api::OpenaiTranslations, Api::DeepgramListen), None);
    assert_eq!(upstream(Api::OpenaiTranslations, Api::GeminiGenerate), Some(Api::GeminiGenerate));
}

fn answer(upstream: Api, more: Value, body: &Value) -> Result<MediaAnswer, Fault> {
    let mut all = json!({"model": "m"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let MediaReader::Whole(read) = told(CLIENT, upstream, &all)?.reader else { panic!("it passes") };
    read(body.to_string().as_bytes()).map(answered)
}

/// Cut from recordings.
fn xai() -> Value {
    let word = |text: &str, start: f64, end: f64, speaker: u8| json!({"text": text, "start": start, "end": end, "speaker": speaker});
    let words = [
        word("Ruby", 0.121, 0.442, 0),
        word("is", 0.784, 0.865, 0),
        word("nice.", 0.905, 1.5, 0),
        word("Yes!", 61.0, 62.5, 1),
    ];
    json!({"text": "Ruby is nice. Yes!", "language": "en", "duration": 63.7, "words": words})
}

#[test]
fn every_format_from_words() {
    let check = |more: Value, media: &str, expected: &str| {
        let answer = answer(Api::XaiTranscription, more, &xai()).unwrap();
        assert_eq!(
            (answer.content_type, String::from_utf8(answer.body).unwrap().as_str()),
            (media, expected)
        );
    };
    let usage = r#""usage":{"type":"duration","seconds":64}"#;
    check(json!({}), "application/json", &format!(r#"{{"text":"Ruby is nice. Yes!",{usage}}}"#));
    check(json!({"response_format": "text"}), "text/plain; charset=utf-8", "Ruby is nice. Yes!\n");
    check(
        json!({"response_format": "srt"}),
        "text/plain; charset=utf-8",
        "1\n00:00:00,121 --> 00:00:01,500\nRuby is nice.\n\n2\n00:01:01,000 --> 00:01:02,500\nYes!\n\n",
    );
    check(
        json!({"response_format": "vtt"}),
        "text/vtt; charset=utf-8",
        "WEBVTT\n\n00:00:00.121 --> 00:00:01.500\nRuby is nice.\n\n00:01:01.000 --> 00:01:02.500\nYes!\n\n",
    );
    let head = r#"{"task":"transcribe","language":"en","duration":63.7,"text":"Ruby is nice. Yes!","#;
    let words = r#""words":[{"word":"Ruby","start":0.121,"end":0.442},{"word":"is","start":0.784,"end":0.865},{"word":"nice.","start":0.905,"end":1.5},{"word":"Yes!","start":61.0,"end":62.5}]"#;
    let zeros =
        r#""tokens":[],"temperature":0.0,"avg_logprob":0.0,"compression_ratio":0.0,"no_speech_prob":0.0"#;
    let segments = format!(
        r#""segments":[{{"id":0,"seek":0,"start":0.121,"end":1.5,"text":"Ruby is nice.",{zeros}}},{{"id":1,"seek":0,"start":61.0,"end":62.5,"text":"Yes!",{zeros}}}]"#
    );
    check(
        json!({"response_format": "verbose_json"}),
        "application/json",
        &format!("{head}{segments},{usage}}}"),
    );
    let word = json!({"response_format": "verbose_json", "timestamp_granularities": ["word"]});
    check(word, "application/json", &format!("{head}{words},{usage}}}"));
    let spoken = |id: usize, speaker: &str, start: f64, end: f64, text: &str| {
        format!(
            r#"{{"type":"transcript.text.segment","id":"seg_{id}","speaker":"{speaker}","start":{start:?},"end":{end:?},"text":"{text}"}}"#
        )
    };
    let (a, b) = (spoken(0, "A", 0.121, 1.5, "Ruby is nice."), spoken(1, "B", 61.0, 62.5, "Yes!"));
    let diarized = format!(
        r#"{{"task":"transcribe","duration":63.7,"text":"Ruby is nice. Yes!","segments":[{a},{b}],{usage}}}"#
    );
    check(json!({"response_format": "diarized_json"}), "application/json", &diarized);
    let done = format!(
        "data: {{\"type\":\"transcript.text.done\",\"text\":\"Ruby is nice. Yes!\",{usage}}}\n\ndata: [DONE]\n\n"
    );
    let media = "text/event-stream; charset=utf-8";
    let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Ruby is nice. Yes!\"}\n\n";
    check(json!({"stream": "true"}), media, &format!("{delta}{done}"));
    let streamed = json!({"stream": "true", "response_format": "diarized_json"});
    check(streamed, media, &format!("data: {a}\n\ndata: {b}\n\n{done}"));
}

#[test]
fn what_vendors_tell() {
    let srt = |upstream: Api, body: &Value| {
        let answer = answer(upstream, json!({"response_format": "srt"}), body).unwrap();
        String::from_utf8(answer.body).unwrap()
    };
    let words = json!([
        {"word": "yeah", "start": 0.0, "end": 0.48, "punctuated_word": "Yeah."},
        {"word": "as", "start": 0.48, "end": 0.64, "punctuated_word": "As"},
    ]);
    let channel =
        json!({"alternatives": [{"transcript": "Yeah. As", "words": words}], "detected_language": "en"});
    let mut deepgram = json!({"metadata": {"duration": 2.5}, "results": {"channels": [channel]}});
    assert_eq!(
        srt(Api::DeepgramListen, &deepgram),
        "1\n00:00:00,000 --> 00:00:00,480\nYeah.\n\n2\n00:00:00,480 --> 00:00:00,640\nAs\n\n"
    );
    deepgram["results"]["utterances"] =
        json!([{"start": 0.0, "end": 0.64, "transcript": "Yeah. As", "speaker": 0}]);
    assert_eq!(srt(Api::DeepgramListen, &deepgram), "1\n00:00:00,000 --> 00:00:00,640\nYeah. As\n\n");
    let piece = |kind: &str, text: &str, start: f64, end: f64| json!({"type": kind, "text": text, "start": start, "end": end, "speaker_id": "speaker_0"});
    let words = [
        piece("word", "你", 0.0, 0.5),
        piece("word", "好", 0.5, 0.9),
        piece("spacing", " ", 0.9, 1.0),
        piece("word", "Rome", 1.0, 1.4),
    ];
    let eleven = json!({"language_code": "zho", "text": "你好 Rome", "words": words});
    assert_eq!(srt(Api::ElevenlabsTranscription, &eleven), "1\n00:00:00,000 --> 00:00:01,400\n你好 Rome\n\n");
    let json = |upstream: Api, body: &Value| {
        let answer = answer(upstream, json!({}), body).unwrap();
        String::from_utf8(answer.body).unwrap()
    };
    assert_eq!(json(Api::CohereTranscription, &json!({"text": " Hi"})), r#"{"text":"Hi"}"#);
    let parts = json!([{"text": "hm", "thought": true}, {"text": " Hi\n"}]);
    let google = json!({"candidates": [{"content": {"parts": parts}}], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}});
    let usage = r#""usage":{"type":"tokens","input_tokens":7,"output_tokens":2,"total_tokens":9}"#;
    assert_eq!(json(Api::GeminiGenerate, &google), format!(r#"{{"text":"Hi",{usage}}}"#));
    for (upstream, body) in [
        (Api::GeminiGenerate, json!({"promptFeedback": {"blockReason": "SAFETY"}})),
        (Api::DeepgramListen, json!({"results": {"channels": []}})),
        (Api::XaiTranscription, json!({"words": []})),
    ] {
        assert_eq!(answer(upstream, json!({}), &body).unwrap_err().status, 502, "{body}");
    }
}

#[test]
fn long_talk_is_cut_into_lines() {
    let words: Vec<Word> = (0..100)
        .map(|at| Word {
            text: "word".into(),
            start: f64::from(at),
            end: f64::from(at) + 0.9,
            ..Word::default()
        })
        .collect();
    let text = vec!["word"; 100].join(" ");
    let mut response = Response { text, words, ..Response::default() };
    response.complete();
    assert!(
        response
            .segments
            .iter()
            .all(|segment| segment.end - segment.start <= 7.0 && segment.text.len() <= 84)
    );
    let all: Vec<&str> = response.segments.iter().map(|segment| segment.text.as_str()).collect();
    assert_eq!((all.join(" "), response.duration), (response.text.clone(), Some(99.9)));
}
