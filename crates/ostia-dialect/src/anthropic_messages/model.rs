//! What differs between the models that speak this dialect, as rows of data.
//!
//! Sources: the models overview (output limits), and the pages on thinking, effort, tool use and migration under
//! <https://platform.claude.com/docs/en/about-claude/models> and <https://platform.claude.com/docs/en/build-with-claude>.

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// `max_tokens` where the client says nothing: the field is required. Models before 4.5 refuse a prompt that
    /// together with `max_tokens` exceeds the context window, so theirs stays below what they could write.
    pub(super) output_tokens_default: u64,
    /// Most tokens that the model writes.
    pub(super) output_tokens_max: u64,
    /// How it is told to think.
    pub(super) thinking: Thinking,
    /// How it is told not to think.
    pub(super) off: Off,
    /// Values of `output_config.effort`, from little to much.
    pub(super) efforts: &'static [&'static str],
    /// Which of `temperature`, `top_p` and `top_k` it takes.
    pub(super) sampling: Sampling,
    /// `tool_choice` may force a call.
    pub(super) forced_tools: bool,
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot think aloud.
    Never,
    /// `{"type":"enabled","budget_tokens":n}` only.
    Budget,
    /// A budget or `{"type":"adaptive"}`.
    Both,
    /// `{"type":"adaptive"}` only.
    Adaptive,
}

/// How a model is told not to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// By leaving the field out.
    Omit,
    /// By this `type`.
    Say(&'static str),
    /// It always thinks.
    Never,
}

/// Which sampling fields a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All of them.
    All,
    /// `temperature` or `top_p`, not both.
    Either,
    /// None but the default.
    Fixed,
}

const OTHER: Model = Model {
    output_tokens_default: 32_000,
    output_tokens_max: 64_000,
    thinking: Thinking::Budget,
    off: Off::Omit,
    efforts: &[],
    sampling: Sampling::All,
    forced_tools: true,
};
const V3: Model =
    Model { output_tokens_default: 4096, output_tokens_max: 4096, thinking: Thinking::Never, ..OTHER };
const V3_5: Model = Model { output_tokens_default: 8192, output_tokens_max: 8192, ..V3 };
const V3_7: Model = Model { thinking: Thinking::Budget, ..OTHER };
const OPUS_4: Model = Model { output_tokens_max: 32_000, ..V3_7 };
const V4_5: Model = Model { output_tokens_default: 64_000, sampling: Sampling::Either, ..V3_7 };
const V4_6: Model = Model { thinking: Thinking::Both, efforts: &["low", "medium", "high", "max"], ..V4_5 };
const V4_7: Model = Model {
    output_tokens_max: 128_000,
    thinking: Thinking::Adaptive,
    efforts: &["low", "medium", "high", "xhigh", "max"],
    sampling: Sampling::Fixed,
    ..V4_6
};
const V5: Model = Model { off: Off::Say("disabled"), ..V4_7 };
const ALWAYS: Model = Model { off: Off::Never, ..V4_7 };
const ALWAYS_UNFORCED: Model = Model { forced_tools: false, ..ALWAYS };

/// Family, the first version that the row is for, what it takes. The first row that fits counts.
const ROWS: &[(&str, (u32, u32), Model)] = &[
    ("fable", (5, 1), ALWAYS_UNFORCED),
    ("fable", (0, 0), ALWAYS),
    ("mythos", (5, 1), ALWAYS_UNFORCED),
    ("mythos", (0, 0), ALWAYS),
    ("opus", (5, 5), ALWAYS_UNFORCED),
    ("opus", (5, 0), V5),
    ("opus", (4, 7), V4_7),
    ("opus", (4, 6), Model { output_tokens_max: 128_000, ..V4_6 }),
    ("opus", (4, 5), Model { efforts: &["low", "medium", "high"], ..V4_5 }),
    ("opus", (4, 1), Model { sampling: Sampling::Either, ..OPUS_4 }),
    ("opus", (4, 0), OPUS_4),
    ("sonnet", (5, 5), Model { off: Off::Say("between_tools"), ..V5 }),
    ("sonnet", (5, 0), V5),
    ("sonnet", (4, 6), V4_6),
    ("sonnet", (4, 5), V4_5),
    ("sonnet", (3, 7), V3_7),
    ("sonnet", (3, 5), V3_5),
    ("haiku", (5, 0), V5),
    ("haiku", (4, 5), V4_5),
    ("haiku", (3, 5), V3_5),
    // Versions 3 and older, `claude-2.1` and `claude-instant-1.2` among them.
    ("", (0, 1), V3),
];

impl Model {
    /// What the model with this id takes. Ids of clouds (`us.anthropic.claude-opus-4-6-v1:0`,
    /// `claude-sonnet-4-5@20250929`) are understood; other vendors' models get what the whole dialect has in common.
    pub(super) fn of(id: &str) -> Model {
        let Some((_, name)) = id.rsplit_once("claude") else { return OTHER };
        let words: Vec<&str> =
            name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let version = version(&words);
        // An id without a version (`claude-mythos-preview`) or with an unknown family is taken for a new one.
        let newest = version.0 == 0 || version.0 >= 5;
        let row = ROWS.iter().find(|(family, from, _)| {
            if family.is_empty() { !newest } else { words.contains(family) && version >= *from }
        });
        row.map_or(V4_7, |(_, _, model)| *model)
    }

    /// The level of effort that is nearest to `wish` and not above it, or the lowest; `None` where there are none.
    pub(super) fn effort(&self, wish: &str) -> Option<&'static str> {
        const ORDER: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];
        let rank = |level: &str| ORDER.iter().position(|known| *known == level);
        let wished = rank(wish)?;
        let below = self.efforts.iter().rev().find(|level| rank(level).is_some_and(|rank| rank <= wished));
        below.or(self.efforts.first()).copied()
    }
}

/// The first run of one or two short numbers: `3-5-haiku-20241022` is 3.5, `opus-4-20250514` is 4.0.
fn version(words: &[&str]) -> (u32, u32) {
    let number = |word: &&str| if word.len() <= 2 { word.parse::<u32>().ok() } else { None };
    let Some(at) = words.iter().position(|word| number(word).is_some()) else { return (0, 0) };
    let minor = words.get(at + 1).and_then(number).unwrap_or(0);
    (number(&words[at]).unwrap_or(0), minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read() {
        let cases = [
            ("claude-3-haiku-20240307", V3),
            ("claude-2.1", V3),
            ("claude-instant-1.2", V3),
            ("claude-3-5-haiku-20241022", V3_5),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", V3_5),
            ("claude-3-7-sonnet-latest", V3_7),
            ("claude-opus-4-20250514", OPUS_4),
            ("claude-sonnet-4-0", V3_7),
            ("claude-sonnet-4-5@20250929", V4_5),
            ("us.anthropic.claude-sonnet-4-6-v1:0", V4_6),
            ("anthropic/claude-opus-4.8", V4_7),
            ("claude-opus-5", V5),
            ("claude-opus-5-5", ALWAYS_UNFORCED),
            ("claude-fable-5", ALWAYS),
            ("claude-mythos-preview", ALWAYS),
            ("claude-saga-6", V4_7),
            ("glm-5.2", OTHER),
        ];
        for (id, model) in cases {
            assert_eq!(Model::of(id), model, "{id}");
        }
    }

    #[test]
    fn effort_is_the_nearest_that_the_model_has() {
        let cases = [
            ("claude-opus-4-7", "xhigh", Some("xhigh")),
            ("claude-opus-4-6", "xhigh", Some("high")),
            ("claude-opus-4-6", "minimal", Some("low")),
            ("claude-opus-4-5", "max", Some("high")),
            ("claude-sonnet-4-5", "high", None),
            ("claude-opus-4-7", "vast", None),
        ];
        for (id, wish, level) in cases {
            assert_eq!(Model::of(id).effort(wish), level, "{id} {wish}");
        }
    }
}
