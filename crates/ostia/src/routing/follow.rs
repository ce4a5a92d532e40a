//! The only loop over attempts: a config followed from target to target.

use std::ops::ControlFlow;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use http::Response;
use ostia_dialect::Fault;
use ostia_providers::prepare::ApiCall;
use ostia_routing::plan::{Attempt, Plan, Reason};
use ostia_routing::{Leaf, Route, Time};
use tokio::time::timeout;

use crate::clock;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::payload::Payload;
use crate::inbound::Inbound;
use crate::message::body::Body;
use crate::record::account::Account;
use crate::record::{AttemptFacts, Record};
use crate::responses_api::StoreHandle;
use crate::routing::attempt;
use crate::routing::execution::{self, AttemptResult, Execution, Followed};
use crate::routing::facts::RequestFacts;
use crate::routing::failover::Failover;
use crate::routing::routes;
use crate::target::{self, Asked};

/// The answer of one target, or of a config's.
///
/// # Errors
/// 400 for a config that makes no sense, and why nobody could be asked.
pub async fn answer(
    inbound: Inbound<'_>,
    call: &ApiCall<'_>,
    keep: Option<&Rc<StoreHandle>>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let route = routes::find(inbound, call.model())?;
    let leaf = match route.as_ref().map(|route| (route, route.only_leaf())) {
        Some((route, None)) => return follow(inbound, Payload::Api(call), keep, route, record).await,
        Some((_, leaf)) => leaf,
        None => None,
    };
    // Nothing to decide.
    let asked = async {
        let mut target = target::resolve(inbound, leaf, Asked::Api(call))?;
        record.target(&target.provider.id, target.index_path, target.model.as_deref().or(call.model()));
        let booking = record.booking();
        // Once with each of several keys.
        loop {
            record.key(target.key_use());
            let exchange = Exchange { keep, ..Exchange::new(inbound, &target, &booking) };
            let answer = ask::ask(exchange, call, record).await;
            record.settle(&booking, &answer);
            if let ControlFlow::Break(answer) = target.settle(answer, Some(())) {
                record.key(target.key_use());
                return answer;
            }
        }
    };
    asked.await.or_else(AttemptError::into_answer)
}

/// Follows a config from target to target, until one answers or there is none left.
pub async fn follow(
    inbound: Inbound<'_>,
    payload: Payload<'_, '_>,
    keep: Option<&Rc<StoreHandle>>,
    route: &Arc<Route>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let facts = RequestFacts::new(inbound, payload, route, keep);
    let Inbound { core, gateway, .. } = inbound;
    let mut now = clock::now();
    let plan = Plan::new(route.clone(), &facts, fastrand::u64(..), now);
    let plan = plan.bounded_by(now.after(core.settings.timeouts.total));
    let mut execution = Execution::new(core.clone(), plan);
    let mut last: Option<Failed> = None;
    loop {
        let attempt = match execution.next(now).await {
            Ok(attempt) => attempt,
            Err(reason) => {
                let Failed { answer, attempt, .. } = last.unwrap_or_else(|| Failed::of(reason, record));
                record.take(attempt);
                record.decided(gateway.explain, execution.shared());
                return answer;
            }
        };
        let result = make_attempt(&facts, &execution, attempt, record, &mut last).await;
        let is_answered = execution.note(&result);
        now = result.ended;
        match result.answer {
            Ok(answer) if is_answered => {
                record.decided(gateway.explain, execution.shared());
                let account = record.account().clone();
                return Ok(answer.map(|body| accompany(body, execution, inbound, account, now)));
            }
            answer => Failed::new(answer, record).replace(&mut last),
        }
    }
}

/// What the client gets if nobody does better: the last answer of those that tell most.
struct Failed {
    answer: Result<Response<Body>, Fault>,
    weight: u8,
    attempt: AttemptFacts,
}

impl Failed {
    fn new(answer: Result<Response<Body>, AttemptError>, record: &mut Record) -> Failed {
        let weight = answer.as_ref().map_or_else(AttemptError::weight, |_| AttemptError::WEIGHT_MAX);
        Failed { answer: answer.or_else(AttemptError::into_answer), weight, attempt: record.leave() }
    }

    /// Takes the place of another one that does not tell more.
    fn replace(self, last: &mut Option<Failed>) {
        if last.as_ref().is_none_or(|old| self.weight >= old.weight) {
            *last = Some(self);
        }
    }

    /// No attempt was made, for this reason.
    fn of(reason: Reason, record: &mut Record) -> Failed {
        Failed { answer: Err(execution::given_up(reason)), weight: 0, attempt: record.leave() }
    }
}

/// The plan ends with the answer, or gets the rest of it if it breaks off.
fn accompany(
    body: Body,
    execution: Execution,
    inbound: Inbound<'_>,
    account: Rc<Account>,
    now: Time,
) -> Body {
    match body {
        Body::Full(_) => {
            execution.end(now);
            body
        }
        Body::Events(mut events) if events.can_be_resumed() => {
            events.resumed_by(Failover::new(execution, inbound, account));
            Body::Events(events)
        }
        Body::Events(events) => Body::events(Followed::new(events, execution)),
        body => body.with(execution),
    }
}

/// Makes an attempt, and a second one beside it where the config wants one and the first is late.
async fn make_attempt(
    facts: &RequestFacts<'_, '_>,
    execution: &Execution,
    attempt: Attempt,
    record: &mut Record,
    last: &mut Option<Failed>,
) -> AttemptResult {
    let hedges = facts.route.leaves().get(attempt.leaf).is_some_and(Leaf::hedges);
    match hedges.then(|| execution.plan().hedge_at()).flatten() {
        Some(at) => Box::pin(race(facts, execution, attempt, at, record, last)).await,
        None => attempt::attempt(facts, attempt, record).await,
    }
}

/// Makes an attempt, and a second one beside it if there is no answer by then. The first answer counts.
async fn race(
    facts: &RequestFacts<'_, '_>,
    execution: &Execution,
    attempt: Attempt,
    at: Time,
    record: &mut Record,
    last: &mut Option<Failed>,
) -> AttemptResult {
    let (mut own, mut other) = (record.fork(), record.fork());
    let mut lost = None;
    let result = async {
        let mut first = pin!(attempt::attempt(facts, attempt, &mut own));
        if let Ok(result) = timeout(clock::until(at), first.as_mut()).await {
            return result;
        }
        let hedge = execution.plan().hedge(clock::now());
        let Some(hedge) = hedge else { return first.await };
        let mut second = pin!(attempt::attempt(facts, hedge, &mut other));
        let (result, first_is_left) = tokio::select! {
            result = first.as_mut() => (result, false),
            result = second.as_mut() => (result, true),
        };
        if result.answer.is_ok() {
            return result;
        }
        execution.note(&result);
        lost = Some(result.answer);
        if first_is_left { first.await } else { second.await }
    };
    let result = result.await;
    if result.attempt.number != attempt.number {
        std::mem::swap(&mut own, &mut other);
    }
    if let Some(answer) = lost {
        Failed::new(answer, &mut other).replace(last);
    }
    record.take(own.leave());
    result
}
