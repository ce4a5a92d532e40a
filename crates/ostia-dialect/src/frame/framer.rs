//! One framer for every framing.

use super::{aws_event_stream, json_array, json_lines, sse};
use crate::Fault;

/// How a stream is cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
    Sse,
    /// One JSON array that grows, element by element: `[{...},\r\n{...}]`. Google streams so where nobody asks for events
    /// (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).
    JsonArray,
    /// One JSON text on each line: `{...}\n{...}\n`. Ollama's own API streams so
    /// (<https://docs.ollama.com/api/streaming>).
    JsonLines,
    /// Amazon's binary messages (<https://smithy.io/2.0/aws/amazon-eventstream.html>).
    AwsEventStream,
    /// The same, each with an event of the model's own vendor in it: how Bedrock's InvokeModel streams
    /// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html>).
    AwsChunks,
    /// The same, with a stream of server-sent events cut into pieces: how SageMaker streams what a container says
    /// (<https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html>).
    AwsParts,
}

/// One frame of a stream: an event, an element of an array, or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event:` field of an event, or its header `:event-type`; empty where there was none, and in the framings that
    /// have no such field.
    pub event: &'a str,
    /// The `data:` lines of an event, joined by LF; the payload of a message; the text of an element or of a line, without
    /// white space around it.
    pub data: &'a [u8],
}

/// Cuts a byte stream into frames.
///
/// ```
/// use ostia_dialect::frame::{Framer, Framing};
/// let mut framer = Framer::new(Framing::Sse);
/// framer.push(b"data: 1\n\nda");
/// framer.push(b"ta: 2\r\n\r\n");
/// assert_eq!(framer.next().unwrap().unwrap().data, b"1");
/// assert_eq!(framer.next().unwrap().unwrap().data, b"2");
/// assert_eq!(framer.next().unwrap(), None);
/// ```
#[derive(Debug)]
pub enum Framer {
    /// Of server-sent events.
    Sse(sse::Framer),
    /// Of an array's elements.
    JsonArray(json_array::Framer),
    /// Of lines.
    JsonLines(json_lines::Framer),
    /// Of Amazon's messages.
    AwsEventStream(aws_event_stream::Framer),
    /// Of the events in them.
    AwsChunks(aws_event_stream::ChunkFramer),
    /// Of the events that they hold in pieces.
    AwsParts(aws_event_stream::PartFramer),
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new(framing: Framing) -> Framer {
        match framing {
            Framing::Sse => Framer::Sse(sse::Framer::default()),
            Framing::JsonArray => Framer::JsonArray(json_array::Framer::default()),
            Framing::JsonLines => Framer::JsonLines(json_lines::Framer::default()),
            Framing::AwsEventStream => Framer::AwsEventStream(aws_event_stream::Framer::default()),
            Framing::AwsChunks => Framer::AwsChunks(aws_event_stream::ChunkFramer::default()),
            Framing::AwsParts => Framer::AwsParts(aws_event_stream::PartFramer::default()),
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Framer::Sse(framer) => framer.push(bytes),
            Framer::JsonArray(framer) => framer.push(bytes),
            Framer::JsonLines(framer) => framer.push(bytes),
            Framer::AwsEventStream(framer) => framer.push(bytes),
            Framer::AwsChunks(framer) => framer.push(bytes),
            Framer::AwsParts(framer) => framer.push(bytes),
        }
    }

    /// The next whole frame, if the bytes hold one.
    ///
    /// Fails when a frame grows beyond [`FRAME_BYTES_MAX`](super::FRAME_BYTES_MAX), where what should be an array is none, and
    /// for a message of Amazon's that is broken or says that the provider failed.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        match self {
            Framer::Sse(framer) => framer.next(),
            Framer::JsonArray(framer) => framer.next(),
            Framer::JsonLines(framer) => framer.next(),
            Framer::AwsEventStream(framer) => framer.next(),
            Framer::AwsChunks(framer) => framer.next(),
            Framer::AwsParts(framer) => framer.next(),
        }
    }

    /// The stream has ended, and `next` has given all whole frames: what is left is a frame too where only its end is
    /// missing, because some servers leave it out.
    ///
    /// Fails where an array is not closed, or a message of Amazon's is not whole.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        match self {
            Framer::Sse(framer) => framer.finish(),
            Framer::JsonArray(framer) => framer.finish(),
            Framer::JsonLines(framer) => framer.finish(),
            Framer::AwsEventStream(framer) => framer.finish(),
            Framer::AwsChunks(framer) => framer.finish(),
            Framer::AwsParts(framer) => framer.finish(),
        }
    }

    /// Has something come, since this was last asked, that only says that the sender is there: a comment, an event without
    /// data, an empty line? Some servers send them so that nobody takes them for dead.
    pub fn take_ping(&mut self) -> bool {
        match self {
            Framer::Sse(framer) => framer.take_ping(),
            // White space between two elements says nothing: it stands there in any case.
            Framer::JsonArray(_) => false,
            // Every message says something.
            Framer::AwsEventStream(_) | Framer::AwsChunks(_) => false,
            Framer::AwsParts(framer) => framer.take_ping(),
            Framer::JsonLines(framer) => framer.take_ping(),
        }
    }
}
