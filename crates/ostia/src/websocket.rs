//! WebSockets (RFC 6455). Between a client and a provider frames pass as they are: the library (`tungstenite`) reads their heads, and
//! nothing here writes one but those that close.

mod direction;
mod frames;
mod observe;
mod relay;
mod served;

pub use relay::relay;
pub use served::{End, Served, Session, Signals};
