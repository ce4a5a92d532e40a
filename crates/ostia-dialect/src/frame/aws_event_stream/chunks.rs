//! A model's own stream inside Amazon's: each event is a `chunk`, and its payload `{"bytes": ...}` holds, in base64, an event
//! as the model's vendor writes it
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html>). For the models of Anthropic
//! that is an event of Messages
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::broken;
use crate::Fault;
use crate::frame::Frame;
use crate::json::Document;

/// The events of the model's vendor, with their `type` as the name of the event.
#[derive(Debug, Default)]
pub struct Framer {
    outer: super::Framer,
    event: String,
    data: Vec<u8>,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.outer.push(bytes);
    }

    /// The next whole event, if the bytes hold one.
    ///
    /// Fails as [`super::Framer::next`], and with 502 where a chunk holds no event.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        // Other events than chunks are none of the model's.
        loop {
            match self.outer.next()? {
                None => return Ok(None),
                Some(frame) if frame.event == "chunk" => {
                    unwrap(frame.data, &mut self.data)?;
                    break;
                }
                Some(_) => {}
            }
        }
        self.event.clear();
        if let Ok(document) = Document::parse_to(&self.data, 1)
            && let Some(kind) = document.root().str("type")
        {
            self.event.push_str(&kind);
        }
        Ok(Some(Frame { event: &self.event, data: &self.data }))
    }

    /// The stream has ended.
    ///
    /// Fails with 502 where it did so within a message.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        self.outer.finish()
    }
}

/// The bytes of a chunk's payload.
fn unwrap(payload: &[u8], data: &mut Vec<u8>) -> Result<(), Fault> {
    data.clear();
    let document = Document::parse_to(payload, 1).map_err(|fault| broken(&format!("a chunk is {fault}")))?;
    let bytes = document.root().str("bytes").ok_or_else(|| broken("a chunk has no bytes"))?;
    BASE64_STANDARD.decode_vec(bytes.as_bytes(), data).map_err(|_| broken("a chunk is not in base64"))
}

/// Makes the server-sent events of Anthropic's own API of a stream of chunks, for clients that speak Messages.
#[derive(Debug, Default)]
pub struct ToSse {
    framer: Framer,
}

impl ToSse {
    /// Takes more bytes; appends the events that are whole.
    ///
    /// Fails as [`Framer::next`]; the events before the fault are written.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.framer.push(bytes);
        while let Some(frame) = self.framer.next()? {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(frame.event.as_bytes());
            out.extend_from_slice(b"\ndata: ");
            // JSON has line ends between its tokens only, where a space says the same.
            out.extend(
                frame.data.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }),
            );
            out.extend_from_slice(b"\n\n");
        }
        Ok(())
    }

    /// The upstream has closed the stream.
    ///
    /// Fails with 502 where it did so within a message.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.framer.finish().map(|_| ())
    }
}
