//! Whole answers of the vendor's.

mod decode;

pub use decode::decode;
pub(super) use decode::{call, finish, logprobs, rest};
