//! Whole answers of the vendor's.

mod decode;
pub(super) mod ending;

pub use decode::decode;
