//! What is counted, and how much of it: [`Unit`] and [`Usage`].

macro_rules! units {
    ($($variant:ident $name:literal $quantity:literal $what:literal,)+) => {
        /// Something that is counted and has a price. Each is counted apart: tokens from the cache are not among [`Unit::Input`],
        /// reasoning is not among [`Unit::Output`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Unit {
            $(#[doc = $what] $variant,)+
        }

        impl Unit {
            /// All, in the order of their numbers in the compact form.
            pub const ALL: &'static [Unit] = &[$(Unit::$variant,)+];

            /// Its name in the data.
            pub const fn name(self) -> &'static str {
                match self { $(Unit::$variant => $name,)+ }
            }

            /// For how many of them a price is written down, as vendors do: a million tokens, a thousand searches, one image.
            pub const fn quantity(self) -> u64 {
                match self { $(Unit::$variant => $quantity,)+ }
            }
        }
    };
}

units! {
    Input "input" 1_000_000 "Tokens of the prompt that are in no other unit.",
    CachedInput "cached_input" 1_000_000 "Tokens that were read from the vendor's cache.",
    CacheWrite "cache_write" 1_000_000 "Tokens written to the cache for its shortest time (Anthropic: 5 minutes).",
    CacheWrite1h "cache_write_1h" 1_000_000 "Tokens written to the cache for an hour.",
    CacheWrite12h "cache_write_12h" 1_000_000 "Tokens written to the cache for more than 12 hours.",
    Output "output" 1_000_000 "Tokens of the answer that are in no other unit.",
    Reasoning "reasoning" 1_000_000 "Tokens of reasoning.",
    Citation "citation" 1_000_000 "Tokens of citations.",
    AudioInput "audio_input" 1_000_000 "Tokens of audio in the prompt.",
    CachedAudio "cached_audio" 1_000_000 "Tokens of audio that were read from the cache.",
    CacheWriteAudio "cache_write_audio" 1_000_000 "Tokens of audio written to the cache.",
    AudioOutput "audio_output" 1_000_000 "Tokens of audio in the answer.",
    ImageInput "image_input" 1_000_000 "Tokens of images in the prompt.",
    CachedImage "cached_image" 1_000_000 "Tokens of images that were read from the cache.",
    ImageOutput "image_output" 1_000_000 "Tokens of images in the answer.",
    VideoInput "video_input" 1_000_000 "Tokens of video in the prompt.",
    VideoOutput "video_output" 1_000_000 "Tokens of video in the answer.",
    InputCharacters "input_characters" 1_000_000 "Characters of the input.",
    OutputCharacters "output_characters" 1_000_000 "Characters of the output.",
    InputSeconds "input_seconds" 1 "Seconds of audio that go in.",
    OutputSeconds "output_seconds" 1 "Seconds of audio that come out.",
    AudioSeconds "audio_seconds" 1 "Seconds of a conversation in audio, both ways.",
    VideoInputSeconds "video_input_seconds" 1 "Seconds of video that go in.",
    VideoOutputSeconds "video_output_seconds" 1 "Seconds of video that come out.",
    InputImages "input_images" 1 "Images that go in.",
    OutputImages "output_images" 1 "Images that come out.",
    InputPixels "input_pixels" 1_000_000 "Pixels that go in.",
    OutputPixels "output_pixels" 1_000_000 "Pixels that come out.",
    Pages "pages" 1000 "Pages of documents that are read.",
    AnnotatedPages "annotated_pages" 1000 "Pages of documents that are read and annotated.",
    Queries "queries" 1000 "Queries of a reranker or a search engine.",
    WebSearches "web_searches" 1000 "Searches of the web that the vendor makes for the model.",
    FileSearches "file_searches" 1000 "Searches of stored files that the vendor makes for the model.",
    MapSearches "map_searches" 1000 "Searches of maps that the vendor makes for the model.",
    Requests "requests" 1000 "Calls.",
    Messages "messages" 1000 "Messages of text in a conversation in audio.",
    CodeSessions "code_sessions" 1 "Sessions of the vendor's code interpreter.",
    OutputMegapixels "output_megapixels" 1 "Megapixels (2^20 pixels) that come out, each begun one of an image counted whole.",
}

impl Unit {
    /// The unit of this name.
    pub fn named(name: &str) -> Option<Unit> {
        Unit::ALL.iter().copied().find(|unit| unit.name() == name)
    }

    /// Whose price holds where this one has none. The sources write a price of reasoning, of images and of video down only where
    /// it differs; what else has no price is unknown.
    pub const fn part_of(self) -> Option<Unit> {
        match self {
            Unit::Reasoning => Some(Unit::Output),
            Unit::ImageInput | Unit::VideoInput => Some(Unit::Input),
            Unit::CachedImage => Some(Unit::CachedInput),
            _ => None,
        }
    }

    /// Does it fill the context? What is above a border of context is charged otherwise.
    pub const fn is_prompt(self) -> bool {
        matches!(
            self,
            Unit::Input
                | Unit::CachedInput
                | Unit::CacheWrite
                | Unit::CacheWrite1h
                | Unit::CacheWrite12h
                | Unit::AudioInput
                | Unit::CachedAudio
                | Unit::CacheWriteAudio
                | Unit::ImageInput
                | Unit::CachedImage
                | Unit::VideoInput
        )
    }
}

/// How much of each unit a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    counts: [u64; Unit::ALL.len()],
}

impl Default for Usage {
    fn default() -> Usage {
        Usage { counts: [0; Unit::ALL.len()] }
    }
}

/// Tokens as vendors report them: with totals of which the others are parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// The whole prompt.
    pub prompt: u64,
    /// Of the prompt: read from the cache.
    pub cached: u64,
    /// Of the prompt: written to the cache.
    pub cache_written: u64,
    /// Of what was written to the cache: kept for an hour.
    pub cache_written_1h: u64,
    /// Of the prompt: audio.
    pub audio_prompt: u64,
    /// Of what was read from the cache: audio.
    pub cached_audio: u64,
    /// Of the prompt: images.
    pub image_prompt: u64,
    /// The whole answer.
    pub completion: u64,
    /// Of the answer: reasoning.
    pub reasoning: u64,
    /// Of the answer: audio.
    pub audio_completion: u64,
    /// Of the answer: images.
    pub image_completion: u64,
}

impl Usage {
    /// With so many more of a unit.
    #[must_use]
    pub fn with(mut self, unit: Unit, count: u64) -> Usage {
        self.counts[unit as usize] = self.counts[unit as usize].saturating_add(count);
        self
    }

    /// Counted apart. Parts that are larger than their whole leave nothing of it.
    pub fn of(tokens: Tokens) -> Usage {
        let Tokens { prompt, cached, cache_written, cache_written_1h, cached_audio, image_prompt, .. } =
            tokens;
        let audio_prompt = tokens.audio_prompt.saturating_sub(cached_audio);
        let of_input = [cached, cache_written, audio_prompt, image_prompt];
        let Tokens { completion, reasoning, audio_completion, image_completion, .. } = tokens;
        let of_output = [reasoning, audio_completion, image_completion];
        let rest =
            |whole: u64, parts: &[u64]| parts.iter().fold(whole, |rest, part| rest.saturating_sub(*part));
        Usage::default()
            .with(Unit::Input, rest(prompt, &of_input))
            .with(Unit::CachedInput, cached.saturating_sub(cached_audio))
            .with(Unit::CachedAudio, cached_audio)
            .with(Unit::CacheWrite, cache_written.saturating_sub(cache_written_1h))
            .with(Unit::CacheWrite1h, cache_written_1h)
            .with(Unit::AudioInput, audio_prompt)
            .with(Unit::ImageInput, image_prompt)
            .with(Unit::Output, rest(completion, &of_output))
            .with(Unit::Reasoning, reasoning)
            .with(Unit::AudioOutput, audio_completion)
            .with(Unit::ImageOutput, image_completion)
    }

    /// How many of a unit.
    pub fn count(&self, unit: Unit) -> u64 {
        self.counts[unit as usize]
    }

    /// What was used, in the order of the units.
    pub fn counts(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        Unit::ALL.iter().map(|unit| (*unit, self.count(*unit))).filter(|(_, count)| *count > 0)
    }

    /// Tokens of the prompt, of all kinds.
    pub fn prompt_tokens(&self) -> u64 {
        let prompt = self.counts().filter(|(unit, _)| unit.is_prompt());
        prompt.fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Usage) -> Usage {
        other.counts().fold(self, |sum, (unit, count)| sum.with(unit, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_stand_in_order() {
        for (at, unit) in Unit::ALL.iter().enumerate() {
            assert_eq!((Unit::named(unit.name()), *unit as usize), (Some(*unit), at));
        }
        assert_eq!(Unit::named("hay"), None);
    }

    #[test]
    fn totals_become_parts() {
        let tokens = Tokens {
            prompt: 100,
            cached: 60,
            cache_written: 30,
            cache_written_1h: 10,
            audio_prompt: 5,
            cached_audio: 4,
            completion: 50,
            reasoning: 20,
            image_completion: 7,
            ..Tokens::default()
        };
        let usage = Usage::of(tokens);
        let counts: Vec<_> = usage.counts().map(|(unit, count)| (unit.name(), count)).collect();
        let expected = [
            ("input", 9),
            ("cached_input", 56),
            ("cache_write", 20),
            ("cache_write_1h", 10),
            ("output", 23),
            ("reasoning", 20),
            ("audio_input", 1),
            ("cached_audio", 4),
            ("image_output", 7),
        ];
        assert_eq!((counts.as_slice(), usage.prompt_tokens()), (expected.as_slice(), 100));
        // A vendor that contradicts itself.
        let wrong = Usage::of(Tokens { prompt: 5, cached: 9, ..Tokens::default() });
        assert_eq!(wrong.counts().collect::<Vec<_>>(), [(Unit::CachedInput, 9)]);
    }
}
