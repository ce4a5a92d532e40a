//! Lines as text for people, and as JSON for programs.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use humantime::format_rfc3339_millis;
use serde_json::{Map, Value};

use super::access::{Access, End};
use super::filter::Level;
use super::{Price, Said};

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people; with colours on a terminal, unless NO_COLOR is set.
    Text,
    /// One JSON object a line.
    Json,
}

/// Escape sequences of terminals.
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";
/// The currency that goes without saying.
const USD: &str = "USD";

/// Makes lines. Clocks of two kinds are put side by side once for each line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formatter {
    pub(super) format: Format,
    pub(super) has_colours: bool,
}

impl Formatter {
    /// Adds the line of a request, with the line end.
    pub(super) fn access(self, access: &Access<'_>, out: &mut String) {
        match self.format {
            Format::Text => self.access_text(access, out),
            Format::Json => push_json(access_json(access), out),
        }
        out.push('\n');
    }

    /// Adds the line of what is said, with the line end.
    pub(super) fn said(self, said: &Said, out: &mut String) {
        match self.format {
            Format::Text => self.said_text(said, out),
            Format::Json => push_json(said_json(said), out),
        }
        out.push('\n');
    }

    fn said_text(self, Said { at, level, target, text }: &Said, out: &mut String) {
        let colour = self.colour(*level);
        let (time, target) = (format_rfc3339_millis(moment(*at)), target.as_str());
        let _ = write!(
            out,
            "{}{time}{} {colour}{}{} {target}: ",
            self.dim(),
            self.plain(),
            level.as_str(),
            self.plain()
        );
        out.push_str(text.trim_end());
    }

    fn access_text(self, access: &Access<'_>, out: &mut String) {
        let ended = format_rfc3339_millis(moment(access.began + access.took));
        let (colour, dim, plain) = (self.colour(access.level()), self.dim(), self.plain());
        let _ = write!(
            out,
            "{dim}{ended}{plain} {colour}{}{plain} {} {}",
            access.status,
            access.method,
            word(access.path)
        );
        let mut field = |name: &str, value: &str| {
            let _ = write!(out, " {dim}{name}={plain}{value}");
        };
        match (access.client, access.peer) {
            (Some(client), _) => field("client", &word(client)),
            (None, Some(peer)) => field("peer", &peer.to_string()),
            (None, None) => {}
        }
        if let Some(provider) = access.provider {
            let model = access.model.map(|model| format!("/{model}")).unwrap_or_default();
            field("to", &word(&format!("{}{model}", header(provider))));
        }
        if let Some(key) = access.key {
            field("key", &word(&key.key));
            if !key.resting.is_empty() {
                let told = key.resting.iter().map(|key| {
                    format!(
                        "{} for {} ({})",
                        key.key,
                        millis_text(Duration::from_millis(key.for_ms)),
                        key.why.as_str()
                    )
                });
                field("resting", &word(&told.collect::<Vec<_>>().join(", ")));
            }
        }
        if let Some(usage) = access.count.usage() {
            field("tokens", &format!("{}+{}", usage.prompt, usage.completion));
        }
        if let Some(cache) = access.cache {
            field("cache", cache.as_str());
        }
        if let Some(Price { amount, currency }) = &access.cost {
            let currency = if currency == USD { "" } else { currency };
            field("cost", &word(&format!("{amount}{currency}")));
        }
        if access.retries > 0 {
            field("retries", &access.retries.to_string());
        }
        if let Some(first_token) = access.first_token {
            field("first_token", &millis_text(first_token));
        }
        field("took", &millis_text(access.took));
        if let Some(trace_id) = access.trace_id {
            field("trace", &word(header(trace_id)));
        }
        if access.end != End::Whole {
            field("end", access.end.as_str());
        }
        if let Some(cause) = access.cause {
            let code = cause.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
            let detail = cause.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            let told = format!("{}{code}{detail}; {}", cause.kind.as_str(), cause.remedy());
            field("error", &word(&told));
        }
    }

    fn colour(self, level: Level) -> &'static str {
        match level {
            _ if !self.has_colours => "",
            Level::Error => RED,
            Level::Warn => YELLOW,
            Level::Off | Level::Info | Level::Debug => GREEN,
        }
    }

    fn dim(self) -> &'static str {
        if self.has_colours { DIM } else { "" }
    }

    fn plain(self) -> &'static str {
        if self.has_colours { PLAIN } else { "" }
    }
}

fn access_json(access: &Access<'_>) -> Map<String, Value> {
    let mut line = Map::new();
    let mut set = |name: &str, value: Value| {
        line.insert(name.to_owned(), value);
    };
    set("time", format_rfc3339_millis(moment(access.began + access.took)).to_string().into());
    set("level", access.level().as_str().into());
    set("target", "access".into());
    set("status", access.status.into());
    set("method", access.method.as_str().into());
    set("path", access.path.into());
    if let Some(client) = access.client {
        set("client", client.into());
    }
    if let Some(peer) = access.peer {
        set("peer", peer.to_string().into());
    }
    if let Some(provider) = access.provider {
        set("provider", header(provider).into());
    }
    if let Some(model) = access.model {
        set("model", model.into());
    }
    if let Some(Value::Object(key)) = access.key.and_then(|key| serde_json::to_value(key).ok()) {
        key.into_iter().for_each(|(name, value)| set(&name, value));
    }
    if let Some(usage) = access.count.usage() {
        set("tokens_in", usage.prompt.into());
        set("tokens_out", usage.completion.into());
    }
    if let Some(cache) = access.cache {
        set("cache", cache.as_str().into());
    }
    if let Some(Price { amount, currency }) = &access.cost {
        set("cost", amount.as_str().into());
        set("currency", currency.as_str().into());
    }
    if access.retries > 0 {
        set("retries", access.retries.into());
    }
    if let Some(first_token) = access.first_token {
        set("first_token_ms", millis(first_token).into());
    }
    set("duration_ms", millis(access.took).into());
    if let Some(trace_id) = access.trace_id {
        set("trace_id", header(trace_id).into());
    }
    set("end", access.end.as_str().into());
    if let Some(cause) = access.cause {
        let mut error = Map::new();
        error.insert("kind".into(), cause.kind.as_str().into());
        error.extend(cause.code.as_deref().map(|code| ("code".into(), code.into())));
        error.extend(cause.detail.as_deref().map(|detail| ("detail".into(), detail.into())));
        error.insert("remedy".into(), cause.remedy().into());
        set("error", Value::Object(error));
    }
    line
}

fn said_json(Said { at, level, target, text }: &Said) -> Map<String, Value> {
    let fields = [
        ("time", format_rfc3339_millis(moment(*at)).to_string()),
        ("level", level.as_str().to_owned()),
        ("target", target.as_str().to_owned()),
        ("message", text.trim_end().to_owned()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn push_json(line: Map<String, Value>, out: &mut String) {
    // The control characters that JSON lets stand as they are steer terminals all the same.
    for letter in Value::Object(line).to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}' => drop(write!(out, "\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
}

/// The time of day of a moment that was noted a little while ago.
fn moment(at: Instant) -> SystemTime {
    SystemTime::now() - at.elapsed()
}

fn header(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// In milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn millis_text(time: Duration) -> String {
    match time.as_millis() {
        0 => format!("{:.2}ms", millis(time)),
        whole => format!("{whole}ms"),
    }
}

/// A value that is one word, or is put in quotes: nothing in it ends the line or steers the terminal.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("{text:?}"),
    }
}
