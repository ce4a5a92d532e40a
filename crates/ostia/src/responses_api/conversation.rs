//! Conversations: lists of items that answers are appended to.
//!
//! Source: <https://platform.openai.com/docs/api-reference/conversations>.

use ostia_dialect::Fault;
use ostia_dialect::json::{Json, Node, Writer};
use ostia_dialect::openai_responses::input_items::Item;

use super::ITEMS_MAX;

/// Most pairs of metadata.
const METADATA_MAX: usize = 16;

/// A conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The client's own words about it: an object.
    pub metadata: Json,
    /// What was said, oldest first.
    pub items: Vec<Item>,
}

impl Conversation {
    /// The same with more items; beyond [`ITEMS_MAX`] the oldest go.
    pub fn with(&self, more: Vec<Item>) -> Conversation {
        let mut conversation = self.clone();
        conversation.items.extend(more);
        let surplus = conversation.items.len().saturating_sub(ITEMS_MAX);
        conversation.items.drain(..surplus);
        conversation
    }

    /// Without the item of this id.
    pub fn without(&self, item: &str) -> Conversation {
        let mut conversation = self.clone();
        conversation.items.retain(|known| known.id != item);
        conversation
    }

    /// The object that clients see.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(128);
        w.object(|w| {
            w.field_str("id", &self.id);
            w.field_str("object", "conversation");
            w.field_u64("created_at", self.created);
            w.field_raw("metadata", self.metadata.as_str());
        });
        w.into_bytes()
    }
}

/// The `metadata` of a request, `{}` where there is none.
pub fn metadata(root: Node<'_>) -> Result<Json, Fault> {
    let Some(metadata) = root.some("metadata") else { return Ok(Json::build(|w| w.object(|_| {}))) };
    if metadata.expect_fields()?.count() > METADATA_MAX {
        return Err(metadata.invalid(format!("must hold at most {METADATA_MAX} pairs")));
    }
    for (_, value) in metadata.fields() {
        value.expect_str()?;
    }
    Ok(Json::of(metadata))
}
