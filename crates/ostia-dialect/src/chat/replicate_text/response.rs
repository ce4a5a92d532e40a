//! Whole answers of the vendor's.

mod decode;

pub use decode::decode;
