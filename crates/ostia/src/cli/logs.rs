//! `ostia logs`: what was kept of requests, as lines for people or as JSON. It reads what is kept itself, whether the gateway runs or not.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use ostia_config::{Records, Report};
use ostia_store::{Filter, Page, PageSize, Place, ReadError, Reader};
use serde_json::Value;

use super::{File, shown};
use crate::config::load::{self, Loaded};
use crate::config::record_server;
use crate::endpoints::logs::{age_ms, status};
use crate::store;

/// How often it is looked whether there are more.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Most requests that are read at once.
const REQUESTS_MAX: u32 = PageSize::MAX;

/// Options of `logs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Logs {
    /// What else is to be done with them.
    #[command(subcommand)]
    pub command: Option<LogsCommand>,
    /// Go on, and print what comes.
    #[arg(long, short)]
    pub follow: bool,
    /// Which requests.
    #[command(flatten)]
    pub wanted: Wanted,
    /// The newest so many.
    #[arg(long, short, value_name = "NUMBER", default_value_t = 20)]
    pub number: u32,
    /// Print a line of JSON for each, with all that is kept but the bodies.
    #[arg(long)]
    pub json: bool,
}

/// What else is done with requests.
#[derive(Debug, Subcommand)]
pub enum LogsCommand {
    /// Print all of them as lines of JSON, the newest first.
    #[command(after_help = "\
Examples:
  ostia logs export --since 7d > week.jsonl
  ostia logs export --status error --bodies | gzip > failures.jsonl.gz")]
    Export(Export),
}

/// Options of `logs export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Which requests.
    #[command(flatten)]
    pub wanted: Wanted,
    /// With their bodies, as far as they are kept.
    #[arg(long)]
    pub bodies: bool,
}

/// Which requests are meant.
#[derive(Debug, Args)]
pub struct Wanted {
    /// Only these: success, error, client_left, a status like 404, or 4xx.
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Only those that this provider answered.
    #[arg(long, short, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Only those for this model.
    #[arg(long, short, value_name = "MODEL")]
    pub model: Option<String>,
    /// Only this trace, request, or request id of a provider.
    #[arg(long, value_name = "ID")]
    pub trace: Option<String>,
    /// Only this conversation, or run of an agent.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Only those of the last 15m, 12h, 7d.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Where they are kept.
    #[command(flatten)]
    pub kept: KeptIn,
}

/// Where records are kept.
#[derive(Debug, Args)]
pub struct KeptIn {
    /// Which server, if the file names one.
    #[command(flatten)]
    pub file: File,
    /// Directory in which the gateway keeps its data.
    #[arg(long, value_name = "DIRECTORY", env = "OSTIA_DATA")]
    pub data: Option<PathBuf>,
}

impl Logs {
    /// Prints them.
    ///
    /// # Errors
    /// An option that makes no sense, or a file that cannot be read.
    pub fn run(&self) -> Result<(), String> {
        if let Some(LogsCommand::Export(export)) = &self.command {
            return export.run();
        }
        let mut reader = self.wanted.kept.reader()?;
        let filter = self.wanted.filter()?;
        let size = PageSize::new(self.number);
        let size = size.ok_or_else(|| format!("--number must be from 1 to {REQUESTS_MAX}."))?;
        let mut last = reader.last_number().map_err(told)?;
        let (mut newest, _) = reader.list(&filter, Page { after: None, size }).map_err(told)?;
        newest.reverse();
        let mut is_read = self.print(&newest);
        while self.follow && is_read {
            thread::sleep(LOOK_EVERY);
            let more;
            (more, last) = reader.newer(&filter, last, REQUESTS_MAX).map_err(told)?;
            is_read = self.print(&more);
        }
        Ok(())
    }

    /// Is anybody there who reads it?
    fn print(&self, requests: &[Value]) -> bool {
        let line = |request: &Value| if self.json { request.to_string() } else { line(request) };
        print(requests.iter().map(line))
    }
}

impl Export {
    fn run(&self) -> Result<(), String> {
        let mut reader = self.wanted.kept.reader()?;
        let filter = self.wanted.filter()?;
        let mut page = Page { after: None, size: PageSize::DEFAULT };
        loop {
            let read = match self.bodies {
                true => reader.list_with_bodies(&filter, page),
                false => reader.list(&filter, page),
            };
            let (requests, next) = read.map_err(told)?;
            let is_read = print(requests.iter().map(Value::to_string));
            page.after = next.as_deref().and_then(Page::cursor);
            if page.after.is_none() || !is_read {
                return Ok(());
            }
        }
    }
}

impl KeptIn {
    /// The configuration, without credentials, which this machine need not have.
    ///
    /// # Errors
    /// It makes no sense.
    pub fn configuration(&self) -> Result<Loaded, String> {
        let file = self.file.config.as_deref();
        load::without_secrets(file, self.data.as_deref()).map_err(|report| shown(&report))
    }

    /// Where the gateway keeps its records, by its configuration.
    ///
    /// # Errors
    /// The password or the certificates of a server that are not here, or nothing is kept.
    pub fn place(&self, loaded: &Loaded) -> Result<Place, String> {
        let mut report = Report::new(&*loaded.name);
        let records = Records { are_kept: true, ..loaded.fixed.records.clone() };
        let server = record_server::read(&records, &RefCell::default(), &mut report);
        if report.has_errors() {
            return Err(shown(&report));
        }
        let network = store::network(&loaded.settings);
        match store::place(&records, server.as_ref(), network, self.data.as_deref())? {
            Some(Place::File(path)) if !path.exists() => {
                Err(format!("Nothing is kept in {}: name the directory with --data.", path.display()))
            }
            Some(place) => Ok(place),
            None => Err("Nothing is kept.".to_owned()),
        }
    }

    /// Who reads of these.
    ///
    /// # Errors
    /// As both above.
    pub fn reader(&self) -> Result<Reader, String> {
        Ok(Reader::of(&self.place(&self.configuration()?)?))
    }
}

/// When a time of `15m`, `12h`, `7d` began that ends now, in milliseconds since 1970.
///
/// # Errors
/// It is no such time.
pub fn since_ms(since: &str) -> Result<i64, String> {
    let time = age_ms(since).ok_or_else(|| "--since must be a time like 15m, 12h or 7d.".to_owned())?;
    Ok(now_ms().saturating_sub(time))
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Prints lines. Is anybody there who reads them?
fn print(lines: impl Iterator<Item = String>) -> bool {
    let text: String = lines.map(|line| line + "\n").collect();
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

impl Wanted {
    fn filter(&self) -> Result<Filter, String> {
        let checked = |given: &String| status("--status", given).map_err(|fault| fault.message);
        Ok(Filter {
            from_ms: self.since.as_deref().map(since_ms).transpose()?,
            session: self.session.clone(),
            status: self.status.as_ref().map(checked).transpose()?,
            provider: self.provider.clone(),
            model: self.model.clone(),
            trace: self.trace.clone(),
            ..Filter::default()
        })
    }
}

/// Why something cannot be read, in words for the operator.
pub fn told(error: ReadError) -> String {
    match error {
        ReadError::TooSlow => "That took too long: ask for less time.".to_owned(),
        ReadError::Unreadable(why) => format!("It cannot be read: {why}."),
    }
}

/// A text as a terminal may have it: whoever named something in a record neither ends the line nor moves the cursor.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").replace(|c: char| c.is_control(), "?")
}

/// One request on one line.
fn line(request: &Value) -> String {
    let started = u64::try_from(request["started_ms"].as_i64().unwrap_or_default()).unwrap_or_default();
    let started = humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(started));
    let none = Vec::new();
    let attempts = request["attempts"].as_array().unwrap_or(&none);
    let provider = attempts.last().map_or("-".to_owned(), |attempt| text(&attempt["provider"]));
    let mut line = format!(
        "{started} {} {} {provider}/{}",
        request["status"],
        text(&request["path"]),
        text(&request["model"])
    );
    let sum = |name: &str| attempts.iter().filter_map(|attempt| attempt["usage"][name].as_u64()).sum::<u64>();
    let mut field = |name: &str, value: String| line.push_str(&format!(" {name}={value}"));
    field("tokens", format!("{}+{}", sum("prompt_tokens"), sum("completion_tokens")));
    if let Some(cache) = request["cache"]["status"].as_str() {
        field("cache", cache.to_owned());
    }
    for attempt in attempts {
        match (attempt["cost"]["amount"].as_str(), attempt["cost_unknown"].is_string()) {
            (Some(amount), _) => field("cost", format!("{amount} {}", text(&attempt["cost"]["currency"]))),
            (None, true) => field("cost", "unknown".to_owned()),
            (None, false) => {}
        }
    }
    if attempts.len() > 1 {
        field("attempts", attempts.len().to_string());
    }
    if let Some(first_token) = request["first_token_us"].as_u64() {
        field("first_token", format!("{}ms", first_token / 1000));
    }
    field("took", format!("{}ms", request["duration_us"].as_u64().unwrap_or_default() / 1000));
    let guardrails = request["guardrails"].as_array().unwrap_or(&none);
    let failed: Vec<String> =
        guardrails.iter().filter(|one| one["verdict"] == false).map(|one| text(&one["id"])).collect();
    if !failed.is_empty() {
        field("guardrails_failed", failed.join(","));
    }
    if request["end"] != "whole" {
        field("end", text(&request["end"]));
    }
    if request["error"]["class"].is_string() {
        field("error", text(&request["error"]["class"]));
    }
    field("id", text(&request["id"]));
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_for_people() {
        let request = json!({
            "id": "r1", "started_ms": 1_764_400_000_000_i64, "status": 200, "path": "/v1/chat/completions", "model": "m\u{1b}",
            "end": "broken", "duration_us": 41_900, "first_token_us": 9_100, "error": {"class": "timeout"},
            "cache": {"status": "miss", "by": "upstream"},
            "guardrails": [{"id": "pii", "verdict": false}, {"id": "words", "verdict": true}],
            "attempts": [
                {"provider": "groq", "cost_unknown": "no", "usage": {"prompt_tokens": 1, "completion_tokens": 0}},
                {"provider": "openai", "cost": {"amount": "0.1", "currency": "USD"},
                 "usage": {"prompt_tokens": 9, "completion_tokens": 2}}],
        });
        let expected = "2025-11-29T07:06:40.000Z 200 /v1/chat/completions openai/m? tokens=10+2 cache=miss cost=unknown cost=0.1 USD \
                        attempts=2 first_token=9ms took=41ms guardrails_failed=pii end=broken error=timeout id=r1";
        assert_eq!(line(&request), expected);
    }

    #[test]
    fn what_others_named_stays_on_its_line() {
        let hostile = "a\n2026-11-30 200 all is well\r\u{1b}]0;title\u{7}\u{1b}[2J\u{7f}\u{9b}K";
        let shown = "a?2026-11-30 200 all is well??]0;title??[2J??K";
        let request = json!({
            "id": hostile, "started_ms": 1_764_400_000_000_i64, "status": 200, "path": hostile, "model": hostile, "end": hostile,
            "duration_us": 41_900, "error": {"class": hostile},
            "guardrails": [{"id": hostile, "verdict": false}, {"id": "words", "verdict": false}],
            "attempts": [{"provider": hostile}],
        });
        let expected = format!(
            "2025-11-29T07:06:40.000Z 200 {shown} {shown}/{shown} tokens=0+0 took=41ms guardrails_failed={shown},words \
             end={shown} error={shown} id={shown}"
        );
        assert_eq!(line(&request), expected);
    }
}
