//! Whole answers, both ways.

pub(super) mod decode;
pub(super) mod encode;
pub(super) mod time;

pub use decode::decode;
pub use encode::encode;
