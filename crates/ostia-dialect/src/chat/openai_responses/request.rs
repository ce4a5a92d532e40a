//! Requests, both ways.

mod decode;
pub(super) mod echo;
mod encode;
pub mod input_items;

pub(crate) use decode::decode_tool;
pub use decode::{StoreOptions, WORDS, decode, refers_to_earlier, store_options};
pub use echo::echo;
pub use encode::encode;
