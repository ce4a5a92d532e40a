//! One call that has to be several, because its list is longer than the provider takes: asked side by side, so many at once, and
//! answered as one. Where one of them fails the call has failed, and what is still under way is given up.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use ostia_dialect::frame::Framing;
use ostia_dialect::{Api, Fault, Observed};
use ostia_providers::prepare::{ApiCall, Content, Outgoing, Reading, Wanted};
use tokio::time::Instant;

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::receive;
use crate::message::body::Body;
use crate::record::Record;
use crate::record::booking::Booking;
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
    let first = exchange.outgoing(&mut prepared, call.body)?;
    record.dropped(std::mem::take(&mut prepared.dropped), exchange.target.lossless)?;
    let Reading::Whole { api, reader } = std::mem::replace(&mut prepared.answer, UNREAD) else {
        return Err(Fault::invalid("Only what is answered in one piece can be asked for in parts.").into());
    };
    let (before, began) = (exchange.booking.waited(), Instant::now());
    // A request is made when its turn comes: its headers are larger than most texts.
    let further = further.into_iter().map(|body| {
        (prepared.path, prepared.body) = (path.clone(), Content::Json(body));
        exchange.outgoing(&mut prepared, call.body)
    });
    let first = part(exchange, call.api, api, Ok(first), None);
    let further = further.map(|request| {
        let booking = exchange.booking.beside();
        part(exchange, call.api, api, request, Some(booking))
    });
    let calls = std::iter::once(first).chain(further);
    let answers = InOrder::of(calls).await;
    // They were waited for side by side.
    exchange.booking.set_waited(before + began.elapsed());
    let (answer, observed) = receive::translate_whole(answers?, api, reader)?;
    exchange.booking.answered(&observed);
    record.answered(observed);
    Ok(answer)
}

/// One of the calls. A `booking` of its own tells what became of it; the first one's is that of the attempt, and has the cost of all.
async fn part(
    exchange: Exchange<'_>,
    client: Api,
    api: Api,
    request: Result<Box<Request<RequestBody>>, Fault>,
    booking: Option<Booking>,
) -> Result<Response<Bytes>, AttemptError> {
    let exchange = Exchange { booking: booking.as_ref().unwrap_or(exchange.booking), ..exchange };
    let answer = async {
        let answer = exchange.dispatch(request?).await?;
        receive::whole_of(answer, (client, api), exchange.target).await
    }
    .await;
    if let Some(booking) = &booking {
        if answer.is_ok() {
            booking.answered(&Observed::default());
        }
        booking.settle(&answer, &[]);
    }
    answer
}

/// Stands for how the answers are read, once that has been taken.
const UNREAD: Reading =
    Reading::AsItIs { api: Api::OpenaiChat, wanted: Wanted::Whole, framing: Framing::Sse };

/// Calls that are made side by side, no more than [`CALLS_AT_ONCE`], and whose answers come in the order of the calls.
struct InOrder<I, F: Future> {
    waiting: I,
    /// Each with its place.
    running: Vec<(usize, Pin<Box<F>>)>,
    answers: Vec<Option<F::Output>>,
}

impl<T, E, F: Future<Output = Result<T, E>>, I: Iterator<Item = F>> InOrder<I, F> {
    async fn of(calls: I) -> Result<Vec<T>, E> {
        let mut all = InOrder { waiting: calls, running: Vec::new(), answers: Vec::new() };
        poll_fn(|context| all.poll(context)).await
    }

    /// All answers, or the first failure.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<T>, E>> {
        loop {
            while self.running.len() < CALLS_AT_ONCE
                && let Some(next) = self.waiting.next()
            {
                self.running.push((self.answers.len(), Box::pin(next)));
                self.answers.push(None);
            }
            if self.running.is_empty() {
                return Poll::Ready(self.answers.drain(..).flatten().collect());
            }
            let before = self.running.len();
            let mut at = 0;
            while let Some((place, call)) = self.running.get_mut(at) {
                match call.as_mut().poll(context) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Ready(answer) => {
                        self.answers[*place] = Some(answer);
                        self.running.swap_remove(at);
                    }
                    Poll::Pending => at += 1,
                }
            }
            // A place that is free is taken at once.
            if self.running.len() == before {
                return Poll::Pending;
            }
        }
    }
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
        let answers = runtime.block_on(InOrder::of((0..calls).map(call)));
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
