//! What answers say as they pass: whether a stream is whole, its first token, what it cost and why it ended.
//!
//! Nothing is changed here. A relayed stream is watched ([`Watch`]); one that is translated tells its events to [`Observed`].

mod estimate;
mod hosted;
mod observed;
mod observer;
mod subject;
mod watch;
mod whole;

pub use estimate::{text_bytes, tokens};
pub(crate) use observed::media_usage;
pub use observed::{Count, Observed};
pub use subject::{AskedFor, AskedImages, Subject, asked_for, with_asked};
pub use watch::{DONE, Ending, Watch};
pub use whole::WholeAnswer;

#[cfg(test)]
mod tests;
