//! The account of a request, and its views.

pub mod mark;
pub mod records;
