//! Requests, as the vendor takes them.

mod encode;

pub use encode::encode;
pub(crate) use encode::{has_own_fields, is_own_field};
