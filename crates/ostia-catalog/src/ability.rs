//! What a model can do: yes, no, or nobody says.

use crate::mode::named;

named! {
    /// Something that a model can do or not.
    Ability {
        Tools "tools" "Calls functions.",
        ToolChoice "tool_choice" "Can be told which tool to call.",
        ForcedTools "forced_tools" "Can be told that it has to call a tool.",
        ParallelTools "parallel_tools" "Calls several functions at once.",
        JsonSchema "json_schema" "Answers after a JSON Schema.",
        Streaming "streaming" "Answers as a stream.",
        SystemMessages "system_messages" "Takes a system message.",
        Prefill "prefill" "Goes on with an answer that the client began.",
        PromptCaching "prompt_caching" "Its vendor keeps prompts.",
        CacheBreakpoints "cache_breakpoints" "Takes marks where the kept prompt ends.",
        Sampling "sampling" "Takes temperature and top_p.",
        Vision "vision" "Takes images.",
        Pdf "pdf" "Takes documents in PDF.",
        AudioInput "audio_input" "Takes audio.",
        AudioOutput "audio_output" "Answers in audio.",
        VideoInput "video_input" "Takes video.",
        ImageOutput "image_output" "Answers with images.",
        WebSearch "web_search" "Its vendor searches the web for it.",
        UrlContext "url_context" "Its vendor fetches pages for it.",
        ComputerUse "computer_use" "Uses a computer.",
        Reasoning "reasoning" "Thinks before it answers.",
        AlwaysReasons "always_reasons" "Its reasoning cannot be turned off.",
        ReasonsByDefault "reasons_by_default" "Reasons where a request says nothing.",
        AdaptiveThinking "adaptive_thinking" "Decides by itself how long it thinks (Anthropic's `adaptive`).",
        ThinkingBudget "thinking_budget" "Takes a number of tokens to think with (Anthropic's `enabled`).",
        EffortNone "effort_none" "Takes the effort `none`.",
        EffortMinimal "effort_minimal" "Takes the effort `minimal`.",
        EffortLow "effort_low" "Takes the effort `low`.",
        EffortMedium "effort_medium" "Takes the effort `medium`.",
        EffortHigh "effort_high" "Takes the effort `high`.",
        EffortXhigh "effort_xhigh" "Takes the effort `xhigh`.",
        EffortMax "effort_max" "Takes the effort `max`.",
        ChatCompletions "chat_completions" "Is reached by Chat Completions at its provider.",
        ResponsesApi "responses_api" "Is reached by the Responses API at its provider.",
        BatchApi "batch_api" "Is reached by its provider's batches.",
    }
}

/// What is known of a model: for each ability yes, no or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Abilities {
    pub(crate) known: u64,
    pub(crate) has: u64,
}

impl Abilities {
    /// Can it? Nothing where nobody says.
    pub fn can(self, ability: Ability) -> Option<bool> {
        let bit = 1 << ability as u8;
        (self.known & bit != 0).then_some(self.has & bit != 0)
    }

    /// With this known.
    #[must_use]
    pub fn with(mut self, ability: Ability, can: bool) -> Abilities {
        let bit = 1 << ability as u8;
        self.known |= bit;
        self.has = if can { self.has | bit } else { self.has & !bit };
        self
    }

    /// What the other knows goes before.
    #[must_use]
    pub fn overlaid(self, other: Abilities) -> Abilities {
        Abilities { known: self.known | other.known, has: self.has & !other.known | other.has }
    }

    /// All that are known, with what is known.
    pub fn iter(self) -> impl Iterator<Item = (Ability, bool)> {
        Ability::ALL.iter().filter_map(move |ability| Some((*ability, self.can(*ability)?)))
    }
}

const _: () = assert!(Ability::ALL.len() <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_values() {
        let abilities = Abilities::default().with(Ability::Tools, true).with(Ability::Vision, false);
        let of = |abilities: Abilities| {
            [Ability::Tools, Ability::Vision, Ability::Pdf].map(|ability| abilities.can(ability))
        };
        assert_eq!(of(abilities), [Some(true), Some(false), None]);
        let other = Abilities::default().with(Ability::Tools, false).with(Ability::Pdf, true);
        assert_eq!(of(abilities.overlaid(other)), [Some(false), Some(false), Some(true)]);
        assert_eq!(of(other.overlaid(abilities)), [Some(true), Some(false), Some(true)]);
        assert_eq!(Ability::named("pdf"), Some(Ability::Pdf));
    }
}
