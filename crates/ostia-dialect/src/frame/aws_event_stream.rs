//! Amazon's event stream: binary messages of headers and a payload, with a checksum of the prelude and one of the whole
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>).
//!
//! An event is a frame: its type and its payload. An exception or an error is a fault, with the HTTP status that its vendor
//! gives it. A message whose checksums do not fit, or that is larger than [`MESSAGE_BYTES_MAX`], ends the stream.
//!
//! The official crate (`aws-smithy-eventstream`) is not used: it brings `aws-smithy-types` with HTTP's and time's types, and
//! this crate has none of them.

mod chunks;
mod exception;
mod headers;
mod parts;
#[cfg(test)]
mod tests;

pub use chunks::{Framer as ChunkFramer, ToSse};
pub use parts::{Framer as PartFramer, Joined};

use super::Frame;
use crate::Fault;
use headers::Kind;

/// Largest message that is accepted, in bytes: below 16 MiB, which is the vendor's own bound for a payload
/// (<https://github.com/boto/botocore/blob/develop/botocore/eventstream.py>). Larger ones are refused before they have come.
pub const MESSAGE_BYTES_MAX: usize = (16 << 20) - 1;
/// Length of the message, length of the headers, checksum of the two.
const PRELUDE_BYTES: usize = 12;
/// Where the prelude's own checksum stands.
const PRELUDE_CHECKSUM_AT: usize = 8;
/// The checksum at the end.
const CHECKSUM_BYTES: usize = 4;

/// Cuts a stream into its events.
#[derive(Debug, Default)]
pub struct Framer {
    /// Bytes from the first one that is not used up.
    input: Vec<u8>,
    /// How many of them have been used up since.
    used: usize,
}

impl Framer {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.used);
        self.used = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next whole event, if the bytes hold one.
    ///
    /// Fails with 502 where the bytes are no messages, and with its own status for an exception of the vendor's.
    #[allow(clippy::should_implement_trait)] // lends its buffer, which Iterator cannot say
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        let rest = &self.input[self.used..];
        let Some(message) = Message::first_of(rest)? else { return Ok(None) };
        self.used += message.bytes;
        let headers = headers::read(message.headers)?;
        match headers.kind {
            Kind::Event => Ok(Some(Frame { event: headers.event_type, data: message.payload })),
            Kind::Exception => Err(exception::of_exception(headers.exception_type, message.payload)),
            Kind::Error => Err(exception::of_error(headers.error_code, headers.error_message)),
        }
    }

    /// The stream has ended.
    ///
    /// Fails with 502 where it did so within a message.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, Fault> {
        match self.input.len() - self.used {
            0 => Ok(None),
            _ => Err(broken("it ended within a message")),
        }
    }
}

/// One message, its checksums proven.
struct Message<'b> {
    headers: &'b [u8],
    payload: &'b [u8],
    /// Its whole length.
    bytes: usize,
}

impl<'b> Message<'b> {
    /// The message at the beginning of `bytes`, if it is there as a whole.
    fn first_of(bytes: &'b [u8]) -> Result<Option<Message<'b>>, Fault> {
        let Some(prelude) = bytes.get(..PRELUDE_BYTES) else { return Ok(None) };
        if crc32fast::hash(&prelude[..PRELUDE_CHECKSUM_AT]) != number(&prelude[PRELUDE_CHECKSUM_AT..]) {
            return Err(broken("the checksum of a message's lengths is wrong"));
        }
        let (whole, headers) = (number(prelude) as usize, number(&prelude[4..]) as usize);
        if whole > MESSAGE_BYTES_MAX {
            return Err(broken(&format!(
                "a message has {whole} bytes, and {MESSAGE_BYTES_MAX} are the most"
            )));
        }
        let Some(inside) = whole.checked_sub(PRELUDE_BYTES + CHECKSUM_BYTES).filter(|room| *room >= headers)
        else {
            return Err(broken("the lengths of a message contradict each other"));
        };
        let Some(message) = bytes.get(..whole) else { return Ok(None) };
        let (checked, checksum) = message.split_at(PRELUDE_BYTES + inside);
        if crc32fast::hash(checked) != number(checksum) {
            return Err(broken("the checksum of a message is wrong"));
        }
        let (headers, payload) = checked[PRELUDE_BYTES..].split_at(headers);
        Ok(Some(Message { headers, payload, bytes: whole }))
    }
}

/// The number in the first four bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Why nothing more is read.
fn broken(why: &str) -> Fault {
    Fault::upstream(format!("The provider's event stream is broken: {why}."))
}
