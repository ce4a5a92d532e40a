//! WebSockets through the gateway: what each side sends is what the other receives, and neither outlives the other.

mod bounds;
mod ends;
mod handshakes;
mod relay;
mod responses;
pub(crate) mod tools;
