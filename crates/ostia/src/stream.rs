//! Event streams on their way back to the client.

pub mod answer;
pub mod opening;
