//! The canonical answer to the client's body.

use super::super::said::{
    call_id, is_foreign, proof, stop_reason, words, write_carrier, write_citation, write_foreign,
    write_input, write_usage,
};
use crate::json::Writer;
use crate::seal::Sealed;
use crate::{Block, Content, Response, View};

/// The whole `Message` object. Only the first choice has a place in it.
pub fn encode(response: &Response, view: &View) -> Vec<u8> {
    let choice = response.choices.first();
    let blocks = choice.map_or(&[][..], |choice| &choice.blocks);
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        match response.id.as_str() {
            "" => w.field_str("id", &format!("msg_{}", view.stem)),
            id => w.field_str("id", id),
        }
        w.field_str("type", "message");
        w.field_str("role", "assistant");
        w.field_str("model", if response.model.is_empty() { &view.model } else { &response.model });
        w.field_array("content", |w| {
            let mut calls = 0;
            blocks.iter().for_each(|block| write_block(w, block, view, &mut calls));
        });
        let stop_sequence = choice.and_then(|choice| choice.stop_sequence.as_deref());
        match choice {
            Some(choice) => w.field_str("stop_reason", stop_reason(choice.finish, stop_sequence)),
            None => w.key("stop_reason").null(),
        }
        match stop_sequence {
            Some(sequence) => w.field_str("stop_sequence", sequence),
            None => w.key("stop_sequence").null(),
        }
        write_usage(w, response.usage.unwrap_or_default(), response.service_tier.as_deref());
    });
    w.into_bytes()
}

fn write_block(w: &mut Writer, block: &Block, view: &View, calls: &mut u64) {
    let carried = block.signature.as_ref().filter(|signature| is_foreign(signature));
    if let (Some(signature), false) = (carried, matches!(block.content, Content::Reasoning(_))) {
        write_carrier(w, &Sealed::Next(signature.clone()));
    }
    match &block.content {
        Content::Reasoning(thought) => w.object(|w| {
            w.field_str("type", "thinking");
            w.field_str("thinking", thought);
            w.field_str("signature", &block.signature.as_ref().map(proof).unwrap_or_default());
        }),
        Content::ToolCall { id, name, arguments, .. } => {
            w.object(|w| {
                w.field_str("type", "tool_use");
                w.field_str("id", &call_id(id, &view.stem, *calls));
                w.field_str("name", name);
                write_input(w.key("input"), arguments);
                // Who called, for a call that came from the vendor's code execution.
                if let Some(caller) = block.signature.as_ref().filter(|signature| !is_foreign(signature)) {
                    w.field_raw("caller", &caller.value);
                }
            });
            *calls += 1;
        }
        Content::Foreign { dialect, value } => write_foreign(w, *dialect, value),
        Content::Text { citations, .. } => w.object(|w| {
            w.field_str("type", "text");
            w.field_str("text", &words(&block.content).unwrap_or_default());
            if !citations.is_empty() {
                w.field_array("citations", |w| {
                    citations.iter().for_each(|citation| write_citation(w, citation))
                });
            }
        }),
        Content::Refusal(_) | Content::Media(_) => w.object(|w| {
            w.field_str("type", "text");
            w.field_str("text", &words(&block.content).unwrap_or_default());
        }),
        Content::ToolResult { .. } => {}
    }
}
