//! Message items: what the model says, part by part.

use super::events::{Events, Place};
use crate::Citation;
use crate::chat::response::characters;
use crate::json::{Document, Json, Writer};

/// A `message` item in the making. Each block of words is a part of its own, so that it comes back as it was.
#[derive(Debug)]
pub(super) struct Message {
    place: Place,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    kind: Kind,
    text: String,
    /// Sources that are not told yet: where they stand is known when the part has ended.
    citations: Vec<Citation>,
    annotations: Vec<Json>,
    logprobs: Vec<Json>,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Refusal,
    /// A text that the model did not say.
    Note,
}

impl Message {
    pub(super) fn open(place: Place, events: &mut Events<'_>) -> Message {
        let message = Message { place, parts: Vec::new() };
        events.item("response.output_item.added", message.place.index, &message.item(super::IN_PROGRESS));
        message
    }

    pub(super) fn begin_part(&mut self, kind: Kind, events: &mut Events<'_>) {
        self.finish_part(events);
        self.parts.push(Part {
            kind,
            text: String::new(),
            citations: Vec::new(),
            annotations: Vec::new(),
            logprobs: Vec::new(),
        });
        self.tell("response.content_part.added", events, |w, part| {
            w.key("part");
            part.write(w);
        });
    }

    pub(super) fn say(&mut self, text: &str, events: &mut Events<'_>) {
        let Some(part) = self.parts.last_mut().filter(|_| !text.is_empty()) else { return };
        part.text.push_str(text);
        self.tell_delta(text, &[], events);
    }

    pub(super) fn cite(&mut self, citation: &Citation) {
        if let Some(part) = self.parts.last_mut() {
            part.citations.push(citation.clone());
        }
    }

    /// Log-probabilities come behind their words: they are told with a delta that adds no more of them.
    pub(super) fn logprobs(&mut self, told: &mut Vec<Json>, events: &mut Events<'_>) {
        let is_text = self.parts.last().is_some_and(|part| part.kind == Kind::Text);
        if !is_text || told.is_empty() {
            return;
        }
        self.tell_delta("", told, events);
        if let Some(part) = self.parts.last_mut() {
            part.logprobs.append(told);
        }
    }

    /// The block of the last part has ended, before which there are so many characters of text; tells its
    /// sources and gives its own number of characters.
    pub(super) fn end_part(&mut self, before: u64, events: &mut Events<'_>) -> u64 {
        let Some(part) = self.parts.last_mut() else { return 0 };
        let characters = characters(&part.text);
        for citation in std::mem::take(&mut part.citations) {
            if let Some(annotation) = annotation(&citation, before, characters) {
                self.annotate(annotation, events);
            }
        }
        if self.parts.last().is_some_and(|part| part.kind == Kind::Text) { characters } else { 0 }
    }

    pub(super) fn close(self, status: &str, events: &mut Events<'_>) -> Json {
        self.finish_part(events);
        self.item(status)
    }

    fn annotate(&mut self, annotation: Json, events: &mut Events<'_>) {
        let Some(part) = self.parts.last_mut() else { return };
        part.annotations.push(annotation);
        self.tell("response.output_text.annotation.added", events, |w, part| {
            w.field_u64("annotation_index", part.annotations.len() as u64 - 1);
            w.field_raw("annotation", part.annotations.last().map_or("null", Json::as_str));
        });
    }

    fn tell_delta(&self, text: &str, logprobs: &[Json], events: &mut Events<'_>) {
        match self.parts.last().map(|part| part.kind) {
            Some(Kind::Text | Kind::Note) => self.tell("response.output_text.delta", events, |w, _| {
                w.field_str("delta", text);
                list(w, "logprobs", logprobs);
            }),
            Some(Kind::Refusal) => {
                self.tell("response.refusal.delta", events, |w, _| w.field_str("delta", text))
            }
            None => {}
        }
    }

    fn finish_part(&self, events: &mut Events<'_>) {
        match self.parts.last().map(|part| part.kind) {
            Some(Kind::Text | Kind::Note) => self.tell("response.output_text.done", events, |w, part| {
                w.field_str("text", &part.text);
                list(w, "logprobs", &part.logprobs);
            }),
            Some(Kind::Refusal) => self.tell("response.refusal.done", events, |w, part| {
                w.field_str("refusal", &part.text);
            }),
            None => return,
        }
        self.tell("response.content_part.done", events, |w, part| {
            w.key("part");
            part.write(w);
        });
    }

    /// An event about the last part.
    fn tell(&self, kind: &str, events: &mut Events<'_>, write: impl FnOnce(&mut Writer, &Part)) {
        let Some(part) = self.parts.last() else { return };
        events.tell(kind, |w| {
            self.place.write(w);
            w.field_u64("content_index", self.parts.len() as u64 - 1);
            write(w, part);
        });
    }

    fn item(&self, status: &str) -> Json {
        Json::build(|w| {
            w.object(|w| {
                w.field_str("id", &self.place.id);
                w.field_str("type", "message");
                w.field_str("status", status);
                w.field_str("role", "assistant");
                w.field_array("content", |w| self.parts.iter().for_each(|part| part.write(w)));
            });
        })
    }
}

impl Part {
    fn write(&self, w: &mut Writer) {
        w.object(|w| match self.kind {
            Kind::Text | Kind::Note => {
                w.field_str("type", "output_text");
                w.field_str("text", &self.text);
                list(w, "annotations", &self.annotations);
                list(w, "logprobs", &self.logprobs);
            }
            Kind::Refusal => {
                w.field_str("type", "refusal");
                w.field_str("refusal", &self.text);
            }
        });
    }
}

fn list(w: &mut Writer, name: &str, values: &[Json]) {
    w.field_array(name, |w| values.iter().for_each(|value| w.raw(value.as_str())));
}

/// A source in a part of so many characters. One that the vendor's own tools found is told as it came. One
/// without an address has no form here; one without a place covers its part.
fn annotation(citation: &Citation, before: u64, characters: u64) -> Option<Json> {
    if let Some(own) = citation.value.as_ref().filter(|value| is_of_a_file(value)) {
        return Some(own.clone());
    }
    let url = citation.url.as_ref()?;
    let place = |index: Option<u64>| index.map(|index| index.saturating_sub(before));
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "url_citation");
            w.field_str("url", url);
            w.field_str("title", citation.title.as_deref().unwrap_or_default());
            w.field_u64("start_index", place(citation.start).unwrap_or(0));
            w.field_u64("end_index", place(citation.end).unwrap_or(characters));
        });
    }))
}

/// The annotations of this dialect that quote no address.
fn is_of_a_file(annotation: &Json) -> bool {
    let Ok(document) = Document::parse_to(annotation.as_str().as_bytes(), 1) else { return false };
    let kind = document.root().str("type");
    matches!(kind.as_deref(), Some("file_citation" | "container_file_citation" | "file_path"))
}
