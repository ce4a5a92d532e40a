//! A transcript in each of OpenAI's formats (<https://platform.openai.com/docs/api-reference/audio>).

use super::{Format, Request, Response, Segment};
use crate::api::MediaAnswer;
use crate::json::{Json, Writer};
use crate::{Meter, Metered, Observed, milliseconds};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const VTT: &str = "text/vtt; charset=utf-8";
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// The client's answer, to a recording that lasts for as many seconds as the provider told.
pub(super) fn answer(request: &Request, response: &Response, told: Option<f64>) -> MediaAnswer {
    let observed = match (response.usage, told) {
        (None, Some(seconds)) => {
            Observed::of_metered(Metered::one(Meter::AudioInputMs, milliseconds(seconds)))
        }
        (usage, _) => Observed::of_usage(usage),
    };
    let (content_type, body) = match request.format {
        _ if request.stream => (EVENTS, events(request, response)),
        Format::Json => (JSON, json(|w| plain(w, response))),
        Format::Text => (TEXT, format!("{}\n", response.text)),
        Format::Srt => (TEXT, srt(response)),
        Format::Vtt => (VTT, vtt(response)),
        Format::VerboseJson => (JSON, json(|w| verbose(w, request, response))),
        Format::DiarizedJson => (JSON, json(|w| diarized(w, response))),
    };
    MediaAnswer { content_type, body: body.into_bytes(), observed }
}

fn json(write: impl FnOnce(&mut Writer)) -> String {
    Json::build(|w| w.object(write)).as_str().to_owned()
}

fn plain(w: &mut Writer, response: &Response) {
    w.field_str("text", &response.text);
    usage(w, response);
}

/// Tokens where the vendor counts them, else the length of the recording.
fn usage(w: &mut Writer, response: &Response) {
    if let Some(usage) = response.usage {
        w.field_object("usage", |w| {
            w.field_str("type", "tokens");
            w.field_u64("input_tokens", usage.prompt);
            w.field_u64("output_tokens", usage.completion);
            w.field_u64("total_tokens", usage.total());
        });
    } else if let Some(duration) = response.duration {
        w.field_object("usage", |w| {
            w.field_str("type", "duration");
            w.field_u64("seconds", duration.ceil() as u64);
        });
    }
}

fn verbose(w: &mut Writer, request: &Request, response: &Response) {
    w.field_str("task", if request.translate { "translate" } else { "transcribe" });
    w.field_str("language", response.language.as_deref().or(request.language.as_deref()).unwrap_or_default());
    seconds(w, "duration", response.duration.unwrap_or_default());
    w.field_str("text", &response.text);
    if request.words {
        w.field_array("words", |w| {
            for word in &response.words {
                w.object(|w| {
                    w.field_str("word", &word.text);
                    seconds(w, "start", word.start);
                    seconds(w, "end", word.end);
                });
            }
        });
    }
    if request.segments || !request.words {
        w.field_array("segments", |w| {
            for (index, segment) in response.segments.iter().enumerate() {
                w.object(|w| verbose_segment(w, index, segment));
            }
        });
    }
    usage(w, response);
}

/// What only OpenAI's own models know is 0: clients with types need it.
fn verbose_segment(w: &mut Writer, index: usize, segment: &Segment) {
    w.field_u64("id", index as u64);
    w.field_u64("seek", 0);
    seconds(w, "start", segment.start);
    seconds(w, "end", segment.end);
    w.field_str("text", &segment.text);
    w.field_array("tokens", |_| {});
    for name in ["temperature", "avg_logprob", "compression_ratio", "no_speech_prob"] {
        w.field_raw(name, "0.0");
    }
}

fn diarized(w: &mut Writer, response: &Response) {
    w.field_str("task", "transcribe");
    seconds(w, "duration", response.duration.unwrap_or_default());
    w.field_str("text", &response.text);
    w.field_array("segments", |w| spoken(response).for_each(|segment| w.object(segment)));
    usage(w, response);
}

/// The pieces with the names of their speakers: `A`, `B` and so on, in the order in which they begin to speak.
fn spoken(response: &Response) -> impl Iterator<Item = impl FnOnce(&mut Writer)> {
    let mut speakers: Vec<Option<&str>> = Vec::new();
    response.segments.iter().enumerate().map(move |(index, segment)| {
        let speaker = segment.speaker.as_deref();
        let place = speakers.iter().position(|known| *known == speaker).unwrap_or_else(|| {
            speakers.push(speaker);
            speakers.len() - 1
        });
        move |w: &mut Writer| {
            w.field_str("type", "transcript.text.segment");
            w.field_str("id", &format!("seg_{index}"));
            w.field_str("speaker", &name(place));
            seconds(w, "start", segment.start);
            seconds(w, "end", segment.end);
            w.field_str("text", &segment.text);
        }
    })
}

fn name(place: usize) -> String {
    const LETTERS: u8 = 26;
    match u8::try_from(place) {
        Ok(place) if place < LETTERS => char::from(b'A' + place).to_string(),
        _ => format!("S{}", place + 1),
    }
}

/// A transcript that came whole, as a stream: its pieces or its text, and the end.
fn events(request: &Request, response: &Response) -> String {
    let event = |data: String| format!("data: {data}\n\n");
    let mut events: String = match request.format {
        Format::DiarizedJson => spoken(response).map(|segment| event(json(segment))).collect(),
        _ => event(json(|w| {
            w.field_str("type", "transcript.text.delta");
            w.field_str("delta", &response.text);
        })),
    };
    events.push_str(&event(json(|w| {
        w.field_str("type", "transcript.text.done");
        plain(w, response);
    })));
    events.push_str("data: [DONE]\n\n");
    events
}

fn srt(response: &Response) -> String {
    let blocks = response.segments.iter().enumerate().map(|(index, segment)| {
        let (start, end) = (time(segment.start, ','), time(segment.end, ','));
        format!("{}\n{start} --> {end}\n{}\n\n", index + 1, line(&segment.text))
    });
    blocks.collect()
}

fn vtt(response: &Response) -> String {
    let blocks = response.segments.iter().map(|segment| {
        let (start, end) = (time(segment.start, '.'), time(segment.end, '.'));
        format!("{start} --> {end}\n{}\n\n", line(&segment.text))
    });
    format!("WEBVTT\n\n{}", blocks.collect::<String>())
}

/// A blank line would end the block.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `00:01:02,345`
fn time(seconds: f64, point: char) -> String {
    let milliseconds = (seconds.max(0.0) * 1000.0).round() as u64;
    let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", whole / 3600, whole / 60 % 60, whole % 60)
}

fn seconds(w: &mut Writer, name: &str, seconds: f64) {
    let seconds = if seconds.is_finite() { seconds } else { 0.0 };
    w.field_raw(name, &format!("{seconds:?}"));
}
