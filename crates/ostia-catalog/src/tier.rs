//! How fast and how surely a vendor answers, at a price of its own.

/// A vendor's service tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tier {
    /// What is paid where a request asks for nothing else.
    #[default]
    Standard,
    /// Answers within a day.
    Batch,
    /// Answers when there is room.
    Flex,
    /// Answers ahead of others.
    Priority,
    /// Anthropic's `speed: fast`.
    Fast,
    /// OpenAI's `ultrafast`.
    Ultrafast,
    /// Between standard and flex.
    Balanced,
}

impl Tier {
    /// All, in the order of their numbers in the compact form.
    pub const ALL: [Tier; 7] = [
        Tier::Standard,
        Tier::Batch,
        Tier::Flex,
        Tier::Priority,
        Tier::Fast,
        Tier::Ultrafast,
        Tier::Balanced,
    ];

    /// Its name in the data.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::Batch => "batch",
            Tier::Flex => "flex",
            Tier::Priority => "priority",
            Tier::Fast => "fast",
            Tier::Ultrafast => "ultrafast",
            Tier::Balanced => "balanced",
        }
    }

    /// The tier of this name.
    pub fn named(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

crate::as_text::as_text!(Tier, |tier: &Tier| tier.name().to_owned(), Tier::named);
