//! What is done with an answer between the upstream's decoder and the client's encoder, however it is carried.

use std::fmt::Debug;

use ostia_dialect::{Event, Response};

/// Something that sees an answer on its way to the client, and may change it: as events where it is a stream, or in one piece.
/// It is the client's own already: what was changed for the upstream's sake has been changed back.
pub trait Stage: Debug {
    /// The next events of a stream. There may be none among them.
    fn events(&mut self, _events: &mut Vec<Event>) {}

    /// A whole answer.
    fn response(&mut self, _response: &mut Response) {}

    /// The answer is whole, and the client is getting it. `body`: all of it as the client's API tells it in one piece. Of streams
    /// only those of the Responses API have one, and for others this is not called.
    fn whole(&mut self, _body: &[u8]) {}
}

/// The stages of an answer, in the order in which it passes them. Most answers have none.
pub type Stages = Vec<Box<dyn Stage>>;
