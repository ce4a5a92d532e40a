//! Jobs that train a model of one's own, in OpenAI's form (<https://platform.openai.com/docs/api-reference/fine-tuning>): what a client
//! asks for, the rows that a model is trained with, and what is said of a job.
//!
//! Vendors that have such jobs in a form of their own are a [`TuningForm`] each ([`BEDROCK`], [`FIREWORKS`], [`TOGETHER`], [`VERTEX`]), which
//! the row of their API names. Some take OpenAI's conversations and preferences as they are; for others each row is told anew.

mod bedrock;
mod conversation;
mod fireworks;
mod form;
mod listed;
mod request;
mod row;
#[cfg(test)]
mod tests;
mod together;
mod vertex;

pub use bedrock::BEDROCK;
pub use fireworks::FIREWORKS;
pub use form::{EncodeRow, Files, Listing, State, Status, TuningForm};
pub use listed::{Checkpoint, Event, Level, encode_checkpoints, encode_events};
pub use request::{Hyperparameters, METADATA_MAX, Method, NewJob, Wandb};
pub use row::RowKind;
pub use together::TOGETHER;
pub use vertex::VERTEX;
