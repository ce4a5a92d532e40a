//! WebSockets through the gateway: what each side sends is what the other receives, and neither outlives the other.

mod bounds;
mod ends;
mod handshakes;
mod hostile;
mod http2;
mod lanes;
mod relay;
mod responses;
mod steering;
mod tapes;
pub(crate) mod tools;
