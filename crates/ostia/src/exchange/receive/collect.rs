//! Answers that are read whole, whatever they say.

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode, response};
use ostia_dialect::{Api, Fault};

use super::{ANSWER_BYTES_MAX, Accepted, accepted};
use crate::errors::attempt_error::AttemptError;
use crate::errors::failure;
use crate::exchange::usable;
use crate::message::inflate::Inflate;
use crate::target::Target;
use crate::upstream::UpstreamBody;

/// Whatever a provider answers in JSON: its head and its body. What it says is for others to see.
///
/// # Errors
/// The provider answered with an error, or with something else.
pub async fn json_of(
    answer: Response<UpstreamBody>,
    client: Api,
    target: &Target<'_>,
) -> Result<Response<Bytes>, AttemptError> {
    let (head, bytes) = collected(answer, client, target).await?;
    usable::check_json(&head, &bytes, target)?;
    Ok(Response::from_parts(head, bytes))
}

/// Whatever a provider answers, and be it nothing.
///
/// # Errors
/// The provider answered with an error.
pub async fn anything_of(
    answer: Response<UpstreamBody>,
    client: Api,
    target: &Target<'_>,
) -> Result<Response<Bytes>, AttemptError> {
    let (head, bytes) = collected(answer, client, target).await?;
    Ok(Response::from_parts(head, bytes))
}

async fn collected(
    answer: Response<UpstreamBody>,
    client: Api,
    target: &Target<'_>,
) -> Result<(response::Parts, Bytes), AttemptError> {
    let Accepted { head, body, inflate } = accepted(answer, client.family(), target).await?;
    Ok((head, collect(body, inflate, ANSWER_BYTES_MAX).await?))
}

/// The answer to the submit of a job, which may be nothing but headers: its head, and an object.
///
/// # Errors
/// As for [`json_of`].
pub async fn submitted(
    answer: Response<UpstreamBody>,
    client: Api,
    target: &Target<'_>,
) -> Result<Response<Bytes>, AttemptError> {
    let (head, bytes) = collected(answer, client, target).await?;
    if bytes.is_empty() && head.status == StatusCode::ACCEPTED {
        return Ok(Response::from_parts(head, Bytes::from_static(b"{}")));
    }
    usable::check_json(&head, &bytes, target)?;
    Ok(Response::from_parts(head, bytes))
}

/// Rows that are not looked at here: the rest of the answer, and how it is unpacked.
///
/// # Errors
/// The provider answered with an error.
pub async fn rows_of(
    answer: Response<UpstreamBody>,
    client: Api,
    target: &Target<'_>,
) -> Result<(UpstreamBody, Option<Inflate>), AttemptError> {
    let Accepted { body, inflate, .. } = accepted(answer, client.family(), target).await?;
    Ok((body, inflate))
}

/// All of an answer, in one piece.
pub(super) async fn collect(
    mut body: UpstreamBody,
    mut inflate: Option<Inflate>,
    bytes_max: usize,
) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let mut came = false;
    while let Some(piece) = body.bytes().await {
        let piece = piece.map_err(|fault| failure::of_body(&fault))?;
        came |= !piece.is_empty();
        let piece = match &mut inflate {
            Some(inflate) => inflate.push(&piece)?,
            None => piece,
        };
        if rest.as_ref().map_or(first.len(), BytesMut::len) + piece.len() > bytes_max {
            return Err(Fault::upstream(format!("The provider's answer is larger than {bytes_max} bytes.")));
        }
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&piece),
            None if first.is_empty() => first = piece,
            None => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or_default().min(bytes_max);
                let mut all = BytesMut::with_capacity(first.len() + piece.len() + expected);
                all.extend_from_slice(&first);
                all.extend_from_slice(&piece);
                rest = Some(all);
            }
        }
    }
    let bytes = rest.map_or(first, BytesMut::freeze);
    match &mut inflate {
        Some(inflate) if came => inflate.finish()?,
        Some(_) | None => {}
    }
    Ok(bytes)
}
