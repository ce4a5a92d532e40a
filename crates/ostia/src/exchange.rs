//! One attempt: how a call is carried to one provider, and what becomes of its answer.

pub mod ask;
pub mod bound;
pub mod count;
pub mod outgoing;
pub mod params;
pub mod proxy;
pub mod receive;
pub mod send;
mod unanswered;
pub mod usable;
pub mod view;

pub use send::Exchange;
