//! The facts about an answer that stand beside its content: why it ended, what it cost, what the vendor adds.
//!
//! The unary form holds them all in one object; the stream spreads them over `message_start` and `message_delta`,
//! where the later value wins. <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>

use crate::chat::anthropic_messages::usage::Tokens;
use crate::json::{Json, Node, Writer};
use crate::{Finish, Usage};

/// What is known so far.
#[derive(Debug, Default)]
pub(in crate::chat::anthropic_messages) struct Ending {
    pub(in crate::chat::anthropic_messages) stop_reason: Option<String>,
    pub(in crate::chat::anthropic_messages) stop_sequence: Option<String>,
    stop_details: Option<Json>,
    container: Option<Json>,
    context_management: Option<Json>,
    server_tool_use: Option<Json>,
    service_tier: Option<String>,
    tokens: Tokens,
}

impl Ending {
    /// Takes what this object says: a whole message, or the `delta` or the outside of a `message_delta`.
    pub(in crate::chat::anthropic_messages) fn observe(&mut self, node: Node<'_>) {
        let json = |name| node.some(name).map(Json::of);
        let text = |name| node.str(name).map(|text| text.into_owned());
        replace(&mut self.stop_reason, text("stop_reason"));
        replace(&mut self.stop_sequence, text("stop_sequence"));
        replace(&mut self.stop_details, json("stop_details"));
        replace(&mut self.container, json("container"));
        replace(&mut self.context_management, json("context_management"));
        if let Some(usage) = node.some("usage") {
            self.observe_usage(usage);
        }
    }

    fn observe_usage(&mut self, usage: Node<'_>) {
        self.tokens.observe(usage);
        replace(&mut self.server_tool_use, usage.some("server_tool_use").map(Json::of));
        replace(&mut self.service_tier, usage.str("service_tier").map(|tier| tier.into_owned()));
    }

    /// Takes note of a block of the answer: some tell of tools that the vendor charges for.
    pub(in crate::chat::anthropic_messages) fn block(&mut self, block: Node<'_>) {
        self.tokens.tool_use(block);
    }

    /// Why it ended.
    pub(in crate::chat::anthropic_messages) fn finish(&self) -> Finish {
        self.stop_reason.as_deref().map_or(Finish::Stop, finish)
    }

    /// What it cost.
    pub(in crate::chat::anthropic_messages) fn usage(&self) -> Option<Usage> {
        self.tokens.usage()
    }

    /// The tier, in the words of the canonical answer: the vendor's `standard` is the `default`.
    pub(in crate::chat::anthropic_messages) fn service_tier(&self) -> Option<String> {
        let tier = self.service_tier.as_deref()?;
        Some(if tier == "standard" { "default" } else { tier }.to_owned())
    }

    /// Vendor fields of the answer as a whole.
    pub(in crate::chat::anthropic_messages) fn response_extra(&self) -> Vec<(String, Json)> {
        named([
            ("container", &self.container),
            ("context_management", &self.context_management),
            ("server_tool_use", &self.server_tool_use),
        ])
    }

    /// Vendor fields of the choice.
    pub(in crate::chat::anthropic_messages) fn choice_extra(&self) -> Vec<(String, Json)> {
        named([("stop_details", &self.stop_details)])
    }
}

/// What the vendor's word for an end means. An unknown one counts as a plain end; the word is kept beside it.
pub(crate) fn finish(stop_reason: &str) -> Finish {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        // After a compaction the vendor waits for the same request again, as after a pause.
        "pause_turn" | "compaction" => Finish::Pause,
        _ => Finish::Stop,
    }
}

/// The vendor's word for why an answer ended. Where the upstream's own word is one of them, it is told as it is.
pub(in crate::chat::anthropic_messages) fn stop_reason<'w>(
    finish: Finish,
    native: Option<&'w str>,
    stop_sequence: Option<&str>,
) -> &'w str {
    const NARROWER: [(&str, Finish); 2] =
        [("model_context_window_exceeded", Finish::Length), ("compaction", Finish::Pause)];
    if let Some(word) = native.filter(|word| NARROWER.contains(&(word, finish))) {
        return word;
    }
    match finish {
        Finish::Stop if stop_sequence.is_some() => "stop_sequence",
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter | Finish::Refusal => "refusal",
        Finish::Pause => "pause_turn",
    }
}

/// The tier in the vendor's word. It has three; those of others are told where the client is `lenient`.
pub(in crate::chat::anthropic_messages) fn encode_service_tier(
    w: &mut Writer,
    tier: Option<&str>,
    lenient: bool,
) {
    match tier {
        Some("default") => w.field_str("service_tier", "standard"),
        Some(tier @ ("standard" | "priority" | "batch")) => w.field_str("service_tier", tier),
        Some(tier) if lenient => w.field_str("service_tier", tier),
        Some(_) | None => {}
    }
}

fn replace<T>(known: &mut Option<T>, newer: Option<T>) {
    if newer.is_some() {
        *known = newer;
    }
}

fn named<const N: usize>(fields: [(&str, &Option<Json>); N]) -> Vec<(String, Json)> {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    present.collect()
}
