//! The canonical answer to the client's body.

use crate::{Response, View};

/// The whole `GenerateContentResponse`.
pub fn encode(response: &Response, view: &View) -> Vec<u8> {
    let _ = (response, view);
    unimplemented!()
}
