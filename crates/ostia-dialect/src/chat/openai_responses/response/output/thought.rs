//! Reasoning items: what the model thinks, and what vendors want to see again.

use super::events::{Events, Place};
use crate::chat::opaque::{self, Opaque};
use crate::json::{Json, Writer};
use crate::{Dialect, Signature};

/// A `reasoning` item in the making. Its summary begins with its first words.
#[derive(Debug)]
pub(super) struct Thought {
    place: Place,
    text: String,
    proof: Option<String>,
}

impl Thought {
    pub(super) fn open(place: Place, signature: Option<Signature>, events: &mut Events<'_>) -> Thought {
        let thought = Thought { place, text: String::new(), proof: signature.as_ref().map(proof) };
        events.item("response.output_item.added", thought.place.index, &thought.item());
        thought
    }

    pub(super) fn sign(&mut self, signature: &Signature) {
        self.proof = Some(proof(signature));
    }

    pub(super) fn say(&mut self, text: &str, events: &mut Events<'_>) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.tell("response.reasoning_summary_part.added", events, |w| part(w, ""));
        }
        self.text.push_str(text);
        self.tell("response.reasoning_summary_text.delta", events, |w| w.field_str("delta", text));
    }

    pub(super) fn close(self, events: &mut Events<'_>) -> Json {
        if !self.text.is_empty() {
            self.tell("response.reasoning_summary_text.done", events, |w| w.field_str("text", &self.text));
            self.tell("response.reasoning_summary_part.done", events, |w| part(w, &self.text));
        }
        self.item()
    }

    fn tell(&self, kind: &str, events: &mut Events<'_>, write: impl FnOnce(&mut Writer)) {
        events.tell(kind, |w| {
            self.place.write(w);
            w.field_u64("summary_index", 0);
            write(w);
        });
    }

    fn item(&self) -> Json {
        item(&self.place, &self.text, self.proof.as_deref())
    }
}

/// A `reasoning` item that says nothing and carries an opaque value.
pub(super) fn carrier(place: &Place, wrapped: &str) -> Json {
    item(place, "", Some(wrapped))
}

fn item(place: &Place, text: &str, proof: Option<&str>) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("id", &place.id);
            w.field_str("type", "reasoning");
            w.field_array("summary", |w| {
                if !text.is_empty() {
                    w.object(|w| summary(w, text));
                }
            });
            if let Some(proof) = proof {
                w.field_str("encrypted_content", proof);
            }
        });
    })
}

fn part(w: &mut Writer, text: &str) {
    w.field_object("part", |w| summary(w, text));
}

fn summary(w: &mut Writer, text: &str) {
    w.field_str("type", "summary_text");
    w.field_str("text", text);
}

/// The vendor's own proof as it is; another's as an opaque value.
fn proof(signature: &Signature) -> String {
    match signature.dialect {
        Dialect::OpenaiResponses => signature.value.clone(),
        _ => opaque::encode(&Opaque::Own(signature.clone())),
    }
}
