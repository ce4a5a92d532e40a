//! The contents of a file, as the body of an answer.

use std::fs::File;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body::Frame;
use ostia_dialect::Fault;
use ostia_dialect::form::Piece;
use ostia_dialect::frame::KeepAlive;

use crate::message::body::{Body, Events, FramePoll};
use crate::upstream::BodyFault;
use crate::upstream::pieces::{Pieces, Stored};

/// A file on its way to a client, read as fast as the client takes it.
#[derive(Debug)]
struct Contents {
    pieces: Pieces,
    is_broken: bool,
}

/// The first `bytes` of a file.
pub fn body(file: File, bytes: u64) -> Body {
    let stored = Stored::Disk { file: Arc::new(file), start: 0, bytes };
    Body::events(Contents { pieces: Pieces::new(&[Piece::File(0)], &[stored]), is_broken: false })
}

impl Events for Contents {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        if self.is_broken {
            return Poll::Ready(Some(Err(BodyFault::Broken)));
        }
        let bytes = ready!(self.pieces.poll_bytes(context));
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data).map_err(BodyFault::Disk)))
    }

    fn fail(&mut self, _fault: Fault) {
        self.is_broken = true;
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }
}
