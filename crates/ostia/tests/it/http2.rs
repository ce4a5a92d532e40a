//! Many calls at once on one connection.

mod bounds;
pub mod client;
mod ends;
mod frames;
mod heads;
mod streams;
pub mod tools;
