//! What a model is for, and what goes in and comes out.

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident $name:literal $what:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $type {
            $(#[doc = $what] $variant,)+
        }

        impl $type {
            /// All, in the order of their numbers in the compact form.
            pub const ALL: &'static [$type] = &[$($type::$variant,)+];

            /// Its name in the data.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)+ }
            }

            /// The one of this name.
            pub fn named(name: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        $crate::as_text::as_text!($type, |one: &$type| one.name().to_owned(), $type::named);
    };
}
pub(crate) use named;

named! {
    /// What a model is for.
    Mode {
        Unknown "unknown" "The sources do not say.",
        Chat "chat" "Conversations.",
        Responses "responses" "Conversations, in OpenAI's Responses API only.",
        Completion "completion" "Text that goes on.",
        Embedding "embedding" "Vectors.",
        Rerank "rerank" "Documents in the order of their worth.",
        Moderation "moderation" "May a text pass.",
        Image "image" "Makes or changes images.",
        Video "video" "Makes videos.",
        Speech "speech" "Text to speech.",
        Transcription "transcription" "Speech to text.",
        Realtime "realtime" "Conversations in audio.",
        Ocr "ocr" "Reads documents.",
        Search "search" "Searches the web.",
        Other "other" "Anything else.",
    }
}

named! {
    /// A kind of content.
    Modality {
        Text "text" "Text.",
        Image "image" "Images.",
        Audio "audio" "Audio.",
        Video "video" "Video.",
        Pdf "pdf" "Documents in PDF.",
    }
}

/// A set of kinds of content. Empty: nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Modalities(pub(crate) u8);

impl Modalities {
    /// With one more.
    #[must_use]
    pub fn with(self, modality: Modality) -> Modalities {
        Modalities(self.0 | 1 << modality as u8)
    }

    /// Is it among them?
    pub fn has(self, modality: Modality) -> bool {
        self.0 & 1 << modality as u8 != 0
    }

    /// Is nothing known?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Modality> {
        Modality::ALL.iter().copied().filter(move |modality| self.has(*modality))
    }
}

impl FromIterator<Modality> for Modalities {
    fn from_iter<I: IntoIterator<Item = Modality>>(all: I) -> Modalities {
        all.into_iter().fold(Modalities::default(), Modalities::with)
    }
}
