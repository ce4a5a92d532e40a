//! Streams, both ways.

mod decode;
mod encode;

pub use decode::Decoder;
pub use encode::Encoder;
