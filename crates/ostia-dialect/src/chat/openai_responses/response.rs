//! Whole answers, both ways.

mod decode;
mod encode;
pub(super) mod ending;
pub(super) mod object;
pub(super) mod output;

pub use decode::decode;
pub use encode::{encode, failed, id, pending};
