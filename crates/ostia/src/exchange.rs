//! One attempt: how a call is carried to one provider, and what becomes of its answer.

mod addresses;
pub mod ask;
pub mod finish;
mod masks;
pub mod payload;
pub mod poll;
pub mod proxy;
pub mod receive;
mod recipient;
pub mod render;
pub mod send;
mod several;
mod sign;
pub mod socket;
mod unanswered;
mod upload_first;
pub mod usable;

pub use send::Exchange;
