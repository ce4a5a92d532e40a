//! What the gateway answers by itself.

pub mod explain;
pub mod logs;
pub mod models;
pub mod page;
pub mod responses;
