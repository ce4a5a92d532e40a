//! Streams of the vendor's.

mod decode;

pub use decode::Decoder;
