//! What becomes of a provider's answer: handed on as it came, translated, or told as a failure.

mod collect;
mod media;
mod refused;

use std::rc::Rc;

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderValue};
use ostia_dialect::Api;
use ostia_dialect::api::{Answers, Came, Reader};
use ostia_dialect::frame::Framing;
use ostia_dialect::observe::Subject;
use ostia_dialect::{Encoder, Family, Fault, Observed, RenderOptions, fault};
use ostia_providers::prepare::{Conversation, Wanted};

use crate::errors::attempt_error::AttemptError;
use crate::exchange::usable;
use crate::message::body::Body;
use crate::message::fields;
use crate::message::inflate::Inflate;
use crate::message::media::{is_aws_events, is_events, is_json, is_json_lines, is_page, media_type};
use crate::message::source::Source;
use crate::record::booking::Booking;
use crate::record::{hook_results, results};
use crate::responses_api::StoreHandle;
use crate::stream::relayed::{Relayed, Unwrap};
use crate::stream::stage::{Stage, Stages};
use crate::stream::translated::Translated;
use crate::target::Target;
use crate::upstream::UpstreamBody;
use collect::collect;
use refused::{ERROR_BYTES_MAX, redirected};

pub use collect::{anything_of, json_of, rows_of, submitted};
pub use media::{Media, media, media_answer, media_of};
pub use refused::refused;

/// Largest answer that is read whole to be translated, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Largest answer that is looked at before it is handed on, in bytes. Larger ones go on as they come.
const PEEK_BYTES_MAX: u64 = 64 << 10;
/// The type of a stream of events.
pub const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// How an answer becomes the client's.
#[derive(Debug)]
pub struct Translation {
    /// How it is read, and what its client speaks.
    pub conversation: Box<Conversation>,
    /// What the client is to see.
    pub render: RenderOptions,
    /// Who remembers the answer.
    pub keep: Option<Rc<StoreHandle>>,
    /// The request, where the answer may have to be gone on with.
    pub continues: Option<Bytes>,
    /// Lives as long as the answer is on its way.
    pub guard: Option<Box<dyn Stage>>,
}

/// An answer that is no error.
struct Accepted {
    head: http::response::Parts,
    body: UpstreamBody,
    inflate: Option<Inflate>,
}

async fn accepted(
    answer: Response<UpstreamBody>,
    family: Family,
    target: &Target<'_>,
) -> Result<Accepted, AttemptError> {
    let (head, body) = answer.into_parts();
    match head.status.as_u16() {
        400.. => Err(Box::pin(refused(head, body, family, target)).await),
        status @ 300..=399 => Err(redirected(status, target)),
        _ => Ok(Accepted { inflate: Inflate::of(&head.headers).map_err(Fault::from)?, head, body }),
    }
}

/// An answer in the client's own dialect: handed on as it came.
pub async fn relay(
    answer: Response<UpstreamBody>,
    api: Api,
    (wanted, framing): (Wanted, Framing),
    target: &Target<'_>,
) -> Result<Response<Body>, AttemptError> {
    let Accepted { head, mut body, inflate } = accepted(answer, api.family(), target).await?;
    if !head.status.is_success() {
        return Ok(passed(head, body));
    }
    let media = media_type(&head.headers);
    match wanted {
        Wanted::Events if is_stream_of(framing, &head, &mut body).await => {
            Ok(events_of(head, body, (inflate, framing), api, target))
        }
        // Nobody asked for events. Another target may do better; if there is none, the client may know what to do with them.
        Wanted::Whole if is_events(media) => {
            let answer = events_of(head, body, (inflate, Framing::Sse), api, target);
            Err(AttemptError::refused(usable::not_in_one_piece(target), answer))
        }
        Wanted::Whole => whole(head, body, inflate, api, target).await,
        Wanted::Bytes => bytes(head, body, inflate, api, target).await,
        // A model that cannot stream.
        Wanted::Events if matches!(api.answers(), Answers::JsonOrText(_)) && is_json(media) => {
            whole(head, body, inflate, api, target).await
        }
        Wanted::Array if is_json(media) || body.beginning().await.trim_ascii_start().starts_with(b"[") => {
            array(head, body, inflate, api, target).await
        }
        // A server that knows no events. Another target may do better; if there is none, it is a sound all the same.
        Wanted::Events if api.answers() == Answers::Bytes && !is_page(media) && !is_json(media) => {
            Err(AttemptError::refused(usable::not_a_stream(target), passed(head, body)))
        }
        Wanted::Events | Wanted::Array => Err(no_stream(head, body, inflate, target).await),
    }
}

/// Is it the stream of events that was asked for? Some servers give it another name.
async fn is_stream(head: &http::response::Parts, body: &mut UpstreamBody) -> bool {
    is_events(media_type(&head.headers)) || begins(head, body, usable::may_begin_events).await
}

/// The same of streams that may be no events.
async fn is_stream_of(framing: Framing, head: &http::response::Parts, body: &mut UpstreamBody) -> bool {
    match framing {
        Framing::JsonLines if is_json_lines(media_type(&head.headers)) => true,
        Framing::JsonLines => begins(head, body, usable::may_begin_line).await,
        Framing::AwsEventStream | Framing::AwsChunks | Framing::AwsParts => {
            is_aws_events(media_type(&head.headers))
        }
        Framing::Sse | Framing::JsonArray => is_stream(head, body).await,
    }
}

/// Does a body begin so?
async fn begins(
    head: &http::response::Parts,
    body: &mut UpstreamBody,
    is_so: impl Fn(&[u8]) -> bool,
) -> bool {
    let beginning = body.beginning().await;
    match Inflate::of(&head.headers) {
        // Only to look at it: the body is unpacked from its start once more.
        Ok(Some(mut inflate)) => inflate.push(beginning).is_ok_and(|beginning| is_so(&beginning)),
        _ => is_so(beginning),
    }
}

/// Events in the client's own dialect.
fn events_of(
    mut head: http::response::Parts,
    body: UpstreamBody,
    (inflate, framing): (Option<Inflate>, Framing),
    api: Api,
    target: &Target<'_>,
) -> Response<Body> {
    fields::strip(&mut head.headers);
    fields::mark_stream(&mut head.headers);
    let unwrap = Unwrap::of(framing);
    if media_type(&head.headers).is_empty() || unwrap.is_some() {
        head.headers.insert(header::CONTENT_TYPE, EVENTS);
    }
    let relayed = Relayed::new(body, inflate, api.grammar(), &target.provider.id).unwrapped_by(unwrap);
    Response::from_parts(head, Body::events(relayed))
}

/// An answer whose bytes are not looked at.
fn passed(mut head: http::response::Parts, body: UpstreamBody) -> Response<Body> {
    fields::strip_hops(&mut head.headers);
    Response::from_parts(head, Body::Passed(body))
}

/// A whole answer in the client's own dialect. A small one is checked.
async fn whole(
    mut head: http::response::Parts,
    body: UpstreamBody,
    inflate: Option<Inflate>,
    api: Api,
    target: &Target<'_>,
) -> Result<Response<Body>, AttemptError> {
    let media = media_type(&head.headers);
    let is_wrong = !media.is_empty() && !is_json(media);
    let tells_guardrails = hook_results::may_be_told(head.status, &head.headers);
    let peek_max = if tells_guardrails { hook_results::ANSWER_BYTES_MAX as u64 } else { PEEK_BYTES_MAX };
    let small = body.size_hint().exact().is_none_or(|bytes| bytes <= peek_max);
    if !small && !is_wrong && inflate.is_none() {
        return Ok(passed(head, body));
    }
    let bytes = collect(body, inflate, if is_wrong { ERROR_BYTES_MAX } else { ANSWER_BYTES_MAX }).await?;
    results::read_body(&mut head, &bytes);
    let checked = usable::check(api, &head, &bytes, target);
    fields::strip(&mut head.headers);
    match checked {
        Ok(()) => Ok(Response::from_parts(head, Body::from(bytes))),
        Err(error) if usable::tells_failure(api, &bytes) => {
            Err(AttemptError::refused(error.fault, Response::from_parts(head, Body::from(bytes))))
        }
        Err(error) => Err(error),
    }
}

/// A sound or a text in the client's own form. Of it nothing is known but that it is not empty; JSON in the place of a sound is an
/// error, and is read.
async fn bytes(
    mut head: http::response::Parts,
    mut body: UpstreamBody,
    inflate: Option<Inflate>,
    api: Api,
    target: &Target<'_>,
) -> Result<Response<Body>, AttemptError> {
    if is_events(media_type(&head.headers)) {
        return Ok(events_of(head, body, (inflate, Framing::Sse), api, target));
    }
    let is_suspect = is_json(media_type(&head.headers)) && api.answers() == Answers::Bytes;
    if !is_suspect && !body.beginning().await.is_empty() {
        return Ok(passed(head, body));
    }
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    fields::strip(&mut head.headers);
    if let Some(fault) = fault::in_success(&bytes) {
        return Err(AttemptError::told(fault));
    }
    if bytes.is_empty() {
        usable::check(api, &head, &bytes, target)?;
    }
    Ok(Response::from_parts(head, Body::from(bytes)))
}

/// A stream as one JSON array. A small one that tells its length is checked whole; any other is handed on as it grows, if it
/// begins as one.
async fn array(
    mut head: http::response::Parts,
    mut body: UpstreamBody,
    inflate: Option<Inflate>,
    api: Api,
    target: &Target<'_>,
) -> Result<Response<Body>, AttemptError> {
    if !is_json(media_type(&head.headers)) {
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let is_large = body.size_hint().exact().is_none_or(|bytes| bytes > PEEK_BYTES_MAX);
    if is_large && begins(&head, &mut body, usable::may_begin_array).await {
        fields::strip(&mut head.headers);
        fields::mark_stream(&mut head.headers);
        let relayed = Relayed::of_array(body, inflate, api.grammar(), &target.provider.id);
        return Ok(Response::from_parts(head, Body::events(relayed)));
    }
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    usable::check_array(api, &head, &bytes, target)?;
    fields::strip(&mut head.headers);
    Ok(Response::from_parts(head, Body::from(bytes)))
}

/// Why there is no stream: what came in its place.
async fn no_stream(
    head: http::response::Parts,
    body: UpstreamBody,
    inflate: Option<Inflate>,
    target: &Target<'_>,
) -> AttemptError {
    match collect(body, inflate, ERROR_BYTES_MAX).await {
        Ok(bytes) => usable::no_stream(&head, &bytes, target),
        Err(fault) => fault.into(),
    }
}

/// What a relayed answer says, where it is whole; a stream tells it by itself.
pub fn observed(api: Api, body: &Body) -> Observed {
    match body {
        Body::Full(Some(bytes)) => Observed::of_body(Subject::of(api), bytes),
        Body::Full(None) | Body::Passed(_) | Body::Events(_) | Body::With(_) => Observed::default(),
    }
}

/// An answer in another dialect, or one that has to be repaired, and what it says where it is whole.
pub async fn translate(
    answer: Response<UpstreamBody>,
    translation: Translation,
    target: &Target<'_>,
) -> Result<(Response<Body>, Observed), AttemptError> {
    let Conversation { client, upstream, framing, stream, .. } = *translation.conversation;
    let family = Api::of_dialect(client.dialect()).family();
    let Accepted { mut head, mut body, inflate } = accepted(answer, family, target).await?;
    if stream {
        return match is_stream_of(framing, &head, &mut body).await {
            true => Ok((translated(head, body, inflate, translation), Observed::default())),
            false => Err(no_stream(head, body, inflate, target).await),
        };
    }
    if is_events(media_type(&head.headers)) {
        return Err(usable::not_in_one_piece(target).into());
    }
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    results::read_body(&mut head, &bytes);
    usable::check(Api::of_dialect(upstream), &head, &bytes, target)?;
    translate_read(Response::from_parts(head, bytes), translation)
}

/// The same of an answer that has been read, and is one.
///
/// # Errors
/// 502 for what its dialect cannot read; the failure that it tells.
pub fn translate_read(
    answer: Response<Bytes>,
    translation: Translation,
) -> Result<(Response<Body>, Observed), AttemptError> {
    let (head, bytes) = answer.into_parts();
    let Conversation { client, upstream, .. } = *translation.conversation;
    let mut response = upstream.decode(&bytes).map_err(usable::unread)?;
    translation.conversation.undo.response(&mut response);
    let mut stages = stages(translation.keep, translation.guard);
    stages.iter_mut().for_each(|stage| stage.response(&mut response));
    let body = Bytes::from(client.encode(&response, &translation.render));
    stages.iter_mut().for_each(|stage| stage.whole(&body));
    Ok((answered(head, body), Observed::of_response(&response)))
}

/// A stream in another dialect.
fn translated(
    mut head: http::response::Parts,
    body: UpstreamBody,
    inflate: Option<Inflate>,
    translation: Translation,
) -> Response<Body> {
    fields::strip(&mut head.headers);
    fields::mark_stream(&mut head.headers);
    let Translation { conversation, render, keep, continues, guard } = translation;
    let Conversation { client, upstream, framing, array, undo, .. } = *conversation;
    let media = if array { HeaderValue::from_static("application/json") } else { EVENTS };
    head.headers.insert(header::CONTENT_TYPE, media);
    let encoder = Encoder::new(client, render, array);
    let source = Source::new(body, inflate, (upstream, framing), undo);
    let translated = Translated::new(source, continues, stages(keep, guard), encoder);
    Response::from_parts(head, Body::events(translated))
}

/// What a translated answer passes, as a stream and in one piece alike.
fn stages(keep: Option<Rc<StoreHandle>>, guard: Option<Box<dyn Stage>>) -> Stages {
    keep.into_iter().map(|keep| Box::new(keep) as Box<dyn Stage>).chain(guard).collect()
}

/// The events of an answer that goes on with another one, of a provider whose streams are framed so.
///
/// # Errors
/// The provider answered with an error, or not with events.
pub async fn events(
    answer: Response<UpstreamBody>,
    (client, framing): (Api, Framing),
    target: &Target<'_>,
) -> Result<(UpstreamBody, Option<Inflate>), AttemptError> {
    let Accepted { head, mut body, inflate } = accepted(answer, client.family(), target).await?;
    if is_stream_of(framing, &head, &mut body).await {
        return Ok((body, inflate));
    }
    Err(no_stream(head, body, inflate, target).await)
}

/// An answer in one piece, in another vendor's form: its head and its body.
///
/// # Errors
/// The provider answered with an error, or with something else.
pub async fn whole_of(
    answer: Response<UpstreamBody>,
    (client, upstream): (Api, Api),
    target: &Target<'_>,
) -> Result<Response<Bytes>, AttemptError> {
    let Accepted { mut head, body, inflate } = accepted(answer, client.family(), target).await?;
    let bytes = collect(body, inflate, ANSWER_BYTES_MAX).await?;
    results::read_body(&mut head, &bytes);
    usable::check(upstream, &head, &bytes, target)?;
    Ok(Response::from_parts(head, bytes))
}

/// The client's answer from one or several such, in their order, and what it says. The head is the last one's. Where there is none,
/// what was said is booked here.
///
/// # Errors
/// 502 for what is no answer.
pub fn translate_whole(
    answers: Vec<Response<Bytes>>,
    upstream: Api,
    reader: Reader,
    booking: &Booking,
) -> Result<(Response<Body>, Observed), AttemptError> {
    let parts: Vec<Came<'_>> = answers.iter().map(|answer| came(answer, upstream)).collect();
    let (observed, body) = reader.read_all(&parts);
    drop(parts);
    let body = body.map_err(|fault| {
        // What cannot be read has to be paid for all the same.
        booking.answered(&observed);
        usable::unread(fault)
    })?;
    let head = answers.into_iter().next_back().map(|answer| answer.into_parts().0);
    let Some(head) = head else { return Err(Fault::upstream("The provider was not asked.").into()) };
    Ok((answered(head, body.into()), observed))
}

/// An answer as it is read: its body, and what its headers count.
pub fn came(answer: &Response<Bytes>, upstream: Api) -> Came<'_> {
    let count = || answer.headers().get(upstream.input_tokens_header()?)?.to_str().ok()?.parse().ok();
    Came { body: answer.body(), input_tokens: count() }
}

fn answered(mut head: http::response::Parts, body: Bytes) -> Response<Body> {
    fields::strip(&mut head.headers);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(head, Body::from(body))
}
