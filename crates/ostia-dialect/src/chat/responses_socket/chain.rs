//! What a connection remembers of its own answers, for turns that go on from one that nobody else remembers (`store: false`, or one
//! that only prepared).

use std::collections::VecDeque;

use super::LaneId;
use crate::Fault;
use crate::json::{Document, Json, Node};
use crate::relay::Splice;

/// Most answers that are remembered. OpenAI remembers the last one of each lane, of which there are 33.
const TURNS_MAX: usize = 64;

/// The last answers of a connection.
#[derive(Debug)]
pub struct Chain {
    turns: VecDeque<Turn>,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Turn {
    lane: LaneId,
    id: String,
    /// The items that were said up to its end, as they stand in an array.
    items: String,
}

impl Chain {
    /// Nothing yet. It holds so many bytes at most, but always the last answer.
    pub fn new(bytes_max: usize) -> Chain {
        Chain { turns: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// The body with all items that it goes on from; `None` where it goes on from no answer that is remembered here.
    ///
    /// # Errors
    /// 400 for an `input` that is no list and no text.
    pub fn recall(&self, body: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let document = Document::of_request_to(body, 1)?;
        let Some(id) = document.root().str("previous_response_id") else { return Ok(None) };
        let Some(turn) = self.turns.iter().find(|turn| turn.id == *id) else { return Ok(None) };
        let own = items(document.root())?;
        let mut splice = Splice::new(&document)?;
        splice.remove("previous_response_id");
        splice.set("input", Json::build(|w| w.raw(&format!("[{}]", joined(&turn.items, &own)))));
        Ok(Some(splice.finish()))
    }

    /// Remembers an answer that has been given in this lane to this body, which has all of its items: the event that ended it says what
    /// was said.
    pub fn remember(&mut self, lane: LaneId, body: &[u8], last_event: &str) {
        let (Ok(request), Ok(event)) = (Document::parse_to(body, 1), Document::parse(last_event.as_bytes()))
        else {
            return;
        };
        let Some(response) = event.root().some("response") else { return };
        let (Some(id), Ok(own)) = (response.str("id"), items(request.root())) else { return };
        let output = response.get("output").into_iter().flat_map(|output| output.items());
        let said: Vec<&str> = output.filter(is_whole).map(|item| item.text()).collect();
        let turn = Turn { lane, id: id.into_owned(), items: joined(&own, &said.join(",")) };
        self.bytes += turn.items.len();
        self.turns.push_back(turn);
        while self.turns.len() > TURNS_MAX || self.turns.len() > 1 && self.bytes > self.bytes_max {
            let forgotten = self.turns.remove(self.least_wanted());
            self.bytes -= forgotten.map_or(0, |turn| turn.items.len());
        }
    }

    /// The oldest that is not the last one of its lane; or the oldest.
    fn least_wanted(&self) -> usize {
        let has_gone_on =
            |at: usize| self.turns.range(at + 1..).any(|later| later.lane == self.turns[at].lane);
        (0..self.turns.len()).find(|at| has_gone_on(*at)).unwrap_or(0)
    }
}

/// Thoughts whose content only the provider has are none that can be shown to it again.
fn is_whole(item: &Node<'_>) -> bool {
    item.str("type").as_deref() != Some("reasoning") || item.some("encrypted_content").is_some()
}

/// The items of a request, as they stand in an array.
pub(super) fn items(request: Node<'_>) -> Result<String, Fault> {
    let Some(input) = request.some("input") else { return Ok(String::new()) };
    if input.is_string() {
        return Ok(format!(r#"{{"type":"message","role":"user","content":{}}}"#, input.text()));
    }
    let text = input.text().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let text = text.ok_or_else(|| input.invalid("must be a string or an array of items"))?;
    Ok(text.trim().to_owned())
}

/// The items of both, as they stand in an array.
pub(super) fn joined(before: &str, after: &str) -> String {
    match (before, after) {
        ("", only) | (only, "") => only.to_owned(),
        (before, after) => format!("{before},{after}"),
    }
}
