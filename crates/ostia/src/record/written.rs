//! An account as it is written: on the writer's thread, where the time that it takes costs no request anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use ostia_dialect::observe::{tokens, with_asked};
use ostia_dialect::{Api, FaultKind, Meter, Operation, Usage as Told};
use ostia_store::{Attempt, Outcome, Record, RecordError, Unwritten, Usage};
use serde_json::{Value, json};

use super::account::{Entry, Failure, Made};
use super::records::Decisions;
use super::session;
use crate::log::End;

/// Longest account of decisions that is kept, in bytes of JSON.
const DECISIONS_BYTES_MAX: usize = 16 << 10;
/// Most fields of metadata that are kept, and the longest value, in characters (Portkey's bound).
const FIELDS_MAX: usize = 64;
const VALUE_CHARACTERS_MAX: usize = 128;

impl Unwritten for Entry {
    fn bytes(&self) -> usize {
        let texts = [
            Some(&self.trace_id),
            Some(&self.path),
            self.key.as_ref(),
            self.metadata.as_ref(),
            self.baggage.as_ref(),
            self.user_agent.as_ref(),
            self.model.as_ref(),
            self.session.as_ref(),
        ];
        let texts = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>();
        let route = self.decisions.as_ref().map_or(0, |decisions| decisions.route().bytes());
        let attempts = self.attempts.capacity() * size_of::<Made>();
        let held = self.attempts.iter().map(held_by).sum::<usize>();
        size_of::<Entry>() + self.id.capacity() + texts + route + attempts + held + self.bodies.bytes()
    }

    fn cut_bodies(&mut self) -> bool {
        self.bodies.cut()
    }

    fn give_up_bodies(&mut self) -> bool {
        self.decisions = None;
        self.bodies.is_on() && {
            self.bodies.give_up(ostia_store::Missing::QueueFull);
            true
        }
    }

    fn finish(self: Box<Entry>) -> Record {
        let entry = *self;
        let asked = Asked::of(entry.operation, entry.asked_bytes);
        let attempts: Vec<Attempt> =
            entry.attempts.into_iter().map(|made| attempt(made, asked, (entry.began, entry.took))).collect();
        let failed = attempts.last().and_then(|attempt| attempt.error.clone());
        let error = entry.error.map(|failure| told(*failure));
        let (request_bytes, response_bytes) = entry.bodies.totals();
        let (request, response) = entry.bodies.kept();
        let text = |text: Option<Box<str>>| text.map(String::from);
        let metadata = metadata(entry.metadata.as_deref(), entry.baggage.as_deref());
        let said = session::METADATA.into_iter().find_map(|name| session::named(metadata.get(name)?));
        let said = said.filter(|_| !entry.session_is_own).map(str::to_owned);
        Record {
            id: entry.id,
            trace_id: entry.trace_id.into(),
            span_id: text(entry.trace.span_id),
            parent_span_id: text(entry.trace.parent_span_id),
            span_name: text(entry.trace.span_name),
            session: said.or(text(entry.session)),
            started_ms: unix_ms(entry.began_at),
            method: entry.method.to_string(),
            path: entry.path.into(),
            operation: entry.operation.map(str::to_owned),
            key: text(entry.key),
            metadata,
            user_agent: text(entry.user_agent),
            client: entry.peer.map(|peer| peer.to_canonical().to_string()),
            model: text(entry.model),
            status: entry.status,
            stream: entry.is_stream,
            end: entry.end.map_or("", End::as_str).to_owned(),
            finish_reason: entry.finish.map(|finish| finish.openai().to_owned()),
            error: error.or(failed.filter(|_| entry.status >= 400)),
            duration_us: micros(entry.took),
            upstream_us: micros(entry.waited),
            first_token_us: entry.first_token.map(micros),
            request_bytes,
            response_bytes,
            attempts,
            decisions: entry.decisions.map(|decisions| told_decisions(&decisions)),
            request,
            response,
        }
    }
}

/// What an attempt holds besides its own size, in bytes.
fn held_by(made: &Made) -> usize {
    let message = made.failure.as_ref().and_then(|failure| failure.message.as_ref());
    let texts = [made.model.as_ref(), made.request_id.as_ref(), message];
    let dropped = made.dropped.iter().map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
    texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() + dropped
}

fn attempt(made: Made, asked: Asked, (began, took): (Instant, Duration)) -> Attempt {
    let since = |moment: Instant| micros(moment.saturating_duration_since(began));
    let text = |value: Option<HeaderValue>| value.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let Taken { used, is_estimated, is_uncounted } = taken(&made, asked);
    Attempt {
        target: text(made.index_path).unwrap_or_default(),
        provider: text(made.provider).unwrap_or_default(),
        model: made.model.map(String::from),
        answered_model: made.observed.model.map(String::from),
        status: made.status,
        outcome: made.outcome,
        error: made.failure.map(|failure| told(*failure)),
        request_id: made.request_id.map(String::from),
        sent_us: since(made.sent),
        connected_us: made.connected.map(since),
        first_byte_us: made.first_byte.map(since),
        first_token_us: made.first_token.map(since),
        ended_us: made.ended.map_or_else(|| micros(took), since),
        service_tier: used.and_then(|used| used.tier).map(|tier| tier.name().to_owned()),
        charged: used.and_then(|used| used.charge).map(|charge| charge.to_string()),
        usage: used.map(usage),
        usage_estimated: is_estimated,
        uncounted: is_uncounted,
        finish_reason: made.observed.finish.map(|finish| finish.openai().to_owned()),
        dropped: made.dropped,
        ..Attempt::default()
    }
}

/// What a request asked for, as far as it says what an attempt takes.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// What kind of call it is; none of one that is handed on unread.
    operation: Option<Operation>,
    /// Tokens that its text may have.
    tokens: u64,
}

impl Asked {
    fn of(operation: Option<&str>, text_bytes: u64) -> Asked {
        let operation = operation.and_then(Api::from_name).map(Api::operation);
        Asked { operation, tokens: tokens(text_bytes) }
    }

    /// Is it charged for by the tokens of texts, so that they can be estimated?
    fn is_text(self) -> bool {
        let texts = |operation: Operation| {
            matches!(operation, Operation::Conversation(_) | Operation::Completion | Operation::Embeddings(_))
        };
        self.operation.is_some_and(texts)
    }

    /// Are there tokens in its answer? Vectors are none.
    fn is_answered_in_words(self) -> bool {
        !matches!(self.operation, Some(Operation::Embeddings(_)))
    }

    /// May its vendor charge for it at all?
    fn is_charged(self) -> bool {
        self.operation.is_some_and(|operation| match operation {
            Operation::Conversation(_)
            | Operation::Completion
            | Operation::Embeddings(_)
            | Operation::Images
            | Operation::ImageEdits
            | Operation::ImageVariations
            | Operation::Speech
            | Operation::Transcription
            | Operation::Translation
            | Operation::Ocr
            | Operation::Rerank(_)
            | Operation::Realtime => true,
            Operation::CountTokens(_)
            | Operation::Moderation(_)
            | Operation::Files
            | Operation::Batches
            | Operation::FineTunes => false,
        })
    }
}

/// What an attempt took.
struct Taken {
    used: Option<Told>,
    /// Not all of it was told: what is missing is estimated.
    is_estimated: bool,
    /// It took something, and nobody knows how much.
    is_uncounted: bool,
}

/// What an attempt took, as its provider tells it; where it broke off before that was told, as much as went out and came in.
fn taken(made: &Made, asked: Asked) -> Taken {
    // Less what was spent before it.
    let told = made.observed.usage().map(|used| made.spent.as_ref().map_or(used, |spent| used.minus(spent)));
    let metered = with_asked(told.unwrap_or_default(), made.asked);
    let used = (told.is_some() || !metered.is_empty()).then(|| Told { metered, ..told.unwrap_or_default() });
    let counts = Taken { used, is_estimated: false, is_uncounted: false };
    let is_whole = made.outcome == Outcome::Answered || made.observed.finish.is_some();
    if made.is_part || !has_worked(made) || used.is_some() && is_whole {
        return counts;
    }
    match asked.is_text() {
        true => {
            let used = used.unwrap_or_default();
            let prompt = if used.prompt == 0 { asked.tokens } else { used.prompt };
            let said = if asked.is_answered_in_words() { tokens(made.observed.said_bytes) } else { 0 };
            let completion = used.completion.max(said);
            Taken {
                used: Some(Told { prompt, completion, total: None, ..used }),
                is_estimated: true,
                ..counts
            }
        }
        false => Taken { is_uncounted: used.is_none() && asked.is_charged(), ..counts },
    }
}

/// Has its provider done something that it may charge for, as far as is known? One that gave an answer has, and one whose answer was
/// not waited for any longer. An error is no answer, and without a connection there is no work.
fn has_worked(made: &Made) -> bool {
    let kind = made.failure.as_ref().map(|failure| failure.cause.kind);
    // Some tell an error with a status of success; what broke off, or is no answer, was work all the same.
    let is_refused = made.outcome == Outcome::Failed
        && !matches!(kind, None | Some(FaultKind::Upstream | FaultKind::Timeout));
    match made.status {
        Some(101 | 200..=299) => !is_refused,
        Some(_) => false,
        None => made.is_late || made.outcome == Outcome::Abandoned,
    }
}

/// How it was decided, or of what is too long the result.
fn told_decisions(decisions: &Decisions) -> Value {
    let record = decisions.record();
    let told = serde_json::to_value(&record).unwrap_or_default();
    match told.to_string().len() {
        ..=DECISIONS_BYTES_MAX => told,
        bytes => json!({"result": record.result, "attempts": record.attempts, "bytes": bytes}),
    }
}

fn usage(told: Told) -> Usage {
    let count = |meter| told.metered.count(meter);
    Usage {
        prompt_tokens: told.prompt,
        completion_tokens: told.completion,
        total_tokens: told.total(),
        cached_tokens: told.cached.unwrap_or_default(),
        cache_write_tokens: told.cache_written.unwrap_or_default(),
        cache_write_1h_tokens: told.cache_written_1h.unwrap_or_default(),
        reasoning_tokens: told.reasoning.unwrap_or_default(),
        audio_prompt_tokens: told.audio_prompt.unwrap_or_default(),
        cached_audio_tokens: told.cached_audio.unwrap_or_default(),
        audio_completion_tokens: told.audio_completion.unwrap_or_default(),
        image_prompt_tokens: told.image_prompt.unwrap_or_default(),
        image_completion_tokens: told.image_completion.unwrap_or_default(),
        web_searches: count(Meter::WebSearches),
        billed_prompt_tokens: count(Meter::BilledInput),
        billed_completion_tokens: count(Meter::BilledOutput),
        tool_prompt_tokens: count(Meter::ToolPrompt),
        audio_input_ms: count(Meter::AudioInputMs),
        input_characters: count(Meter::InputCharacters),
        input_images: count(Meter::InputImages),
        output_images: count(Meter::OutputImages),
        pages: count(Meter::Pages),
        annotated_pages: count(Meter::AnnotatedPages),
        queries: count(Meter::Queries),
        file_searches: count(Meter::FileSearches),
        map_searches: count(Meter::MapSearches),
        code_sessions: count(Meter::CodeSessions),
        image_generations: count(Meter::ImageGenerations),
        other_tools: count(Meter::OtherTools),
        other_model_tokens: count(Meter::OtherModels),
    }
}

fn told(Failure { cause, message }: Failure) -> RecordError {
    RecordError {
        class: cause.kind.as_str().replace(' ', "_"),
        code: cause.code.map(String::from),
        message: message.map(String::from),
    }
}

/// What a client says of its request: an object of JSON, whose texts count, and the entries of W3C's baggage
/// (<https://www.w3.org/TR/baggage/>), which the object goes before.
fn metadata(object: Option<&str>, baggage: Option<&str>) -> BTreeMap<String, String> {
    let entry = |entry: &str| {
        let (name, value) = entry.split(';').next()?.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
        Some((name.trim().to_owned(), value))
    };
    let of_baggage = baggage.unwrap_or_default().split(',').filter_map(entry);
    let fields = match object.and_then(|object| serde_json::from_str(object).ok()) {
        Some(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let of_object = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(_) | Value::Bool(_) => Some((name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    let short = |text: String| text.chars().take(VALUE_CHARACTERS_MAX).collect::<String>();
    of_baggage.chain(of_object).map(|(name, value)| (short(name), short(value))).take(FIELDS_MAX).collect()
}

fn unix_ms(moment: SystemTime) -> i64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_of_the_client() {
        let check = |object: Option<&str>, baggage: Option<&str>, expected: &[(&str, &str)]| {
            let told = metadata(object, baggage);
            let told: Vec<_> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(told, expected, "{object:?} {baggage:?}");
        };
        check(None, None, &[]);
        check(Some(r#"{"a":"x","n":1,"l":[1]}"#), None, &[("a", "x"), ("n", "1")]);
        check(Some("no json"), Some("a=b%20c;p=1, d = e ,broken"), &[("a", "b c"), ("d", "e")]);
        check(Some(r#"{"a":"x"}"#), Some("a=y"), &[("a", "x")]);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(500));
        assert_eq!(metadata(Some(&long), None)["a"].len(), VALUE_CHARACTERS_MAX);
    }
}
