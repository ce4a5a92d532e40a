//! The operator's decisions: read, checked, and ready for all cores.

pub mod load;
pub mod settings;
