//! What answers say as they pass: whether a stream is whole, its first token, what it cost and why it ended.
//!
//! Nothing is changed here. A relayed stream is watched ([`Watch`]); one that is translated tells its events to [`Observed`].

mod observed;
mod observer;
mod watch;
mod whole;

pub use observed::{Count, Observed};
pub use watch::{DONE, Ending, Watch};
pub use whole::WholeAnswer;
