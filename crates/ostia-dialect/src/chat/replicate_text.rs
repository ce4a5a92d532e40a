//! Language models at Replicate as an upstream dialect: predictions (<https://replicate.com/docs/reference/http#models.predictions.create>).
//!
//! A model takes a prompt and a few parameters under names of its own, and gives one text: there are no turns, no tools and no
//! roles. Several turns are told as a transcript. The answer is a job, which is asked for until it is done, or read as a stream
//! of events at the address that the job names (<https://replicate.com/docs/topics/predictions/streaming>).

mod error;
pub mod request;
pub mod response;
pub mod stream;
mod usage;
