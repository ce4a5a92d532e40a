//! The vendor's stream to canonical events.
//!
//! With `alt=sse` every event is a whole `GenerateContentResponse` that holds only what is new
//! (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>). There is no end marker: the last
//! candidate event has a `finishReason`, and usage may still follow it, so everything that ends an answer is held
//! back until the upstream closes the stream.

use crate::chat::gemini_generate::response::decode::candidate::{self, Candidate};
use crate::chat::gemini_generate::usage::{self, Grounding};
use crate::chat::time;
use crate::fault::from_body;
use crate::frame::Frame;
use crate::json::{Document, Json, Node};
use crate::{Event, Fault, Finish, Usage};

/// Most answers to one request. The vendor gives at most 8.
const CANDIDATES_MAX: u32 = 256;

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    candidates: Vec<Candidate>,
    /// Why the prompt was refused, where it was.
    blocked: Option<String>,
    usage: Option<Usage>,
    model: String,
    grounding: Grounding,
}

impl Decoder {
    /// Takes the next frame.
    ///
    /// Fails where the frame is not JSON, is no such response, or is an error message.
    pub fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let document = Document::parse(frame.data)
            .map_err(|fault| Fault::upstream(format!("The provider sent a stream event that is {fault}.")))?;
        self.take(document.root(), events)
    }

    /// What has been counted so far.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let usage = self.usage?;
        Some(usage.with_tools(self.grounding.metered()))
    }

    /// The upstream has closed the stream. Fails where the answer is not whole.
    pub fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        let refused = self.blocked.is_some();
        let whole = self.candidates.iter().all(|candidate| candidate.reason.is_some());
        if !refused && (self.candidates.is_empty() || !whole) {
            return Err(Fault::upstream("The provider broke off before the answer was whole."));
        }
        if self.candidates.is_empty() {
            self.candidates.push(Candidate::new(0));
        }
        for candidate in &mut self.candidates {
            candidate.close(events);
            let reason = candidate.reason.take().or_else(|| self.blocked.clone());
            let finish = match &reason {
                Some(reason) if !refused => candidate::finish(reason),
                _ => Finish::ContentFilter,
            };
            let native = reason.filter(|reason| !reason.is_empty());
            events.push(Event::Stop { choice: candidate.index, finish, native, stop_sequence: None });
        }
        events.extend(self.usage().map(Event::Usage));
        self.usage = None;
        events.push(Event::Finish);
        Ok(())
    }

    /// Takes one response, or an array of them, which is what the vendor streams without `alt=sse`.
    pub(in crate::chat::gemini_generate) fn take(
        &mut self,
        node: Node<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        if node.is_array() {
            return node.items().try_for_each(|item| self.response(item, events));
        }
        self.response(node, events)
    }

    /// An answer that comes at once is whole even where it does not say why it ended.
    pub(in crate::chat::gemini_generate) fn assume_whole(&mut self) {
        for candidate in &mut self.candidates {
            candidate.reason.get_or_insert_default();
        }
    }

    fn response(&mut self, node: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if !node.is_object() {
            return Err(Fault::upstream("The provider sent an answer that is no JSON object."));
        }
        if node.some("error").is_some() {
            let unsaid = || Fault::upstream("The provider reported an error without a message.");
            return Err(from_body(node, 502).unwrap_or_else(unsaid));
        }
        self.start(node, events);
        for item in node.some("candidates").iter().flat_map(Node::items) {
            self.grounding.observe(&self.model, item);
            self.candidate(item)?.take(item, events)?;
        }
        if let Some(feedback) = node.some("promptFeedback") {
            if let Some(reason) = feedback.str("blockReason") {
                self.blocked = Some(reason.into_owned());
            }
            let (name, value) = ("promptFeedback".to_owned(), Json::of(feedback));
            events.push(Event::Extra { choice: None, name, value });
        }
        if let Some(metadata) = node.some("usageMetadata") {
            self.usage = usage::decode(metadata).or(self.usage.take());
            if let Some(tier) = metadata.str("serviceTier") {
                let service_tier = Some(usage::service_tier(&tier));
                events.push(Event::Meta { service_tier, system_fingerprint: None });
            }
        }
        Ok(())
    }

    fn start(&mut self, node: Node<'_>, events: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |name| node.str(name).unwrap_or_default().into_owned();
        let created = node.str("createTime").and_then(|time| time::unix_seconds(&time));
        self.model = text("modelVersion");
        events.push(Event::Start { id: text("responseId"), model: self.model.clone(), created });
    }

    fn candidate(&mut self, node: Node<'_>) -> Result<&mut Candidate, Fault> {
        let index = u32::try_from(node.u64("index").unwrap_or(0)).unwrap_or(u32::MAX);
        if index >= CANDIDATES_MAX {
            return Err(Fault::upstream(format!("The provider sent candidate number {index}.")));
        }
        let at = self.candidates.iter().position(|candidate| candidate.index == index);
        let at = at.unwrap_or_else(|| {
            self.candidates.push(Candidate::new(index));
            self.candidates.len() - 1
        });
        Ok(&mut self.candidates[at])
    }
}

#[cfg(test)]
mod tests;
