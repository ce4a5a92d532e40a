//! Requests, both ways.

mod decode;
pub(super) mod echo;
mod encode;
pub mod input_items;

pub(crate) use decode::decode_tool;
pub use decode::{StoreOptions, WORDS, decode, store_options};
pub use echo::echo;
pub use encode::encode;
