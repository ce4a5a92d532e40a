//! What the model says, and what has to have reached it by then.

use std::collections::HashMap;

use ostia_testkit::model::{Call, Offer, Speech, Told, Turn};
use ostia_testkit::strict::{Refusal, Vendor};
use ostia_testkit::{Answer, Request};
use serde_json::{Value, json};

use super::edits;
use crate::agents::fresh;

/// Turns that the model takes for the task.
pub(super) const TURNS: usize = 3;
/// What the vendor signs a thought with.
pub(super) const PROOF: &str = "proof>>>??";
const TASK: &str = "Weather in Rome, Oslo and Atlantis?";
pub(super) const REPORT: &str = "Rome has 21 C, Oslo has 9 C, and Atlantis is not to be found.";
const THOUGHT: &str = "I have to look.";
/// What the model says beside its first call.
pub(super) const WORDS: &str = "I will look.";
/// What a client with a history brings at least.
pub(super) const HISTORY_MIN: usize = 3;

/// A vendor's server: it holds requests against its rules, and remembers what the model said where clients may refer to it.
pub(super) struct Server {
    vendor: Vendor,
    /// Items of answers in the Responses API, by their ids.
    items: HashMap<String, Value>,
}

impl Server {
    pub fn new(vendor: Vendor) -> Server {
        Server { vendor, items: HashMap::new() }
    }

    /// # Errors
    /// Where a rule is broken, or something that matters has not reached the model.
    pub fn answer(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let mut body = request.json();
        let stream = body["stream"] == true || request.target.contains(":streamGenerateContent");
        if let Some(input) = body.get_mut("input").and_then(Value::as_array_mut) {
            for item in input {
                let id = (item["type"] == "item_reference").then(|| item["id"].as_str().unwrap_or_default());
                if let Some(known) = id.and_then(|id| self.items.get(id)) {
                    *item = known.clone();
                }
            }
        }
        if self.vendor == Vendor::Compatible {
            take_back(&mut body);
        }
        let request = Request { body: body.to_string().into_bytes(), ..request.clone() };
        self.vendor.check(&request, PROOF)?;
        let turn = turn(self.vendor, &body)?;
        let speech = self.vendor.speech();
        if speech == Speech::Responses && body["store"] != false {
            let whole: Value = serde_json::from_slice(&speech.answer(&turn, false).body()).unwrap();
            let items = whole["output"].as_array().into_iter().flatten();
            self.items.extend(items.map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone())));
        }
        Ok(fresh(&speech.answer(&turn, stream), stream))
    }
}

/// A server that thinks aloud takes its own thoughts back, which some clients send along.
fn take_back(body: &mut Value) {
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten().filter_map(Value::as_object_mut) {
        if message.get("reasoning_content").is_some_and(|thought| thought == THOUGHT) {
            message.remove("reasoning_content");
        }
    }
}

/// The answer to what the model was told so far.
///
/// # Errors
/// Where something that matters has not reached it.
fn turn(vendor: Vendor, body: &Value) -> Result<Turn, Refusal> {
    let whole = vendor.speech().read(body);
    if let Some(mut turn) = edits::turn(&whole)? {
        turn.thought = thinks(vendor, body).then(|| (THOUGHT.to_owned(), PROOF.to_owned()));
        return Ok(turn);
    }
    let asked = whole.iter().rposition(|piece| matches!(piece, Told::User(text) if text.contains(TASK)));
    let Some(asked) = asked else { return number(&whole) };
    let before = whole[..asked].iter().filter(|piece| matches!(piece, Told::Said(_))).count();
    require(before >= HISTORY_MIN, "the history")?;
    let told = &whole[asked..];
    let offers = vendor.speech().offers(body);
    let with = |argument: &str| {
        let has = |schema: &Value| schema["properties"].get(argument).is_some();
        offers.iter().find(|offer| offer.schema.as_ref().is_some_and(has))
    };
    let mut turn = match (with("city"), with("cities")) {
        (Some(tool), _) => look(told, tool)?,
        (None, Some(tool)) => extract(told, tool),
        (None, None) => return require(false, "a tool").map(|()| Turn::default()),
    };
    for (at, call) in turn.calls.iter_mut().enumerate() {
        call.id = id(vendor, whole.len(), at);
    }
    if thinks(vendor, body) {
        turn.thought = Some((THOUGHT.to_owned(), PROOF.to_owned()));
    }
    Ok(turn)
}

/// `Number 3?`: `3.` Clients may have rules of their own below it.
fn number(told: &[Told]) -> Result<Turn, Refusal> {
    let asked = told.last().and_then(|piece| match piece {
        Told::User(text) => text.trim().lines().next()?.strip_prefix("Number ")?.strip_suffix('?'),
        Told::Thought(_) | Told::Said(_) | Told::Called(..) | Told::Result(..) => None,
    });
    let answer = asked.map(|number| Turn { text: Some(format!("{number}.")), ..Turn::default() });
    answer.ok_or_else(|| missing("the task"))
}

/// One call, then two at once of which one fails, then the report.
fn look(told: &[Told], tool: &Offer) -> Result<Turn, Refusal> {
    let results: Vec<&str> = told.iter().filter_map(result).collect();
    let came = |words: &str| results.iter().any(|result| result.contains(words));
    let call = |city: &str| call(tool, json!({"city": city}));
    if results.is_empty() {
        return Ok(Turn { text: Some(WORDS.into()), calls: vec![call("Rome")], thought: None });
    }
    require(came("21 C"), "the result of the first call")?;
    require(said(told).contains(WORDS), "the model's own words")?;
    if results.len() == 1 {
        return Ok(Turn { calls: vec![call("Oslo"), call("Atlantis")], ..Turn::default() });
    }
    require(came("9 C"), "the result of the second call")?;
    require(came("Atlantis"), "the failure of the third call")?;
    require(results.len() == TURNS, "a result of every call, once")?;
    Ok(Turn { text: Some(REPORT.into()), ..Turn::default() })
}

/// What is wrong twice and then right, for clients that have answers corrected.
fn extract(told: &[Told], tool: &Offer) -> Turn {
    // Some clients send the calls back with what is wrong, some only say it.
    let calls = told.iter().filter(|piece| matches!(piece, Told::Called(..))).count();
    let corrections = told.iter().filter(|piece| matches!(piece, Told::User(_))).count() - 1;
    let tries = calls.max(corrections);
    let arguments = match tries {
        0 => json!({"cities": "Rome", "words": 3}),
        1 => json!({"cities": ["Rome", "Oslo"]}),
        _ => json!({"cities": ["Rome", "Oslo"], "words": REPORT}),
    };
    Turn { calls: vec![call(tool, arguments)], ..Turn::default() }
}

fn call(tool: &Offer, arguments: Value) -> Call {
    Call { id: String::new(), namespace: tool.namespace.clone(), name: tool.name.clone(), arguments }
}

/// Was the model asked to think aloud?
fn thinks(vendor: Vendor, body: &Value) -> bool {
    match vendor {
        Vendor::Anthropic | Vendor::Invoke => {
            ["enabled", "adaptive"].iter().any(|kind| body["thinking"]["type"] == *kind)
        }
        Vendor::OpenAiResponses => body["include"].to_string().contains("reasoning.encrypted_content"),
        Vendor::Google | Vendor::Compatible | Vendor::Ollama => true,
        Vendor::OpenAiChat | Vendor::Bedrock => false,
    }
}

/// As servers make them, here from how much was told before: some write names into them.
fn id(vendor: Vendor, told: usize, at: usize) -> String {
    match vendor {
        Vendor::Compatible => format!("functions.tool:{told}{at}"),
        Vendor::Anthropic | Vendor::Invoke => format!("toolu_01x{told}x{at}AbCdEfGhIjKlMnOpQrSt"),
        Vendor::OpenAiChat | Vendor::OpenAiResponses | Vendor::Google | Vendor::Bedrock | Vendor::Ollama => {
            format!("call_{told}x{at}AbCdEfGhIjKlMnOpQrSt")
        }
    }
}

fn result(piece: &Told) -> Option<&str> {
    match piece {
        Told::Result(_, words) => Some(words),
        Told::User(_) | Told::Thought(_) | Told::Said(_) | Told::Called(..) => None,
    }
}

pub(super) fn said(told: &[Told]) -> String {
    let pieces = told.iter().filter_map(|piece| match piece {
        Told::Said(text) => Some(text.as_str()),
        Told::User(_) | Told::Thought(_) | Told::Called(..) | Told::Result(..) => None,
    });
    pieces.collect()
}

pub(super) fn require(holds: bool, what: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(missing(what)) }
}

fn missing(what: &str) -> Refusal {
    Refusal { path: what.into(), words: "did not reach the model".to_owned() }
}
