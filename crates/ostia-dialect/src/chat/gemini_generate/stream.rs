//! Streams, both ways.

pub(super) mod decode;
mod encode;

pub use decode::Decoder;
pub use encode::Encoder;
