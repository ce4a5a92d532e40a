//! Requests, as the vendor takes them.

mod encode;

pub use encode::encode;
