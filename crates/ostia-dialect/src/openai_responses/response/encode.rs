//! The canonical answer to the client's Response object.

use crate::{Fault, Response, View};

/// The id of the answer that this view shows: `resp_{stem}`.
pub fn id(view: &View) -> String {
    format!("resp_{}", view.stem)
}

/// The whole Response object.
pub fn encode(response: &Response, view: &View) -> Vec<u8> {
    let _ = (response, view);
    unimplemented!()
}

/// The Response object of an answer that is not there (yet): `queued`, `in_progress`, `cancelled`.
pub fn pending(view: &View, status: &str) -> Vec<u8> {
    let _ = (view, status);
    unimplemented!()
}

/// The Response object of an answer that failed.
pub fn failed(fault: &Fault, view: &View) -> Vec<u8> {
    let _ = (fault, view);
    unimplemented!()
}
