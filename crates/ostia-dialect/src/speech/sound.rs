//! Sounds on their way back: in a WAV file, or in OpenAI's events.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Format, PCM_HZ, Request};
use crate::api::{MediaAnswer, MediaReader, Passing};
use crate::json::{Json, Writer};
use crate::{Observed, Usage};

/// What a stream of events is.
const EVENTS: &str = "text/event-stream; charset=utf-8";
/// Bytes of one sample: 16 bits, one channel.
const SAMPLE_BYTES: u32 = 2;
/// A length that is not known yet, as OpenAI writes it in a WAV file that is streamed.
const UNKNOWN: u32 = u32::MAX;

/// Reads a sound that comes as bytes. With `is_raw` these are samples, whatever the client wants.
pub(super) fn passing(request: &Request, format: Format, is_raw: bool) -> MediaReader {
    let head = if is_raw && format == Format::Wav { wav_head(PCM_HZ, UNKNOWN) } else { Vec::new() };
    MediaReader::passing(Sound { head, media: format.media(), sse: request.sse })
}

/// An answer with all of a sound.
pub(super) fn whole(request: &Request, format: Format, sound: Vec<u8>, usage: Option<Usage>) -> MediaAnswer {
    let observed = Observed::of_usage(usage);
    match request.sse {
        true => {
            let mut body = delta(&sound);
            body.extend_from_slice(&done(usage.unwrap_or_default()));
            MediaAnswer { content_type: EVENTS, body, observed }
        }
        false => MediaAnswer { content_type: format.media(), body: sound, observed },
    }
}

/// Samples as a WAV file (<http://soundfile.sapp.org/doc/WaveFormat/>).
pub(super) fn wav(samples: &[u8], hertz: u32) -> Vec<u8> {
    let bytes = u32::try_from(samples.len()).unwrap_or(UNKNOWN);
    [wav_head(hertz, bytes).as_slice(), samples].concat()
}

fn wav_head(hertz: u32, bytes: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(44);
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&bytes.saturating_add(36).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt ");
    head.extend_from_slice(&16u32.to_le_bytes());
    // Samples as they are, in one channel.
    head.extend_from_slice(&1u16.to_le_bytes());
    head.extend_from_slice(&1u16.to_le_bytes());
    head.extend_from_slice(&hertz.to_le_bytes());
    head.extend_from_slice(&(hertz * SAMPLE_BYTES).to_le_bytes());
    head.extend_from_slice(&(SAMPLE_BYTES as u16).to_le_bytes());
    head.extend_from_slice(&(SAMPLE_BYTES as u16 * 8).to_le_bytes());
    head.extend_from_slice(b"data");
    head.extend_from_slice(&bytes.to_le_bytes());
    head
}

/// A sound that passes.
#[derive(Debug)]
struct Sound {
    /// What stands before its first bytes.
    head: Vec<u8>,
    media: &'static str,
    sse: bool,
}

impl Passing for Sound {
    fn content_type(&self) -> Option<&'static str> {
        Some(if self.sse { EVENTS } else { self.media })
    }

    fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let mut sound = std::mem::take(&mut self.head);
        sound.extend_from_slice(bytes);
        if self.sse { delta(&sound) } else { sound }
    }

    fn finish(&mut self) -> Vec<u8> {
        if self.sse { done(Usage::default()) } else { Vec::new() }
    }

    fn is_same(&self) -> bool {
        self.head.is_empty() && !self.sse
    }
}

/// <https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event>
fn delta(sound: &[u8]) -> Vec<u8> {
    event(|w| {
        w.field_str("type", "speech.audio.delta");
        w.field_str("audio", &BASE64_STANDARD.encode(sound));
    })
}

/// <https://platform.openai.com/docs/api-reference/audio/speech-audio-done-event>. Tokens are 0 where the upstream does not count
/// them, because the field has to be there.
fn done(usage: Usage) -> Vec<u8> {
    event(|w| {
        w.field_str("type", "speech.audio.done");
        w.field_object("usage", |w| {
            w.field_u64("input_tokens", usage.prompt);
            w.field_u64("output_tokens", usage.completion);
            w.field_u64("total_tokens", usage.total());
        });
    })
}

fn event(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let data = Json::build(|w| w.object(write));
    format!("data: {}\n\n", data.as_str()).into_bytes()
}
