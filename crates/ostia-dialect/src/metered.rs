//! What a vendor charges for beside the tokens of an answer: [`Metered`], one count for each [`Meter`].
//!
//! A count of zero means that nothing of it was used, or that nobody said so. What cannot be counted exactly is not counted here:
//! whoever sets the price has to know the difference between little and unknown.

macro_rules! meters {
    ($($variant:ident $name:literal $what:literal,)+) => {
        /// Something that is counted beside tokens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Meter {
            $(#[doc = $what] $variant,)+
        }

        impl Meter {
            /// All, in the order of the enum.
            pub const ALL: &'static [Meter] = &[$(Meter::$variant,)+];

            /// Its name in records.
            pub const fn name(self) -> &'static str {
                match self { $(Meter::$variant => $name,)+ }
            }
        }
    };
}

meters! {
    BilledInput "billed_input" "Tokens of the prompt that are billed, where others went through the model.",
    BilledOutput "billed_output" "Tokens of the answer that are billed, where others were written.",
    ToolPrompt "tool_prompt" "Tokens of the prompts of the vendor's own tools, which are not in the prompt.",
    EarlierInput "earlier_input" "Tokens of prompts of earlier turns in the same answer, which its prompt leaves out; with their cached ones.",
    EarlierCached "earlier_cached" "Of the prompts of earlier turns in the same answer: tokens read from the vendor's cache.",
    EarlierCacheWritten "earlier_cache_written" "Of the prompts of earlier turns in the same answer: tokens written to the vendor's cache.",
    EarlierCacheWritten1h "earlier_cache_written_1h" "Of the prompts of earlier turns in the same answer: tokens written to the vendor's cache for an hour.",
    EarlierOutput "earlier_output" "Tokens that earlier turns of the same answer wrote, which its completion leaves out.",
    AudioInputMs "audio_input_ms" "Milliseconds of sound that went in.",
    InputCharacters "input_characters" "Characters (Unicode code points) that were spoken.",
    InputImages "input_images" "Images that went in, where they are counted and not their tokens.",
    OutputImages "output_images" "Images that were made, where they are counted and not their tokens.",
    Pages "pages" "Pages of documents that were read.",
    AnnotatedPages "annotated_pages" "Pages that were read and annotated.",
    Queries "queries" "Searches of a ranking, as its vendor bills them.",
    WebSearches "web_searches" "Searches of the web that the vendor made for the model.",
    FileSearches "file_searches" "Searches of stored files that the vendor made for the model.",
    MapSearches "map_searches" "Answers that rest on a map.",
    CodeSessions "code_sessions" "Sandboxes in which the vendor ran code.",
    ImageGenerations "image_generations" "Images that another model made for the answer.",
    OtherTools "other_tools" "Calls of tools that a vendor runs, and whose price is not known by name.",
    OtherModels "other_models" "Tokens of other models that took part.",
}

/// How much of each meter was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metered {
    counts: [u32; Meter::ALL.len()],
}

impl Metered {
    /// So many of one meter, and nothing else.
    pub fn one(meter: Meter, count: u64) -> Metered {
        Metered::default().with(meter, count)
    }

    /// With so many more of a meter.
    #[must_use]
    pub fn with(mut self, meter: Meter, count: u64) -> Metered {
        let own = &mut self.counts[meter as usize];
        *own = own.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        self
    }

    /// How many of a meter.
    pub fn count(&self, meter: Meter) -> u64 {
        u64::from(self.counts[meter as usize])
    }

    /// What was used, in the order of the meters.
    pub fn counts(&self) -> impl Iterator<Item = (Meter, u64)> + '_ {
        Meter::ALL.iter().map(|meter| (*meter, self.count(*meter))).filter(|(_, count)| *count > 0)
    }

    /// Was nothing used?
    pub fn is_empty(&self) -> bool {
        *self == Metered::default()
    }

    /// What both used.
    #[must_use]
    pub fn plus(&self, other: &Metered) -> Metered {
        self.merged(other, u32::saturating_add)
    }

    /// What was used behind `before`, which is counted here too.
    #[must_use]
    pub fn minus(&self, before: &Metered) -> Metered {
        self.merged(before, u32::saturating_sub)
    }

    fn merged(&self, other: &Metered, count: fn(u32, u32) -> u32) -> Metered {
        let mut counts = self.counts;
        counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own = count(*own, other));
        Metered { counts }
    }
}

/// Seconds as a vendor tells them, in milliseconds; nothing of what is no length of time.
pub fn milliseconds(seconds: f64) -> u64 {
    // Below zero, and what is no number, becomes zero.
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_are_taken_away() {
        let one = Metered::one(Meter::Pages, 3).with(Meter::InputCharacters, 7);
        let both = one.plus(&Metered::one(Meter::Pages, 2));
        let told: Vec<_> = both.counts().map(|(meter, count)| (meter.name(), count)).collect();
        assert_eq!(told, [("input_characters", 7), ("pages", 5)]);
        assert_eq!(both.minus(&one), Metered::one(Meter::Pages, 2));
        assert_eq!(
            Metered::one(Meter::Pages, u64::MAX).with(Meter::Pages, 1).count(Meter::Pages),
            u64::from(u32::MAX)
        );
        assert!(both.minus(&both).is_empty());
    }

    #[test]
    fn seconds_are_told_to_the_millisecond() {
        for (seconds, expected) in [(25.933_313, 25_933), (37.0, 37_000), (0.0, 0), (-1.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(milliseconds(seconds), expected, "{seconds}");
        }
    }
}
