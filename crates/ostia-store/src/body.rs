//! Bodies: as much of them as is kept, compressed, and why one is missing.

/// How hard bodies are compressed: the library's own default, some 300 MB/s.
const LEVEL: i32 = 3;
/// Longest body that is unpacked, in bytes: none is kept that is longer.
const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// A body, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The beginning of it, which may be all.
    Bytes {
        /// What is kept.
        bytes: Vec<u8>,
        /// How much there was.
        total: u64,
    },
    /// None of it.
    Missing(Missing),
}

/// Why a body is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// There was none, or it was not read.
    #[default]
    None,
    /// Bodies are not kept (`records.bodies`, or this request did not want it).
    Off,
    /// Bodies are kept of failures only.
    NoError,
    /// There was no room in the queue.
    QueueFull,
    /// It has been kept for as long as bodies are.
    AgedOut,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::Missing(Missing::None)
    }
}

impl Missing {
    const ALL: [Missing; 5] =
        [Missing::None, Missing::Off, Missing::NoError, Missing::QueueFull, Missing::AgedOut];

    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Missing::None => "none",
            Missing::Off => "off",
            Missing::NoError => "no_error",
            Missing::QueueFull => "queue_full",
            Missing::AgedOut => "aged_out",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Missing> {
        Missing::ALL.into_iter().find(|missing| missing.as_str() == name)
    }
}

impl Kept {
    /// Was the end of it cut off?
    pub fn is_cut(&self) -> bool {
        matches!(self, Kept::Bytes { bytes, total } if (bytes.len() as u64) < *total)
    }

    /// How it is told in a column: `kept`, `cut`, or why it is missing.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Kept::Bytes { .. } if self.is_cut() => "cut",
            Kept::Bytes { .. } => "kept",
            Kept::Missing(missing) => missing.as_str(),
        }
    }

    /// Compressed; none where there is nothing.
    pub(crate) fn packed(&self) -> Option<Vec<u8>> {
        match self {
            // Without memory there is no body.
            Kept::Bytes { bytes, .. } => zstd::bulk::compress(bytes, LEVEL).ok(),
            Kept::Missing(_) => None,
        }
    }
}

/// What [`Kept::packed`] made; nothing of what is no such thing.
pub(crate) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    zstd::stream::decode_all(packed).ok().filter(|bytes| bytes.len() <= UNPACKED_BYTES_MAX)
}
