//! One call that has to be several, because its list is longer than the provider takes: asked side by side, so many at once, and
//! answered as one. Where one of them fails the call has failed, and what is still under way is given up; what the others took is booked
//! with each of them, for it is charged for all the same.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::{Request, Response};
use ostia_dialect::frame::Framing;
use ostia_dialect::observe::text_bytes;
use ostia_dialect::{Api, Fault};
use ostia_providers::prepare::{ApiCall, Content, Outgoing, Reading, Wanted};
use tokio::time::Instant;

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::poll;
use crate::exchange::receive;
use crate::message::body::Body;
use crate::record::Record;
use crate::record::booking::Booking;
use crate::record::results;
use crate::upstream::RequestBody;

/// Most calls that are under way at once for one request. Vendors bound the calls of a minute, and others want theirs.
const CALLS_AT_ONCE: usize = 8;

/// Asks for all parts of a prepared request, and answers with what comes of them together.
///
/// # Errors
/// Why one of the calls brought no answer.
pub async fn ask(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    mut prepared: Outgoing,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let further = std::mem::take(&mut prepared.more);
    let path = prepared.path.clone();
    if let Content::Json(body) = &prepared.body {
        exchange.booking.asks(text_bytes(body));
    }
    let first = exchange.outgoing(&mut prepared, call.body)?;
    record.dropped(std::mem::take(&mut prepared.dropped), exchange.target.lossless)?;
    let Reading::Whole { api, reader } = std::mem::replace(&mut prepared.answer, UNREAD) else {
        return Err(Fault::invalid("Only what is answered in one piece can be asked for in parts.").into());
    };
    let (before, began) = (exchange.booking.waited(), Instant::now());
    // A request is made when its turn comes: its headers are larger than most texts.
    let further = further.into_iter().map(|body| {
        let booking = exchange.booking.beside();
        booking.asks(text_bytes(&body));
        (prepared.path, prepared.body) = (path.clone(), Content::Json(body));
        (exchange.outgoing(&mut prepared, call.body), booking)
    });
    let first = part(exchange, call.api, api, Ok(first), None);
    let further = further.map(|(request, booking)| part(exchange, call.api, api, request, Some(booking)));
    let calls = std::iter::once(first).chain(further);
    let answers = in_order(calls).await;
    // They were waited for side by side.
    exchange.booking.set_waited(before + began.elapsed());
    let (answers, bookings): (Vec<_>, Vec<_>) = answers?.into_iter().unzip();
    // The attempt tells what all of them took.
    bookings.into_iter().flatten().for_each(Booking::tell_with_attempt);
    let (cache, guardrails) = (results::cache_of_parts(&answers), results::guardrails_of_parts(&answers));
    exchange.booking.cached(cache);
    let (mut answer, observed) = receive::translate_whole(answers, api, reader, exchange.booking)?;
    results::put((cache, guardrails), &mut answer);
    exchange.booking.answered(&observed);
    record.answered(observed);
    Ok(answer)
}

/// One of the calls, with its `booking`, which tells what became of it and what it took; the first one's is that of the attempt.
async fn part(
    exchange: Exchange<'_>,
    client: Api,
    api: Api,
    request: Result<Box<Request<RequestBody>>, Fault>,
    booking: Option<Booking>,
) -> Result<(Response<Bytes>, Option<Booking>), AttemptError> {
    let exchange = Exchange { booking: booking.as_ref().unwrap_or(exchange.booking), ..exchange };
    let answer = async {
        let answer = exchange.dispatch(request?).await?;
        match api.job() {
            Some(job) => Box::pin(poll::wait(exchange, job, (client, api), answer)).await,
            None => receive::whole_of(answer, (client, api), exchange.target).await,
        }
    }
    .await;
    if let (Err(_), Some(booking)) = (&answer, &booking) {
        booking.settle(&answer, &[]);
    }
    let answer = answer?;
    exchange.booking.answered(&receive::came(&answer, api).observed(api));
    Ok((answer, booking))
}

/// Stands for how the answers are read, once that has been taken.
const UNREAD: Reading =
    Reading::AsItIs { api: Api::OpenaiChat, wanted: Wanted::Whole, framing: Framing::Sse };

/// What comes of calls that are made side by side, no more than [`CALLS_AT_ONCE`], in their order; or the first failure.
async fn in_order<T, E, F: Future<Output = Result<T, E>>>(
    calls: impl Iterator<Item = F>,
) -> Result<Vec<T>, E> {
    stream::iter(calls).buffered(CALLS_AT_ONCE).try_collect().await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;

    use super::*;

    /// Makes so many calls, each of which waits a while that has nothing to do with its place.
    fn check(calls: usize, fails: Option<usize>) -> (Result<Vec<usize>, usize>, usize) {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let call = async |place: usize| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            for _ in 0..=(place * 7) % 5 {
                tokio::task::yield_now().await;
            }
            running.set(running.get() - 1);
            if fails == Some(place) { Err(place) } else { Ok(place) }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answers = runtime.block_on(in_order((0..calls).map(call)));
        (answers, most.get())
    }

    #[test]
    fn answers_come_in_order_and_not_too_many_at_once() {
        for calls in [0, 1, 2, CALLS_AT_ONCE, CALLS_AT_ONCE + 1, 100] {
            let (answers, most) = check(calls, None);
            assert_eq!(answers, Ok((0..calls).collect()));
            assert_eq!(most, calls.min(CALLS_AT_ONCE), "{calls}");
        }
    }

    #[test]
    fn one_that_fails_ends_it() {
        for place in [0, 5, 40, 99] {
            assert_eq!(check(100, Some(place)).0, Err(place));
        }
    }
}
