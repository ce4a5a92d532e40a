//! Who says so.

use crate::date::Date;
use crate::mode::named;

named! {
    /// Where a row is from. The versions and their dates stand in `data/sources.json`.
    Source {
        GenaiPrices "genai-prices" "Pydantic's genai-prices.",
        Litellm "litellm" "LiteLLM's list of models.",
        Portkey "portkey" "Portkey's models.",
        Vendor "vendor" "The vendor's own page, read by us.",
        Operator "operator" "The operator's configuration.",
    }
}

/// The sources of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Sources(pub(crate) u8);

impl Sources {
    /// With one more.
    #[must_use]
    pub fn with(self, source: Source) -> Sources {
        Sources(self.0 | 1 << source as u8)
    }

    /// Is it among them?
    pub fn has(self, source: Source) -> bool {
        self.0 & 1 << source as u8 != 0
    }

    /// Is there none?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL.iter().copied().filter(move |source| self.has(*source))
    }
}

/// Which version of a source was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Which.
    pub source: Source,
    /// Its version.
    pub version: String,
    /// When it was published: how old its prices may be.
    pub date: Date,
}
