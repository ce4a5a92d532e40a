//! Free-text tools for vendors that have none: each becomes a function with one text argument, and its calls become
//! free text again.

use crate::{Event, Request, Response};

/// The tools of a request that were turned into functions.
#[derive(Debug, Clone)]
pub struct CustomTools {
    names: Vec<String>,
}

impl CustomTools {
    /// Replaces the free-text tools of a request, and the calls of them in its history. `None` if there are none.
    pub fn replace(request: &mut Request) -> Option<CustomTools> {
        let _ = request;
        unimplemented!()
    }

    /// Gives the calls in an answer their free text back.
    pub fn response(&self, response: &mut Response) {
        let _ = (&self.names, response);
        unimplemented!()
    }

    /// The same for events: the text of a call may wait until enough of it has come.
    pub fn events(&mut self, events: &mut Vec<Event>) {
        let _ = events;
        unimplemented!()
    }
}
