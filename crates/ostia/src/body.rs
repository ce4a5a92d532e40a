//! The bodies of answers to clients, as one type without boxes on the common path.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use ostia_dialect::Fault;

use crate::answer::{Relayed, Translated};
use crate::course::Course;
use crate::kept::Replay;
use crate::opening::Opened;
use crate::rescue::Rescue;
use crate::upstream::{Answer, BodyFault};

/// A body on its way to a client.
#[derive(Debug)]
pub enum Body {
    /// Bytes that are all here.
    Full(Option<Bytes>),
    /// An upstream's answer, handed on as it comes.
    Passed(Answer),
    /// An upstream's event stream, watched and handed on event by event.
    Relayed(Box<Relayed>),
    /// An upstream's event stream in the client's dialect.
    Translated(Box<Translated>),
    /// Events of an answer that is made in the background.
    Replayed(Box<Replay>),
    /// An event stream whose beginning has been looked at.
    Opened(Box<Opened>),
    /// An answer whose plan ends with it.
    Along(Box<Along>),
}

/// An answer, and the plan that it came from.
#[derive(Debug)]
pub struct Along {
    body: Body,
    _course: Course,
}

impl Body {
    /// Is it a stream of events?
    pub fn is_events(&self) -> bool {
        matches!(self, Body::Relayed(_) | Body::Translated(_))
    }

    /// The plan goes along with the answer, and ends with it. It may have to get the rest of the answer.
    pub fn along(mut self, course: Course, rescue: impl FnOnce(Course) -> Box<Rescue>) -> Body {
        match &mut self {
            Body::Full(_) => {}
            Body::Opened(opened) if opened.continues() => opened.mended_by(rescue(course)),
            _ => return Body::Along(Box::new(Along { body: self, _course: course })),
        }
        self
    }

    /// Why the stream breaks off, once it does. Tells it once.
    pub fn take_fault(&mut self) -> Option<Fault> {
        match self {
            Body::Relayed(stream) => stream.fault.take(),
            Body::Translated(stream) => stream.fault.take(),
            Body::Full(_) | Body::Passed(_) | Body::Replayed(_) | Body::Opened(_) | Body::Along(_) => None,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Full(Some(bytes.into()))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::Full(Some(bytes))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Body::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Passed(answer) => answer.poll_frame(context),
            Body::Relayed(stream) => stream.poll_frame(context),
            Body::Translated(stream) => stream.poll_frame(context),
            Body::Replayed(stream) => stream.poll_frame(context),
            Body::Opened(stream) => stream.poll_frame(context),
            Body::Along(along) => Pin::new(&mut along.body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Along(along) => along.body.is_end_stream(),
            Body::Full(bytes) => bytes.is_none(),
            Body::Passed(answer) => answer.is_end(),
            Body::Relayed(_) | Body::Translated(_) | Body::Replayed(_) | Body::Opened(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Along(along) => along.body.size_hint(),
            Body::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Body::Passed(answer) => answer.size_hint(),
            Body::Relayed(_) | Body::Translated(_) | Body::Replayed(_) | Body::Opened(_) => {
                SizeHint::default()
            }
        }
    }
}
