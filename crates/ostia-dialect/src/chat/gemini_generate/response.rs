//! Whole answers, both ways.

pub(super) mod candidate;
mod decode;
pub(super) mod encode;
pub(super) mod grounding;
mod partial;
pub(super) mod said;
pub(super) mod time;

pub use decode::decode;
pub use encode::encode;
