//! A provider that writes down what it bills, and what a gateway has kept of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, once_within};

/// How long a slow answer takes: long enough for a hedge.
pub const SLOW: Duration = Duration::from_millis(120);
/// How long records may be under way.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// What was done for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// An answer to the end, with its count of tokens.
    Whole(u64, u64),
    /// An answer that breaks off before anything is counted.
    Cut,
    /// An error: nothing is billed.
    Refused,
}

/// What a provider has done, by its own names of calls.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<(Work, Instant)>>>);

impl Ledger {
    /// Calls so far, by their names.
    pub fn calls(&self) -> BTreeMap<String, (Work, Instant)> {
        let calls = self.0.lock().unwrap();
        calls.iter().enumerate().map(|(number, call)| (name(number), *call)).collect()
    }

    fn book(&self, work: impl FnOnce(usize) -> Work) -> (usize, Work) {
        let mut calls = self.0.lock().unwrap();
        let (number, work) = (calls.len(), work(calls.len()));
        calls.push((work, Instant::now()));
        (number, work)
    }

    /// A provider that fails in all ways, in turn, and bills into this ledger.
    pub fn upstream(&self) -> Upstream {
        let ledger = self.clone();
        Upstream::serve(move |request: &Request| {
            let (number, work) = ledger.book(work);
            let stream = request.json()["stream"] == true;
            answer(number, work, stream).header("x-request-id", &name(number))
        })
    }
}

fn name(number: usize) -> String {
    format!("call-{number}")
}

fn work(number: usize) -> Work {
    match number % 13 {
        0 | 1 => Work::Refused,
        2..=4 => Work::Cut,
        _ => Work::Whole(10 + number as u64 % 900, 1 + number as u64 % 70),
    }
}

fn answer(number: usize, work: Work, stream: bool) -> Answer {
    match (work, stream) {
        (Work::Refused, _) if number.is_multiple_of(2) => {
            Answer::json(r#"{"error":{"message":"failed","type":"server_error"}}"#).status(500)
        }
        (Work::Refused, _) => {
            Answer::json(r#"{"error":{"message":"later","type":"rate_limit"}}"#).status(429)
        }
        (Work::Cut, false) => whole(9, 9, number).broken_after(20, Step::Reset),
        // Before its first words, and behind them.
        (Work::Cut, true) if number.is_multiple_of(2) => streamed(None).broken_after(30, Step::Cut),
        (Work::Cut, true) => streamed(None).then(Step::Cut),
        (Work::Whole(prompt, completion), false) => {
            let answer = whole(prompt, completion, number);
            // Some are waited for too long, and another one is asked.
            if number % 13 == 12 { answer.first(Step::Pause(SLOW)) } else { answer }
        }
        (Work::Whole(prompt, completion), true) => streamed(Some((prompt, completion))),
    }
}

fn whole(prompt: u64, completion: u64, number: usize) -> Answer {
    // Some are too large to be looked at before they go on.
    let text = "a".repeat(if number.is_multiple_of(9) { 70_000 } else { 10 });
    let mut answer: Value = crate::json(&openai::chat(&text));
    answer["usage"] = usage(prompt, completion);
    Answer::json(answer.to_string())
}

/// A stream, to its end where tokens are counted.
fn streamed(tokens: Option<(u64, u64)>) -> Answer {
    let stream = openai::chat_stream_with_usage(&["first", "second"]);
    let Some((prompt, completion)) = tokens else {
        return Answer::stream(stream[..stream.find("\"stop\"").unwrap()].rsplit_once("data: ").unwrap().0);
    };
    let own = usage(prompt, completion);
    let lines = stream.lines().map(|line| match line.strip_prefix("data: ") {
        Some(data) if data.contains("\"total_tokens\"") => {
            let mut event: Value = crate::json(data);
            event["usage"] = own.clone();
            format!("data: {event}\n")
        }
        _ => format!("{line}\n"),
    });
    Answer::stream(lines.collect::<String>())
}

fn usage(prompt: u64, completion: u64) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

/// All attempts that a gateway has kept, newest first.
pub fn attempts(gateway: &Gateway) -> Vec<Value> {
    let (mut attempts, mut after) = (Vec::new(), String::new());
    loop {
        let page = asked(gateway, &format!("/v1/logs?limit=500{after}"));
        for record in page["data"].as_array().unwrap() {
            attempts.extend(record["attempts"].as_array().unwrap().iter().cloned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return attempts,
        }
    }
}

/// What is told at a path.
pub fn asked(gateway: &Gateway, path: &str) -> Value {
    Ask::new("GET", path).to(gateway).json()
}

/// Sums of all, once there are so many requests.
pub fn sums(gateway: &Gateway, requests: u64) -> Value {
    once_within(WRITTEN_WITHIN, || match &asked(gateway, "/v1/analytics/summary?since=1h")["total"] {
        total if total["requests"] == requests => Ok(total.clone()),
        total => Err(format!("{requests}: {total}")),
    })
}

/// An amount in units of 10^-7 dollars, in which all costs of these tests are whole.
pub fn units(amount: &Value) -> u64 {
    let amount: f64 = amount.as_str().map_or(0.0, |amount| amount.parse().unwrap());
    (amount * 1e7).round() as u64
}
