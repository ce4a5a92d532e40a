//! The headers of a message: a name, a type and a value each. Only texts are asked for; the other types are passed over.

use super::broken;
use crate::Fault;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something that is said.
    Event,
    /// A failure that the API has a name for.
    Exception,
    /// Any other failure.
    Error,
}

/// What the headers say; empty where they do not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headers<'b> {
    pub(super) kind: Kind,
    pub(super) event_type: &'b str,
    pub(super) exception_type: &'b str,
    pub(super) error_code: &'b str,
    pub(super) error_message: &'b str,
}

/// How many bytes the value of a type has.
enum Size {
    Fixed(usize),
    /// As many as the two bytes before it say.
    Counted,
}

/// The type of a text.
const TEXT: u8 = 7;

fn size(kind: u8) -> Option<Size> {
    Some(match kind {
        // true, false
        0 | 1 => Size::Fixed(0),
        // byte, short, integer, long
        2 => Size::Fixed(1),
        3 => Size::Fixed(2),
        4 => Size::Fixed(4),
        5 => Size::Fixed(8),
        // bytes, text
        6 | TEXT => Size::Counted,
        // timestamp, UUID
        8 => Size::Fixed(8),
        9 => Size::Fixed(16),
        _ => return None,
    })
}

/// Reads all headers of a message.
///
/// Fails with 502 where they are none, or the message is of a kind that nobody knows.
pub(super) fn read(mut bytes: &[u8]) -> Result<Headers<'_>, Fault> {
    let mut headers =
        Headers { kind: Kind::Event, event_type: "", exception_type: "", error_code: "", error_message: "" };
    while !bytes.is_empty() {
        let (name, value, rest) = header(bytes).ok_or_else(|| broken("a header of a message is cut off"))?;
        bytes = rest;
        let Some(value) = value else { continue };
        let place = match name {
            b":message-type" => {
                headers.kind = kind(value)?;
                continue;
            }
            b":event-type" => &mut headers.event_type,
            b":exception-type" => &mut headers.exception_type,
            b":error-code" => &mut headers.error_code,
            b":error-message" => &mut headers.error_message,
            _ => continue,
        };
        *place = std::str::from_utf8(value).map_err(|_| broken("a header of a message is no text"))?;
    }
    Ok(headers)
}

fn kind(word: &[u8]) -> Result<Kind, Fault> {
    match word {
        b"event" => Ok(Kind::Event),
        b"exception" => Ok(Kind::Exception),
        b"error" => Ok(Kind::Error),
        _ => Err(broken("a message is neither an event nor an error")),
    }
}

/// Name, value and what follows.
type Header<'b> = (&'b [u8], Option<&'b [u8]>, &'b [u8]);

/// The first header; its value only where it is a text.
fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(length.into())?;
    let (&kind, rest) = rest.split_first()?;
    let (length, rest) = match size(kind)? {
        Size::Fixed(length) => (length, rest),
        Size::Counted => {
            let (count, rest) = rest.split_at_checked(2)?;
            (usize::from(count[0]) << 8 | usize::from(count[1]), rest)
        }
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((name, (kind == TEXT).then_some(value), rest))
}
