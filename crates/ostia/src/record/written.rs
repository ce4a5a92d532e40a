//! An account as it is written: on the writer's thread, where the time that it takes costs no request anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use ostia_dialect::{Meter, Usage as Told};
use ostia_routing as routing;
use ostia_store::{Attempt, Decisions, IMAGE_DEFAULT, Outcome, Record, RecordError, Unwritten, Usage};
use serde_json::{Value, json};

use super::account::{Entry, Made};
use super::facts::{Facts, Failure};
use super::session;
use super::taken::{Asked, Taken, taken};

/// Longest account of decisions that is kept, in bytes of JSON.
const DECISIONS_BYTES_MAX: usize = 16 << 10;
/// Most fields of metadata that are kept, and the longest value, in characters (Portkey's bound).
const FIELDS_MAX: usize = 64;
const VALUE_CHARACTERS_MAX: usize = 128;

impl Unwritten for Entry {
    fn bytes(&self) -> usize {
        let of_facts = self.facts.as_deref().map_or(0, held_by_facts);
        let own =
            [&self.metadata, &self.baggage, &self.user_agent, &self.model, &self.session, &self.trace.state];
        let texts = own.into_iter().flatten().map(|text| text.len()).sum::<usize>();
        let route = self.decisions.as_ref().and_then(|made| made.route(|route| route.bytes()));
        let attempts = self.attempts.capacity() * size_of::<Made>();
        let held = self.attempts.iter().map(held_by).sum::<usize>();
        let id = self.id.as_ref().map_or(0, String::capacity);
        size_of::<Entry>()
            + of_facts
            + id
            + texts
            + route.unwrap_or_default()
            + attempts
            + held
            + self.results.bytes()
            + self.bodies.bytes()
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
        let mut entry = *self;
        match entry.facts.take() {
            Some(facts) => finish(entry, &facts),
            // Nobody hands over one without them.
            None => Record::default(),
        }
    }
}

fn finish(entry: Entry, facts: &Facts) -> Record {
    let ending = facts.ending.get();
    let took = ending.map(|ending| ending.took).unwrap_or_default();
    let asked = Asked::of(entry.operation, entry.asked_bytes);
    let attempts: Vec<Attempt> =
        entry.attempts.into_iter().map(|made| attempt(made, asked, (facts.began, took))).collect();
    let failed = attempts.last().and_then(|attempt| attempt.error.clone());
    let error = facts.error().map(told).or(failed.filter(|_| facts.status() >= 400));
    let (request_bytes, response_bytes) = entry.bodies.totals();
    let keeps_words = entry.bodies.is_on();
    let (request, response) = entry.bodies.kept();
    let (cache, guardrails) = entry.results.kept();
    let text = |text: Option<Box<str>>| text.map(String::from);
    let metadata = metadata(entry.metadata.as_deref(), entry.baggage.as_deref());
    let said = session::METADATA.into_iter().find_map(|name| session::named(metadata.get(name)?));
    let said = said.filter(|_| !entry.session_is_own).map(str::to_owned);
    let trace_id = header(facts.trace_id.as_ref()).unwrap_or_default();
    let mut record = Record {
        id: entry.id.unwrap_or_else(|| trace_id.clone()),
        trace_id,
        span_id: text(entry.trace.span_id),
        parent_span_id: text(entry.trace.parent_span_id),
        span_name: text(entry.trace.span_name),
        trace_state: text(entry.trace.state),
        trace_flags: entry.trace.flags,
        session: said.or(text(entry.session)),
        started_ms: unix_ms(entry.began_at),
        method: facts.method.to_string(),
        path: facts.path.to_string(),
        operation: entry.operation.map(str::to_owned),
        key: facts.key.as_deref().map(str::to_owned),
        metadata,
        user_agent: text(entry.user_agent),
        client: facts.peer.map(|peer| peer.to_canonical().to_string()),
        model: text(entry.model),
        status: facts.status(),
        stream: entry.is_stream,
        end: ending.map_or("", |ending| ending.end.as_str()).to_owned(),
        finish_reason: facts.finish().map(|finish| finish.openai().to_owned()),
        error,
        duration_us: micros(took),
        upstream_us: micros(entry.waited),
        first_token_us: facts.first_token().map(micros),
        request_bytes,
        response_bytes,
        attempts,
        decisions: entry.decisions.and_then(|decisions| told_decisions(&decisions.record()?)),
        cache,
        guardrails,
        request,
        response,
    };
    if !keeps_words {
        record.without_words_of_guardrails();
    }
    record
}

/// What the facts of a request hold, their own size among it, in bytes.
fn held_by_facts(facts: &Facts) -> usize {
    let key = facts.key.as_ref().map_or(0, |key| key.len());
    let model = facts.attempt.model.as_ref().map_or(0, |model| model.len());
    let dropped =
        facts.attempt.dropped.iter().map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
    size_of::<Facts>() + facts.path.len() + key + model + dropped
}

fn header(value: Option<&HeaderValue>) -> Option<String> {
    Some(value?.to_str().ok()?.to_owned())
}

/// An attempt of which only this is known: enough to put a price on it.
pub fn used(provider: &str, model: Option<&str>, used: &Told) -> Attempt {
    Attempt {
        provider: provider.to_owned(),
        model: model.map(str::to_owned),
        outcome: Outcome::Answered,
        service_tier: used.tier.map(|tier| tier.name().to_owned()),
        charged: used.charge.map(|charge| charge.to_string()),
        usage: Some(usage(*used)),
        ..Attempt::default()
    }
}

/// What an attempt holds besides its own size, in bytes.
fn held_by(made: &Made) -> usize {
    let message = made.failure.as_ref().and_then(|failure| failure.message.as_ref());
    let texts = [made.model.as_ref(), made.request_id.as_ref(), message, made.observed.model.as_ref()];
    let dropped = made.dropped.iter().map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
    let asked = made.asked.images.iter().flat_map(|asked| [&asked.size, &asked.quality]);
    let images = asked.chain([&made.observed.images.size, &made.observed.images.quality]);
    let texts = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>();
    texts + images.flatten().map(|word| word.len()).sum::<usize>() + dropped + made.observed.count.bytes()
}

fn attempt(made: Made, asked: Asked, (began, took): (Instant, Duration)) -> Attempt {
    let since = |moment: Instant| micros(moment.saturating_duration_since(began));
    let Taken { used, is_estimated, is_uncounted } = taken(&made, asked);
    let (image_size, image_quality) = images(&made);
    Attempt {
        target: header(made.index_path.as_ref()).unwrap_or_default(),
        provider: header(made.provider.as_ref()).unwrap_or_default(),
        model: made.model.map(String::from),
        span_id: made.span.map(|span| format!("{span:016x}")),
        server: made.server.to_str().ok().map(|server| with_port(server, made.port)),
        answered_model: made.observed.model.map(String::from),
        status: made.status,
        outcome: made.outcome,
        error: made.failure.as_deref().map(told),
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
        cache: made.cache,
        dropped: made.dropped,
        image_size,
        image_quality,
        ..Attempt::default()
    }
}

/// Size and quality of the images, if it is those that were asked for: what the provider says of them goes before what it was asked.
fn images(made: &Made) -> (Option<String>, Option<String>) {
    let Some(asked) = &made.asked.images else { return (None, None) };
    let word = |told: &Option<Box<str>>, asked: &Option<Box<str>>| {
        let word = told.as_deref().or(asked.as_deref()).unwrap_or(IMAGE_DEFAULT);
        Some(word.to_owned())
    };
    let told = &made.observed.images;
    (word(&told.size, &asked.size), word(&told.quality, &asked.quality))
}

/// An authority with its port.
fn with_port(authority: &str, port: u16) -> String {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    if has_port { authority.to_owned() } else { format!("{authority}:{port}") }
}

/// How it was decided, or of what is too long the result.
fn told_decisions(record: &routing::Record) -> Option<Decisions> {
    let told = Decisions::of(record)?;
    match told.as_str().len() {
        ..=DECISIONS_BYTES_MAX => Some(told),
        bytes => {
            Decisions::of(&json!({"result": record.result, "attempts": record.attempts, "bytes": bytes}))
        }
    }
}

fn usage(told: Told) -> Usage {
    let count = |meter| told.metered.count(meter);
    // Earlier turns of the same answer are billed with the last, which alone is what clients are told.
    let (input, output) = (count(Meter::EarlierInput), count(Meter::EarlierOutput));
    Usage {
        prompt_tokens: told.prompt.saturating_add(input),
        completion_tokens: told.completion.saturating_add(output),
        total_tokens: told.total().saturating_add(input).saturating_add(output),
        cached_tokens: told.cached.unwrap_or_default() + count(Meter::EarlierCached),
        cache_write_tokens: told.cache_written.unwrap_or_default() + count(Meter::EarlierCacheWritten),
        cache_write_1h_tokens: told.cache_written_1h.unwrap_or_default()
            + count(Meter::EarlierCacheWritten1h),
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

fn told(Failure { cause, message }: &Failure) -> RecordError {
    RecordError {
        class: cause.kind.as_str().replace(' ', "_"),
        code: cause.code.as_deref().map(str::to_owned),
        message: message.as_deref().map(str::to_owned),
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
    let fields = match object.and_then(|object| serde_json::from_str(object).ok()) {
        Some(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let of_object = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(_) | Value::Bool(_) => Some((name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    let of_baggage = baggage.unwrap_or_default().split(',').filter_map(entry);
    let short = |text: String| text.chars().take(VALUE_CHARACTERS_MAX).collect::<String>();
    let mut told = BTreeMap::new();
    for (name, value) in of_object.chain(of_baggage) {
        let name = short(name);
        if told.len() < FIELDS_MAX {
            told.entry(name).or_insert_with(|| short(value));
        }
    }
    told
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
        let crowd: Vec<String> = (0..FIELDS_MAX).map(|number| format!("b{number}=x")).collect();
        let told = metadata(Some(r#"{"z":"mine"}"#), Some(&crowd.join(",")));
        assert_eq!((told["z"].as_str(), told.len()), ("mine", FIELDS_MAX));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(500));
        assert_eq!(metadata(Some(&long), None)["a"].len(), VALUE_CHARACTERS_MAX);
    }
}
