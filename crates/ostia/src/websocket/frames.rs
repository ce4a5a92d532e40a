//! Where frames begin and end in what passes, and what they may be: bounds on frames and messages, and what RFC 6455 forbids between
//! two sides that have agreed on no extension. What stands in a frame is the business of the two ends.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::observe::Observer;

/// Longest content of a frame that controls the connection (RFC 6455, section 5.5), in bytes.
const CONTROL_BYTES_MAX: u64 = 125;

/// Whose frames they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A client's are masked (RFC 6455, section 5.3).
    Client,
    /// A server's are not.
    Server,
}

/// What may pass.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Largest frame, in bytes.
    pub frame_bytes_max: usize,
    /// Largest message, which may be several frames, in bytes.
    pub message_bytes_max: usize,
}

/// Why a frame does not pass: how the connection is closed for it, and what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameFault {
    /// RFC 6455, section 7.4.1.
    pub code: CloseCode,
    /// In a few words.
    pub reason: &'static str,
}

/// Follows the frames of one side.
#[derive(Debug)]
pub struct Frames {
    sender: Sender,
    bounds: Bounds,
    /// Bytes of the frame under way that are still to come.
    left: usize,
    /// The frame under way is the last one of its message.
    is_last: bool,
    /// Content of the message under way, in bytes.
    message_bytes: u64,
    has_closed: bool,
    observer: Option<Observer>,
}

impl Frames {
    /// Those of this side. `observer`: who looks at whole messages.
    pub fn new(sender: Sender, bounds: Bounds, observer: Option<Observer>) -> Frames {
        Frames { sender, bounds, left: 0, is_last: true, message_bytes: 0, has_closed: false, observer }
    }

    /// How many of these bytes may pass, and why no more. The rest is to be shown again with what comes after it.
    pub fn pass(&mut self, bytes: &[u8]) -> (usize, Option<FrameFault>) {
        let mut passed = 0;
        while passed < bytes.len() && !self.has_closed {
            let rest = &bytes[passed..];
            if self.left > 0 {
                passed += self.content(rest);
                continue;
            }
            match self.head(rest) {
                Ok(Some(length)) => passed += length,
                Ok(None) => break,
                Err(fault) => return (passed, Some(fault)),
            }
        }
        (passed, None)
    }

    /// Does a frame end where the last bytes that passed did?
    pub fn is_between(&self) -> bool {
        self.left == 0
    }

    /// Has this side closed the connection?
    pub fn has_closed(&self) -> bool {
        self.has_closed
    }

    /// Who has looked at whole messages.
    pub fn observer(&mut self) -> Option<&mut Observer> {
        self.observer.as_mut()
    }

    /// Takes content of the frame under way. How much of it is there?
    fn content(&mut self, bytes: &[u8]) -> usize {
        let content = &bytes[..self.left.min(bytes.len())];
        self.left -= content.len();
        if let Some(observer) = &mut self.observer {
            observer.content(content, self.left == 0 && self.is_last);
        }
        content.len()
    }

    /// Takes the head of the next frame, and all of one that controls the connection; `None` where it has not come whole.
    fn head(&mut self, bytes: &[u8]) -> Result<Option<usize>, FrameFault> {
        let mut cursor = Cursor::new(bytes);
        let Some((head, length)) = FrameHeader::parse(&mut cursor).map_err(|_| UNKNOWN)? else {
            return Ok(None);
        };
        let head_bytes = cursor.position() as usize;
        if head.rsv1 || head.rsv2 || head.rsv3 {
            return Err(EXTENDED);
        }
        match (self.sender, head.mask.is_some()) {
            (Sender::Client, false) => return Err(UNMASKED),
            (Sender::Server, true) => return Err(MASKED),
            (Sender::Client, true) | (Sender::Server, false) => {}
        }
        match head.opcode {
            OpCode::Control(_) if length > CONTROL_BYTES_MAX || !head.is_final => Err(LONG_CONTROL),
            OpCode::Control(control) => {
                let whole = head_bytes + length as usize;
                if bytes.len() < whole {
                    return Ok(None);
                }
                self.has_closed = u8::from(OpCode::Control(control)) == CLOSE;
                Ok(Some(whole))
            }
            OpCode::Data(kind) => {
                self.data(kind, length, head.is_final)?;
                Ok(Some(head_bytes))
            }
        }
    }

    fn data(&mut self, kind: Data, length: u64, is_last: bool) -> Result<(), FrameFault> {
        if length > self.bounds.frame_bytes_max as u64 {
            return Err(LARGE_FRAME);
        }
        let is_first = kind != Data::Continue;
        let before = if is_first { 0 } else { self.message_bytes };
        self.message_bytes = before.saturating_add(length);
        if self.message_bytes > self.bounds.message_bytes_max as u64 {
            return Err(LARGE_MESSAGE);
        }
        (self.left, self.is_last) = (length as usize, is_last);
        let Some(observer) = &mut self.observer else { return Ok(()) };
        if is_first {
            observer.begin(kind == Data::Text);
        }
        if length == 0 {
            observer.content(&[], is_last);
        }
        Ok(())
    }
}

/// The code of a frame that closes the connection.
const CLOSE: u8 = 0x8;

const fn refused(code: CloseCode, reason: &'static str) -> FrameFault {
    FrameFault { code, reason }
}

const UNKNOWN: FrameFault = refused(CloseCode::Protocol, "unknown kind of frame");
const EXTENDED: FrameFault = refused(CloseCode::Protocol, "no extension was agreed on");
const UNMASKED: FrameFault = refused(CloseCode::Protocol, "frames of a client must be masked");
const MASKED: FrameFault = refused(CloseCode::Protocol, "frames of a server must not be masked");
const LONG_CONTROL: FrameFault = refused(CloseCode::Protocol, "control frame too long or in pieces");
const LARGE_FRAME: FrameFault = refused(CloseCode::Size, "frame too large (websockets.frame_bytes)");
const LARGE_MESSAGE: FrameFault = refused(CloseCode::Size, "message too large (websockets.message_bytes)");

#[cfg(test)]
mod tests;
