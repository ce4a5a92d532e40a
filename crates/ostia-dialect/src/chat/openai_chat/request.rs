//! Requests, both ways.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;
pub(crate) use encode::own_tier;
