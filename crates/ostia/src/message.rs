//! HTTP messages on their way to a client: their bodies, what streams among those are read from, how they are packed, and their
//! header fields.

pub mod body;
pub mod fields;
pub mod inflate;
pub mod media;
pub mod model_name;
pub mod source;
