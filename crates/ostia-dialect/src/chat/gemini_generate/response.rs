//! Whole answers, both ways.

pub(super) mod decode;
pub(super) mod encode;

pub use decode::decode;
pub use encode::encode;
