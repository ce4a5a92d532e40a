//! Answers that are more than JSON, or that may name files.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use ostia_dialect::api::{MediaAnswer, MediaReader, Passing, Read};
use ostia_dialect::{Api, Observed};

use super::collect::collect;
use super::{ANSWER_BYTES_MAX, Accepted, accepted, passed};
use crate::errors::attempt_error::AttemptError;
use crate::exchange::usable;
use crate::message::body::Body;
use crate::message::fields;
use crate::message::inflate::Inflate;
use crate::message::media::{is_events, is_json, is_page, media_type};
use crate::stream::changed::Changed;
use crate::target::Target;
use crate::upstream::UpstreamBody;

/// What comes of an answer that is more than JSON, or that may name files.
pub enum Media {
    /// The client's answer, which passes.
    Passing(Box<Response<Body>>),
    /// Its head, and what is to be done to have the rest.
    Read(Box<http::response::Parts>, Read),
}

/// An answer of an operation whose answers are more than JSON.
pub async fn media(
    answer: Response<UpstreamBody>,
    (client, upstream): (Api, Api),
    reader: MediaReader,
    target: &Target<'_>,
) -> Result<Media, AttemptError> {
    let Accepted { head, mut body, inflate } = accepted(answer, client.family(), target).await?;
    let media = media_type(&head.headers);
    let is_sound = !is_json(media) && !is_page(media);
    let read = match reader {
        MediaReader::Passing(passing) if is_sound && !body.beginning().await.is_empty() => {
            return Ok(Media::Passing(Box::new(passing_answer(head, body, inflate, passing))));
        }
        MediaReader::Passing(_) => None,
        MediaReader::Whole(read) => Some(read),
    };
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    usable::check(upstream, &head, &bytes, target)?;
    // JSON that is no error, in the place of a sound. Nothing at all is no answer either.
    let read = read.ok_or_else(|| usable::no_sound(target))?;
    let read = read(&bytes).map_err(usable::unread)?;
    Ok(Media::Read(Box::new(head), read))
}

/// The same of an answer that has been collected.
pub fn media_of(
    answer: Response<Bytes>,
    reader: MediaReader,
    target: &Target<'_>,
) -> Result<Media, AttemptError> {
    let MediaReader::Whole(read) = reader else { return Err(usable::no_sound(target).into()) };
    let (head, bytes) = answer.into_parts();
    let read = read(&bytes).map_err(usable::unread)?;
    Ok(Media::Read(Box::new(head), read))
}

/// A client's answer that was made of a provider's with this head.
pub fn media_answer(mut head: http::response::Parts, answer: MediaAnswer) -> (Response<Body>, Observed) {
    let MediaAnswer { content_type, body, observed } = answer;
    // Vendors say too that something was made, or taken; clients know one success.
    head.status = StatusCode::OK;
    fields::strip(&mut head.headers);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if is_events(media_type(&head.headers)) {
        fields::mark_stream(&mut head.headers);
    }
    (Response::from_parts(head, Body::from(body)), observed)
}

/// A sound that is changed while it passes, or only named otherwise.
fn passing_answer(
    mut head: http::response::Parts,
    body: UpstreamBody,
    inflate: Option<Inflate>,
    passing: Box<dyn Passing>,
) -> Response<Body> {
    if let Some(content_type) = passing.content_type() {
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if passing.is_same() {
        return passed(head, body);
    }
    fields::strip(&mut head.headers);
    if is_events(media_type(&head.headers)) {
        fields::mark_stream(&mut head.headers);
    }
    let changed = Changed::new(body, inflate, passing);
    Response::from_parts(head, Body::events(changed))
}
