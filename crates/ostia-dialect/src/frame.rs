//! Bytes to frames: any split of the input gives the same frames, and no frame grows without bound.

pub mod aws_event_stream;
mod framer;
mod grammar;
mod json_array;
mod json_lines;
mod keep_alive;
pub(crate) mod sse;
#[cfg(test)]
mod tests;

pub use framer::{Frame, Framer, Framing};
pub use grammar::Grammar;
pub(crate) use json_array::Elements;
pub use keep_alive::{KeepAlive, is_ping};

use crate::Fault;

/// Largest frame that is accepted, in bytes. Images in base64 come in single events.
pub const FRAME_BYTES_MAX: usize = 32 << 20;

/// Why a stream with a frame of more than [`FRAME_BYTES_MAX`] is read no further.
pub(crate) fn too_large() -> Fault {
    Fault::upstream(format!("The provider sent an event of more than {FRAME_BYTES_MAX} bytes."))
}
