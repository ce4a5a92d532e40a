//! Whole answers of the vendor's.

pub(super) mod citation;
mod decode;
pub(super) mod ending;

pub use decode::decode;
pub(super) use decode::{call, foreign};
