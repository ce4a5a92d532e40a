//! What caches of answers and guardrails did for a request, as its account takes note of it: here, and nowhere else. Those of another
//! gateway that was asked tell it in the head of its answer and beside what it says.

use http::{Response, response};
use ostia_store::{Actor, CacheResult, CacheStatus, GUARDRAILS_MAX, GuardrailResult, GuardrailVerdict};

use super::Record;
use super::account::Account;
use super::answer_cache;
use super::booking::Booking;
use super::hook_results;
use crate::errors::attempt_error::AttemptError;
use crate::message::body::Body;

/// What is known of it by now.
#[derive(Debug, Default)]
pub(super) struct Results {
    cache: Option<CacheResult>,
    guardrails: Vec<GuardrailResult>,
}

/// What the guardrails of a gateway that was asked found: carried by its answer to whoever books it.
#[derive(Debug, Clone)]
pub struct TheirGuardrails(pub Vec<GuardrailResult>);

impl Results {
    /// This gateway's own cache goes before that of another one, and a later result before an earlier.
    fn cache(&mut self, result: CacheResult) {
        if result.by == Actor::Gateway || self.cache.is_none_or(|known| known.by == Actor::Upstream) {
            self.cache = Some(result);
        }
    }

    /// The head of the answer that gives the rest of a stream says this.
    pub(super) fn cache_of_rest(&mut self, rest: Option<CacheResult>) {
        let was_hit = self.cache.is_some_and(|known| known.status.is_hit());
        if let Some(told) = with_rest(was_hit, rest) {
            self.cache(told);
        }
    }

    fn guardrails(&mut self, found: impl IntoIterator<Item = GuardrailResult>) {
        let room = GUARDRAILS_MAX.saturating_sub(self.guardrails.len());
        self.guardrails.extend(found.into_iter().take(room));
    }

    /// What they hold besides their own size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let held = |guardrail: &GuardrailResult| {
            let names = guardrail.id.len() + guardrail.name.as_ref().map_or(0, String::len);
            let checks = guardrail.checks.iter().map(|check| {
                let error = check.error.as_ref();
                let words =
                    error.map_or(0, |told| told.class.len() + told.message.as_ref().map_or(0, String::len));
                size_of_val(check) + check.id.len() + words
            });
            size_of_val(guardrail) + names + checks.sum::<usize>()
        };
        self.guardrails.iter().map(held).sum()
    }

    /// As they are kept.
    pub(super) fn kept(self) -> (Option<CacheResult>, Vec<GuardrailResult>) {
        (self.cache, self.guardrails)
    }
}

impl Account {
    /// A cache of answers did this.
    pub fn note_cache(&self, result: CacheResult) {
        self.results(|results| results.cache(result));
    }

    /// Guardrails found this.
    pub fn note_guardrails(&self, found: impl IntoIterator<Item = GuardrailResult>) {
        self.results(|results| results.guardrails(found));
    }
}

impl Record {
    /// The attempt came to this: it is booked, with what the gateway that was asked says of its cache and guardrails, if it is one.
    pub fn settle(&mut self, booking: &Booking, answer: &Result<Response<Body>, AttemptError>) {
        booking.settle(answer, &self.attempt.dropped);
        let told = match answer {
            Ok(answer) => Some(answer.extensions()),
            Err(error) => error.answer.as_deref().map(Response::extensions),
        };
        self.attempt.cache = told.and_then(|told| told.get::<CacheResult>()).map(|cache| cache.status);
        let found = told.and_then(|told| told.get::<TheirGuardrails>()).map_or(&[][..], |found| &found.0);
        self.account.note_guardrails(found.iter().cloned());
        self.attempt.guardrails = GuardrailVerdict::of(found);
        if answer.is_ok()
            && let Some(cache) = told.and_then(|told| told.get::<CacheResult>())
        {
            self.account.note_cache(*cache);
        }
    }
}

/// Reads what the head of an answer says of the cache that it came through. It goes along with the answer, to where that is settled.
pub fn read_head<T>(answer: &mut Response<T>) {
    let lines = || answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    if let Some(told) = answer_cache::read(lines) {
        answer.extensions_mut().insert(told);
    }
}

/// What caches did for a stream whose beginning came from one or did not, with what the head of the answer says that gives the rest; none
/// where that changes nothing. It is a hit only where all of it is.
pub(super) fn with_rest(was_hit: bool, rest: Option<CacheResult>) -> Option<CacheResult> {
    match rest {
        Some(rest) if rest.status.is_hit() && !was_hit => None,
        None if was_hit => Some(answer_cache::told(CacheStatus::Miss)),
        rest => rest,
    }
}

/// What the caches of several calls come to that are one answer: what one of them said that was asked anew, if one was.
pub fn cache_of_parts<T>(answers: &[Response<T>]) -> Option<CacheResult> {
    let mut told = answers.iter().map(|answer| answer.extensions().get::<CacheResult>().copied());
    let first = told.next().flatten();
    let is_asked = |told: &Option<CacheResult>| !told.is_some_and(|told| told.status.is_hit());
    if is_asked(&first) { first } else { told.find(is_asked).unwrap_or(first) }
}

/// What the guardrails of several calls found that are one answer, in the order of the calls, and no more than are kept.
pub fn guardrails_of_parts<T>(answers: &[Response<T>]) -> Vec<GuardrailResult> {
    let told = answers.iter().filter_map(|answer| answer.extensions().get::<TheirGuardrails>());
    told.flat_map(|told| &told.0).take(GUARDRAILS_MAX).cloned().collect()
}

/// Has an answer tell this of its cache and of guardrails, and nothing else.
pub fn put<T>((cache, guardrails): (Option<CacheResult>, Vec<GuardrailResult>), answer: &mut Response<T>) {
    put_cache(cache, answer);
    answer.extensions_mut().insert(TheirGuardrails(guardrails));
}

fn put_cache<T>(cache: Option<CacheResult>, answer: &mut Response<T>) {
    answer.extensions_mut().remove::<CacheResult>();
    if let Some(cache) = cache {
        answer.extensions_mut().insert(cache);
    }
}

/// What an answer says of guardrails, if its head says that it may. It goes along with the answer, to where that is settled.
pub fn read_body(head: &mut response::Parts, body: &[u8]) {
    if hook_results::may_be_told(head.status, &head.headers) {
        let found = hook_results::of_answer(body);
        if !found.is_empty() {
            head.extensions.insert(TheirGuardrails(found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ostia_store::GuardrailPhase;

    fn guardrail(id: usize) -> GuardrailResult {
        GuardrailResult {
            id: id.to_string(),
            name: None,
            by: Actor::Upstream,
            phase: GuardrailPhase::BeforeRequest,
            verdict: true,
            denied: false,
            transformed: false,
            duration_us: None,
            checks: Vec::new(),
        }
    }

    #[test]
    fn an_own_cache_goes_before_that_of_another_gateway() {
        let result = |status, by| CacheResult { status, by, age_s: None, similarity: None };
        let (own, other) = (Actor::Gateway, Actor::Upstream);
        let check = |noted: &[CacheResult], expected: CacheResult| {
            let mut results = Results::default();
            noted.iter().for_each(|result| results.cache(*result));
            assert_eq!(results.kept().0, Some(expected));
        };
        let [hit, miss] = [CacheStatus::Hit, CacheStatus::Miss].map(|status| result(status, other));
        check(&[hit], hit);
        check(&[hit, miss], miss);
        check(&[result(CacheStatus::Miss, own), hit], result(CacheStatus::Miss, own));
        check(&[hit, result(CacheStatus::Miss, own)], result(CacheStatus::Miss, own));
    }

    #[test]
    fn an_answer_of_several_calls_is_a_hit_where_all_are() {
        let [hit, miss] =
            [CacheStatus::Hit, CacheStatus::Miss].map(|status| Some(answer_cache::told(status)));
        let check = |parts: &[Option<CacheResult>], expected: Option<CacheResult>| {
            let answers: Vec<Response<()>> = parts
                .iter()
                .map(|part| {
                    let mut answer = Response::new(());
                    put_cache(*part, &mut answer);
                    answer
                })
                .collect();
            assert_eq!(cache_of_parts(&answers), expected, "{parts:?}");
        };
        check(&[], None);
        check(&[hit, hit], hit);
        check(&[hit, miss, hit], miss);
        check(&[miss, hit], miss);
        check(&[hit, None], None);
        check(&[None, hit], None);
        check(&[miss, None], miss);
    }

    #[test]
    fn a_stream_is_a_hit_where_its_rest_is_one_too() {
        let told = answer_cache::told;
        let [hit, miss] = [CacheStatus::Hit, CacheStatus::Miss].map(|status| Some(told(status)));
        let check = |began: Option<CacheResult>, rest: &[Option<CacheResult>], expected| {
            let mut results = Results::default();
            began.into_iter().for_each(|began| results.cache(began));
            rest.iter().for_each(|rest| results.cache_of_rest(*rest));
            assert_eq!(results.kept().0, expected, "{began:?} {rest:?}");
        };
        check(hit, &[None], miss);
        check(hit, &[miss], miss);
        check(hit, &[hit], hit);
        check(hit, &[None, hit], miss);
        check(miss, &[hit], miss);
        check(miss, &[None], miss);
        check(None, &[hit], None);
        check(None, &[miss], miss);
        check(None, &[None], None);
    }

    #[test]
    fn guardrails_of_all_parts_are_told() {
        let part = |found: std::ops::Range<usize>| {
            let mut answer = Response::new(());
            if !found.is_empty() {
                answer.extensions_mut().insert(TheirGuardrails(found.map(guardrail).collect()));
            }
            answer
        };
        let check = |parts: &[std::ops::Range<usize>], expected: usize| {
            let parts: Vec<_> = parts.iter().cloned().map(part).collect();
            let found = guardrails_of_parts(&parts);
            let expected: Vec<_> = (0..expected).map(guardrail).collect();
            assert_eq!(found, expected);
        };
        check(&[0..0, 0..0], 0);
        check(&[0..2, 2..2, 2..3], 3);
        check(&[0..0, 0..1, 1..1], 1);
        check(&[0..GUARDRAILS_MAX - 1, GUARDRAILS_MAX - 1..GUARDRAILS_MAX + 5], GUARDRAILS_MAX);
    }

    #[test]
    fn guardrails_are_kept_within_a_bound() {
        let mut results = Results::default();
        results.guardrails((0..GUARDRAILS_MAX - 1).map(guardrail));
        assert!(results.bytes() >= (GUARDRAILS_MAX - 1) * size_of::<GuardrailResult>());
        results.guardrails((0..3).map(guardrail));
        let (_, kept) = results.kept();
        assert_eq!((kept.len(), kept.last().map(|last| last.id.as_str())), (GUARDRAILS_MAX, Some("0")));
    }
}
