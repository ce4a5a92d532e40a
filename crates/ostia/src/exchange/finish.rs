//! An answer that came, read as its request was prepared for.

use http::{HeaderName, HeaderValue, Response};
use ostia_dialect::api::job::Job;
use ostia_dialect::api::{MediaAnswer, Read};
use ostia_dialect::observe::{Subject, asked_for};
use ostia_dialect::{Api, ClientDialect, Observed, RenderOptions};
use ostia_providers::prepare::{ApiCall, Conversation, Reading};

use crate::errors::attempt_error::AttemptError;
use crate::errors::reply;
use crate::exchange::Exchange;
use crate::exchange::poll;
use crate::exchange::receive::{self, Media, Translation};
use crate::exchange::render;
use crate::fetch::{self, Fetched};
use crate::message::body::Body;
use crate::record::Record;
use crate::responses_api;
use crate::upstream::UpstreamBody;

/// Says that a count is the gateway's estimate.
static ESTIMATED: HeaderName = HeaderName::from_static("x-ostia-estimated");

/// The client's answer, and in the record what it says.
///
/// # Errors
/// What came in place of an answer.
pub async fn finish(
    answer: Response<UpstreamBody>,
    reading: Reading,
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let target = exchange.target;
    let (answer, observed) = match reading {
        Reading::AsItIs { api, wanted, framing } => {
            let answer = receive::relay(answer, api, (wanted, framing), target).await?;
            let observed = receive::observed(api, answer.body());
            (answer, observed)
        }
        // The rarer ones are boxed, so that a relayed call does not carry their state.
        Reading::Conversation(conversation) => {
            let upstream = Api::of_dialect(conversation.upstream);
            let translation = translation(conversation, exchange, call);
            match upstream.job() {
                Some(job) => Box::pin(of_job(answer, job, translation, exchange, call.api)).await?,
                None => Box::pin(receive::translate(answer, translation, target)).await?,
            }
        }
        Reading::Whole { api, reader } => {
            let answer = match api.job() {
                Some(job) => Box::pin(poll::wait(exchange, job, (call.api, api), answer)).await?,
                None => Box::pin(receive::whole_of(answer, (call.api, api), target)).await?,
            };
            receive::translate_whole(vec![answer], api, reader, exchange.booking)?
        }
        Reading::Media { api, reader } => {
            let media = match api.job() {
                Some(job) => {
                    let answer = Box::pin(poll::wait(exchange, job, (call.api, api), answer)).await?;
                    receive::media_of(answer, reader, target)?
                }
                None => Box::pin(receive::media(answer, (call.api, api), reader, target)).await?,
            };
            match media {
                Media::Passing(answer) => (*answer, Observed::default()),
                Media::Read(head, read) => {
                    receive::media_answer(*head, Box::pin(with_files(read, exchange)).await?)
                }
            }
        }
    };
    exchange.booking.asked(|| asked_for(call.api, call.document.root()));
    let answer = answer.map(|body| exchange.booking.follow(body, Subject::of(call.api), &observed));
    record.answered(observed);
    Ok(answer)
}

/// The answer to a conversation that is a job: waited for, or streamed from where the job says.
async fn of_job(
    answer: Response<UpstreamBody>,
    job: &Job,
    mut translation: Translation,
    exchange: Exchange<'_>,
    client: Api,
) -> Result<(Response<Body>, Observed), AttemptError> {
    if translation.conversation.stream {
        let (answer, given_up) = poll::stream(exchange, job, client, answer).await?;
        translation.guard = Some(Box::new(given_up));
        return receive::translate(answer, translation, exchange.target).await;
    }
    let upstream = Api::of_dialect(translation.conversation.upstream);
    let answer = poll::wait(exchange, job, (client, upstream), answer).await?;
    receive::translate_read(answer, translation)
}

/// The client's answer, with the files that belong to it. They are fetched as those of requests are: within the same bounds, and
/// through the egress guard.
async fn with_files(read: Read, exchange: Exchange<'_>) -> Result<MediaAnswer, AttemptError> {
    match read {
        Read::Answer(answer) => Ok(*answer),
        Read::Fetch { remotes, finish } => {
            let (core, total) = (exchange.inbound.core, exchange.target.timeouts.total);
            let files = fetch::all(core, &Fetched::default(), &remotes, total).await;
            Ok(finish(&files)?)
        }
    }
}

/// A count of tokens that is the gateway's own estimate.
pub fn estimate(client: ClientDialect, tokens: u64) -> Response<Body> {
    let mut response = reply::json(client.encode_count(tokens));
    response.headers_mut().insert(&ESTIMATED, HeaderValue::from_static("true"));
    response
}

fn translation(
    mut conversation: Box<Conversation>,
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
) -> Translation {
    let keep = exchange.keep.filter(|_| conversation.client == ClientDialect::OpenaiResponses).cloned();
    let model = std::mem::take(&mut conversation.model);
    let include_usage = conversation.include_usage;
    let options = RenderOptions { include_usage, model, ..render::options(exchange) };
    let render = responses_api::render_options(options, keep.as_deref());
    let continues = exchange.continues.then(|| call.body.clone());
    Translation { conversation, render, keep, continues, guard: None }
}
