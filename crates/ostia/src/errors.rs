//! What goes wrong, in the client's words, and why a target gave no answer.

pub mod attempt_error;
pub mod failure;
pub mod family;
pub mod reply;
pub mod reword;
