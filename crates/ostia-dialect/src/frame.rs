//! Bytes to frames: any split of the input gives the same frames, and no frame grows without bound.

mod grammar;
mod keep_alive;
pub mod sse;

pub use grammar::Grammar;
pub use keep_alive::{KeepAlive, is_ping};

/// Largest frame that is accepted, in bytes. Images in base64 come in single events.
pub const FRAME_BYTES_MAX: usize = 32 << 20;
