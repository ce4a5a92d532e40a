//! A request as spans: one for itself, and one below it for each attempt, after OpenTelemetry's conventions for generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>) and for HTTP
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>). What they have no name for is `ostia.*`.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use ostia_dialect::chat::conventions::{Answered, Asked, Parameter};
use ostia_dialect::{Api, ClientDialect};
use ostia_store::{Attempt, GuardrailVerdict, Kept, Outcome, Record};

use super::Telling;
use super::names::{self, Ids};
use super::values::Attributes;

const NANOS_IN_MICRO: u64 = 1000;
const NANOS_IN_MILLI: u64 = 1_000_000;
const MICROS_IN_SECOND: f64 = 1e6;
/// The bit of a trace's flags that says that it is sampled.
const SAMPLED: u32 = 1;

/// The span of the request first, then those of its attempts.
pub fn spans(record: &Record, ids: &Ids, telling: &Telling<'_>) -> Vec<Span> {
    let attempts = record.attempts.iter().enumerate();
    let below = attempts.map(|(number, attempt)| of_attempt(record, (number, attempt), ids, telling));
    let mut spans: Vec<Span> = std::iter::once(of_request(record, ids)).chain(below).collect();
    if let Some(last) = spans.last_mut() {
        last.attributes.extend(of_bodies(record, telling).0);
    }
    spans
}

/// A moment of the request, in nanoseconds since 1970.
pub fn nanos(record: &Record, after_us: u64) -> u64 {
    let started = u64::try_from(record.started_ms).unwrap_or_default().saturating_mul(NANOS_IN_MILLI);
    started.saturating_add(after_us.saturating_mul(NANOS_IN_MICRO))
}

/// The flags of its trace.
pub fn flags(record: &Record, is_sampled: bool) -> u32 {
    let other = record.trace_flags.map_or(0, u32::from) & !SAMPLED;
    other | if is_sampled { SAMPLED } else { 0 }
}

fn of_request(record: &Record, ids: &Ids) -> Span {
    let mut attributes = Attributes::default();
    request_attributes(record, ids, &mut attributes);
    Span {
        trace_id: ids.trace.to_vec(),
        span_id: ids.span.to_vec(),
        parent_span_id: ids.parent.map(Vec::from).unwrap_or_default(),
        trace_state: record.trace_state.clone().unwrap_or_default(),
        flags: flags(record, true),
        name: record.span_name.clone().unwrap_or_else(|| name(record)),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: nanos(record, 0),
        end_time_unix_nano: nanos(record, record.duration_us),
        attributes: attributes.0,
        // That a client asked for something wrong is no failure of a server's.
        status: (record.status >= 500 || record.end == "broken").then(|| failed(String::new())),
        ..Span::default()
    }
}

/// Method and path where there are few paths; of what is handed on unread, and of paths with a model in them, the method alone.
fn name(record: &Record) -> String {
    match record.operation.is_some() && !record.path.contains(':') {
        true => format!("{} {}", record.method, record.path),
        false => record.method.clone(),
    }
}

/// What is told of a request, in its span and in its log record.
pub fn request_attributes(record: &Record, ids: &Ids, to: &mut Attributes) {
    to.text("http.request.method", &*record.method);
    to.text("url.path", &*record.path);
    to.count("http.response.status_code", record.status.into());
    to.count("http.request.body.size", record.request_bytes);
    to.count("http.response.body.size", record.response_bytes);
    to.some_text("client.address", record.client.as_deref());
    to.some_text("user_agent.original", record.user_agent.as_deref());
    to.some_text("error.type", names::error_of_request(record).as_deref());
    to.some_text("gen_ai.operation.name", names::operation(record.operation.as_deref()));
    to.some_text("gen_ai.request.model", record.model.as_deref());
    to.some_text("gen_ai.conversation.id", record.session.as_deref());
    to.text("ostia.request.id", &*record.id);
    if !ids.is_same {
        to.text("ostia.trace.id", &*record.trace_id);
    }
    to.some_text("ostia.key", record.key.as_deref());
    to.text("ostia.end", &*record.end);
    to.flag("ostia.stream", record.stream);
    to.count("ostia.attempts", record.attempts.len() as u64);
    to.number("ostia.upstream.duration", record.upstream_us as f64 / MICROS_IN_SECOND);
    results(record, to);
    for (name, value) in &record.metadata {
        to.text(&format!("ostia.metadata.{name}"), &**value);
    }
}

/// What caches of answers and guardrails did.
fn results(record: &Record, to: &mut Attributes) {
    if let Some(cache) = &record.cache {
        to.text("ostia.cache.status", cache.status.as_str());
        to.text("ostia.cache.by", cache.by.as_str());
    }
    if let Some(verdict) = GuardrailVerdict::of(&record.guardrails) {
        to.text("ostia.guardrails.verdict", verdict.as_str());
    }
    let failed: Vec<&str> =
        record.guardrails.iter().filter(|result| !result.verdict).map(|result| &*result.id).collect();
    if !failed.is_empty() {
        to.texts("ostia.guardrails.failed", failed);
    }
}

fn of_attempt(
    record: &Record,
    (number, attempt): (usize, &Attempt),
    ids: &Ids,
    telling: &Telling<'_>,
) -> Span {
    let operation = names::operation(record.operation.as_deref());
    let mut attributes = Attributes::default();
    attempt_attributes(record, attempt, telling, &mut attributes);
    attributes.count("ostia.attempt", number as u64);
    let model = attempt.model.as_deref().or(record.model.as_deref());
    let words = [operation.unwrap_or(&record.method), model.unwrap_or_default()];
    Span {
        trace_id: ids.trace.to_vec(),
        span_id: names::attempt_span(attempt, number, ids.span).to_vec(),
        parent_span_id: ids.span.to_vec(),
        trace_state: record.trace_state.clone().unwrap_or_default(),
        flags: flags(record, true),
        name: words.join(" ").trim_end().to_owned(),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: nanos(record, attempt.sent_us),
        end_time_unix_nano: nanos(record, attempt.ended_us.max(attempt.sent_us)),
        attributes: attributes.0,
        status: status(attempt, telling),
        ..Span::default()
    }
}

/// What the bodies say, as the conventions have it, in the span of the attempt that answered: what was asked for, and where content is
/// wanted all words. Of bodies that are not kept, or not to their end, nothing is said.
fn of_bodies(record: &Record, telling: &Telling<'_>) -> Attributes {
    let mut to = Attributes::default();
    let dialect = record.operation.as_deref().and_then(Api::from_name).and_then(Api::dialect);
    let Some(client) = dialect.and_then(ClientDialect::of) else { return to };
    if let Some(asked) = whole(&record.request).and_then(|body| Asked::read(client, body)) {
        asked.parameters().into_iter().for_each(|(name, value)| parameter(name, value, &mut to));
        if telling.content {
            to.some_text("gen_ai.system_instructions", asked.system_instructions().as_deref());
            to.text("gen_ai.input.messages", asked.messages());
            to.some_text("gen_ai.tool.definitions", asked.tool_definitions().as_deref());
        }
    }
    // To read a stream takes as long as all else, and its name alone is not worth that.
    let answer = whole(&record.response).filter(|_| telling.content);
    if let Some(answered) = answer.and_then(|body| Answered::read(client, body)) {
        to.some_text("gen_ai.response.id", Some(answered.id()));
        to.text("gen_ai.output.messages", answered.messages());
    }
    to
}

fn parameter(name: &str, value: Parameter<'_>, to: &mut Attributes) {
    match value {
        Parameter::Text(text) => to.text(name, text),
        Parameter::Texts(texts) => to.texts(name, texts.iter().map(String::as_str)),
        Parameter::Count(count) => to.whole(name, count),
        Parameter::Number(number) => to.number(name, number),
    }
}

fn whole(body: &Kept) -> Option<&[u8]> {
    match body {
        Kept::Bytes { bytes, .. } if !body.is_cut() => Some(bytes),
        Kept::Bytes { .. } | Kept::Missing(_) => None,
    }
}

fn status(attempt: &Attempt, telling: &Telling<'_>) -> Option<Status> {
    match attempt.outcome {
        // Providers repeat in their messages what they were sent.
        Outcome::Failed | Outcome::Broken => {
            let message = attempt.error.as_ref().and_then(|error| error.message.clone());
            Some(failed(message.filter(|_| telling.content).unwrap_or_default()))
        }
        Outcome::Answered | Outcome::Abandoned => None,
    }
}

fn failed(message: String) -> Status {
    Status { code: StatusCode::Error.into(), message }
}

fn attempt_attributes(record: &Record, attempt: &Attempt, telling: &Telling<'_>, to: &mut Attributes) {
    to.some_text("gen_ai.operation.name", names::operation(record.operation.as_deref()));
    to.text("gen_ai.provider.name", (telling.provider)(&attempt.provider));
    to.some_text("gen_ai.request.model", attempt.model.as_deref());
    to.some_text("gen_ai.response.model", attempt.answered_model.as_deref());
    to.some_text("gen_ai.conversation.id", record.session.as_deref());
    if record.stream {
        to.flag("gen_ai.request.stream", true);
    }
    // One that was waited for and did not come is `error`.
    let reason = attempt.finish_reason.as_deref().or((attempt.outcome == Outcome::Broken).then_some("error"));
    if let Some(reason) = reason {
        to.texts("gen_ai.response.finish_reasons", [reason]);
    }
    if let Some(first_token_us) = attempt.first_token_us {
        let waited_us = first_token_us.saturating_sub(attempt.sent_us);
        to.number("gen_ai.response.time_to_first_chunk", waited_us as f64 / MICROS_IN_SECOND);
    }
    if let Some(usage) = &attempt.usage {
        let billed = |billed: u64, told: u64| if billed > 0 { billed } else { told };
        to.count("gen_ai.usage.input_tokens", billed(usage.billed_prompt_tokens, usage.prompt_tokens));
        to.count(
            "gen_ai.usage.output_tokens",
            billed(usage.billed_completion_tokens, usage.completion_tokens),
        );
        to.some_count("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens);
        to.some_count("gen_ai.usage.cache_write.input_tokens", usage.cache_write_tokens);
        to.some_count("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
        to.some_count("gen_ai.usage.audio.input_tokens", usage.audio_prompt_tokens);
        to.some_count("gen_ai.usage.audio.cache_read.input_tokens", usage.cached_audio_tokens);
        to.some_count("gen_ai.usage.audio.output_tokens", usage.audio_completion_tokens);
        to.some_count("gen_ai.usage.image.input_tokens", usage.image_prompt_tokens);
        to.some_count("gen_ai.usage.image.output_tokens", usage.image_completion_tokens);
    }
    to.some_text("error.type", names::error_of_attempt(attempt).as_deref());
    if let Some((host, port)) = attempt.server.as_deref().map(names::host_and_port) {
        to.text("server.address", host);
        to.some_count("server.port", port.unwrap_or_default().into());
    }
    to.some_count("http.response.status_code", attempt.status.unwrap_or_default().into());
    to.text("ostia.target", &*attempt.target);
    to.text("ostia.provider", &*attempt.provider);
    to.text("ostia.outcome", attempt.outcome.as_str());
    to.some_text("ostia.provider.request_id", attempt.request_id.as_deref());
    if !attempt.dropped.is_empty() {
        to.texts("ostia.dropped", attempt.dropped.iter().map(String::as_str));
    }
    cost_attributes(attempt, to);
}

/// What it cost, as a number for backends that add up and as the exact amount; or why nobody knows.
fn cost_attributes(attempt: &Attempt, to: &mut Attributes) {
    if let Some(cost) = &attempt.cost {
        if let Ok(amount) = cost.amount.parse() {
            to.number("ostia.cost", amount);
        }
        to.text("ostia.cost.amount", &*cost.amount);
        to.text("ostia.cost.currency", &*cost.currency);
        to.text("ostia.cost.priced_as", &*cost.priced_as);
    }
    to.some_text("ostia.cost.unknown", attempt.cost_unknown.as_deref());
}
