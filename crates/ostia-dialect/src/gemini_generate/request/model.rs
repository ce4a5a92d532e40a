//! What the name of a model tells about its generation.

/// A generation of models: major and minor number, in the order of their appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Generation(pub(super) u32, pub(super) u32);

/// First generation that thinks and that takes JSON Schema.
pub(super) const THINKING: Generation = Generation(2, 5);
/// First generation that is told how hard to think by a level, and that insists on signatures.
pub(super) const LEVELS: Generation = Generation(3, 0);

/// A model, as far as its name tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    /// `None` for names that do not tell: tuned models, other families.
    pub(super) generation: Option<Generation>,
    /// The large sibling, which cannot stop thinking.
    pub(super) pro: bool,
}

impl Model {
    /// Reads `gemini-2.5-pro`, `models/gemini-3-flash-preview`, `publishers/google/models/gemini-flash-latest`.
    /// An alias that means the latest model counts as the newest generation.
    pub(super) fn of(name: &str) -> Model {
        let name = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let generation = name.strip_prefix("gemini-").and_then(|rest| {
            let numbers = rest.split('-').next().unwrap_or_default();
            let (major, minor) = numbers.split_once('.').unwrap_or((numbers, "0"));
            match (major.parse(), minor.parse()) {
                (Ok(major), Ok(minor)) => Some(Generation(major, minor)),
                _ => rest.ends_with("-latest").then_some(Generation(u32::MAX, 0)),
            }
        });
        Model { generation, pro: name.split('-').any(|word| word == "pro") }
    }

    /// Is it known to be of this generation or a later one?
    pub(super) fn since(self, first: Generation) -> bool {
        self.generation.is_some_and(|generation| generation >= first)
    }

    /// Is it known to be older than this generation?
    pub(super) fn before(self, first: Generation) -> bool {
        self.generation.is_some_and(|generation| generation < first)
    }
}
