//! Reading a client's body into memory, within bounds.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, request};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use ostia_dialect::{Fault, FaultKind};
use tokio::time::timeout;

use crate::client::ClientBody;
use crate::config::settings::Limits;
use crate::message::inflate::{Inflate, InflateError, KNOWN};

/// Holds the head of a request to its bound.
///
/// # Errors
/// 431 beyond it.
pub fn check_head(parts: &request::Parts, limits: &Limits) -> Result<(), Fault> {
    // A field's two separators and its line end take four bytes.
    let fields =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
    let line = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    if fields + line <= limits.header_bytes_max {
        return Ok(());
    }
    let message = format!(
        "The head of the request is larger than {} bytes; send less in headers, or raise limits.header_bytes in \
         ostia.yaml.",
        limits.header_bytes_max
    );
    Err(Fault::new(FaultKind::TooLarge, message).with_status(431).with_code("head_too_large"))
}

/// The whole body as it came, without a copy where it came in one piece.
///
/// # Errors
/// 413 beyond the bound, 408 where the client sends nothing for too long, 400 where it breaks off.
pub async fn read(body: ClientBody, limits: &Limits) -> Result<Bytes, Fault> {
    collect(body, Unpacked::default(), limits).await
}

/// The whole body without its content encodings. The bound holds for what comes and for what it unpacks to, and is noticed
/// as soon as it is passed.
///
/// # Errors
/// The same, 415 for an encoding that is not known, 400 for a body that cannot be unpacked.
pub async fn read_plain(body: ClientBody, headers: &HeaderMap, limits: &Limits) -> Result<Bytes, Fault> {
    collect(body, Unpacked::new(headers, limits)?, limits).await
}

async fn collect(mut body: ClientBody, mut unpacked: Unpacked, limits: &Limits) -> Result<Bytes, Fault> {
    check_length(&body, limits)?;
    let expected = body.size_hint().lower();
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(piece) = next(&mut body, limits).await? {
        let piece = unpacked.push(piece, limits)?;
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&piece),
            None if first.is_empty() => first = piece,
            None => {
                let mut all = BytesMut::with_capacity((first.len() + piece.len()).max(expected as usize));
                all.extend_from_slice(&first);
                all.extend_from_slice(&piece);
                rest = Some(all);
            }
        }
    }
    unpacked.finish(limits)?;
    Ok(rest.map_or(first, BytesMut::freeze))
}

/// Holds a body to its bound that tells its length.
///
/// # Errors
/// 413 beyond it.
pub fn check_length(body: &ClientBody, limits: &Limits) -> Result<(), Fault> {
    if body.size_hint().lower() > limits.body_bytes_max as u64 { Err(too_large(limits)) } else { Ok(()) }
}

/// The pieces of a body without its content encodings, held to the bound: what comes, and what it unpacks to.
#[derive(Debug, Default)]
pub struct Unpacked {
    inflate: Option<Inflate>,
    /// How much came.
    came: usize,
    /// How much it is unpacked.
    given: usize,
}

impl Unpacked {
    /// Of a body with these headers.
    ///
    /// # Errors
    /// 415 for an encoding that is not known.
    pub fn new(headers: &HeaderMap, limits: &Limits) -> Result<Unpacked, Fault> {
        let inflate = Inflate::of_request(headers, limits.body_bytes_max);
        Ok(Unpacked { inflate: inflate.map_err(|error| packed(error, limits))?, ..Unpacked::default() })
    }

    /// A piece that came, unpacked.
    ///
    /// # Errors
    /// 413 beyond the bound, 400 for what cannot be unpacked.
    pub fn push(&mut self, piece: Bytes, limits: &Limits) -> Result<Bytes, Fault> {
        self.came += piece.len();
        let piece = match &mut self.inflate {
            Some(_) if self.came > limits.body_bytes_max => return Err(too_large(limits)),
            Some(inflate) => inflate.push(&piece).map_err(|error| packed(error, limits))?,
            None => piece,
        };
        self.given += piece.len();
        if self.given > limits.body_bytes_max { Err(too_large(limits)) } else { Ok(piece) }
    }

    /// The end.
    ///
    /// # Errors
    /// 400 for a packed body that is cut off.
    pub fn finish(&mut self, limits: &Limits) -> Result<(), Fault> {
        match self.inflate.as_mut().filter(|_| self.came > 0) {
            Some(inflate) => inflate.finish().map_err(|error| packed(error, limits)),
            None => Ok(()),
        }
    }
}

/// The next piece of a body; `None` at its end.
///
/// # Errors
/// 408 where nothing comes for too long, 400 where it breaks off.
pub async fn next(body: &mut ClientBody, limits: &Limits) -> Result<Option<Bytes>, Fault> {
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        let mut frame = body.frame();
        // Most bodies are here already: only those that are not need a timer.
        let here = poll_fn(|context| Poll::Ready(Pin::new(&mut frame).poll(context))).await;
        let frame = match here {
            Poll::Ready(frame) => frame,
            Poll::Pending => timeout(limits.body_timeout, frame).await.map_err(|_| {
                Fault::new(FaultKind::Timeout, "The request body did not come in time.").with_status(408)
            })?,
        };
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Some(Err(error)) => return Err(Fault::invalid(format!("The request body broke off: {error}."))),
        }
    }
}

/// A body whose encoding cannot be undone.
fn packed(error: InflateError, limits: &Limits) -> Fault {
    match error {
        InflateError::TooLarge => too_large(limits),
        InflateError::Unknown(encoding) => {
            let message = format!(
                "The content encoding `{encoding}` is not known here: send the body plain, or as one of {KNOWN}."
            );
            let fault = Fault::invalid(message).with_status(415).with_param("content-encoding");
            fault.with_code("content_encoding_unsupported")
        }
        InflateError::Damaged(error) => {
            let message = format!("The body is not what its content-encoding says: {error}.");
            Fault::invalid(message).with_param("content-encoding").with_code("content_encoding_invalid")
        }
    }
}

fn too_large(limits: &Limits) -> Fault {
    let message = format!(
        "The request body is larger than {} bytes; the operator can raise limits.body_bytes in ostia.yaml.",
        limits.body_bytes_max
    );
    Fault::new(FaultKind::TooLarge, message).with_code("body_too_large")
}
