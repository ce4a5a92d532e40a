//! The only loop over attempts: a config followed from target to target.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use http::Response;
use ostia_dialect::Fault;
use ostia_routing::plan::{Attempt, Plan, Reason};
use ostia_routing::{Leaf, Route, Time};
use tokio::time::timeout;

use crate::boxed;
use crate::clock;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::inbound::Inbound;
use crate::inbound::api_call::{ApiCall, Payload};
use crate::message::body::Body;
use crate::record::Record;
use crate::responses_api::StoreHandle;
use crate::routing::attempt;
use crate::routing::execution::{self, AttemptResult, Execution, Followed};
use crate::routing::facts::RequestFacts;
use crate::routing::failover::Failover;
use crate::target;

/// The answer of one target, or of a config's.
pub async fn answer(
    asked: &ApiCall<'_>,
    route: Option<&Arc<Route>>,
    keep: Option<&Rc<StoreHandle>>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let leaf = match route.map(|route| (route, route.only_leaf())) {
        Some((route, None)) => {
            return follow(asked.inbound, Payload::Api(asked), keep, route, record).await;
        }
        Some((_, leaf)) => leaf,
        None => None,
    };
    ask_once(asked, keep, leaf, record).await.or_else(AttemptError::into_answer)
}

/// One target, and nothing to decide.
async fn ask_once(
    asked: &ApiCall<'_>,
    keep: Option<&Rc<StoreHandle>>,
    leaf: Option<&Leaf>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let target = target::resolve(asked.inbound, leaf, asked.model())?;
    record.target(&target.provider.id, target.index_path, target.model.as_deref().or(asked.model()));
    let waited = record.waited();
    ask::ask(Exchange { keep, ..Exchange::new(asked.inbound, &target, &waited) }, asked, record).await
}

/// Follows a config from target to target, until one answers or there is none left.
pub async fn follow(
    inbound: Inbound<'_>,
    payload: Payload<'_, '_>,
    keep: Option<&Rc<StoreHandle>>,
    route: &Arc<Route>,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let asking = RequestFacts::new(inbound, payload, route, keep);
    let Inbound { core, gateway, .. } = inbound;
    let mut now = clock::now();
    let plan = Plan::new(route.clone(), &asking, fastrand::u64(..), now);
    let plan = plan.bounded_by(now.after(core.settings.timeouts.total));
    let mut execution = Execution::new(core.clone(), plan);
    let mut last: Option<Failed> = None;
    loop {
        let attempt = match execution.next(now).await {
            Ok(attempt) => attempt,
            Err(reason) => {
                let Failed { answer, record: own, .. } = last.unwrap_or_else(|| Failed::of(reason, record));
                record.take(own);
                record.decided(gateway.explain, execution.shared());
                return answer;
            }
        };
        let tried = make_attempt(&asking, &execution, attempt, record, &mut last).await;
        let is_answered = execution.note(&tried);
        now = tried.ended;
        match tried.answer {
            Ok(answer) if is_answered => {
                record.decided(gateway.explain, execution.shared());
                return Ok(answer.map(|body| accompany(body, execution, inbound, now)));
            }
            answer => Failed::new(answer, record).replace(&mut last),
        }
    }
}

/// What the client gets if nobody does better: the last answer of those that tell most.
struct Failed {
    answer: Result<Response<Body>, Fault>,
    weight: u8,
    record: Record,
}

impl Failed {
    fn new(answer: Result<Response<Body>, AttemptError>, record: &mut Record) -> Failed {
        let weight = answer.as_ref().map_or_else(AttemptError::weight, |_| AttemptError::WEIGHT_MAX);
        Failed { answer: answer.or_else(AttemptError::into_answer), weight, record: record.leave() }
    }

    /// Takes the place of another one that does not tell more.
    fn replace(self, last: &mut Option<Failed>) {
        if last.as_ref().is_none_or(|old| self.weight >= old.weight) {
            *last = Some(self);
        }
    }

    /// No attempt was made, for this reason.
    fn of(reason: Reason, record: &mut Record) -> Failed {
        Failed { answer: Err(execution::given_up(reason)), weight: 0, record: record.leave() }
    }
}

/// The plan ends with the answer, or gets the rest of it if it breaks off.
fn accompany(body: Body, execution: Execution, inbound: Inbound<'_>, now: Time) -> Body {
    match body {
        Body::Full(_) => {
            execution.end(now);
            body
        }
        Body::Events(mut events) if events.can_be_resumed() => {
            events.resumed_by(Failover::new(execution, inbound));
            Body::Events(events)
        }
        Body::Events(events) => Body::events(Followed::new(events, execution)),
        body => body.with(execution),
    }
}

/// Makes an attempt, and a second one beside it where the config wants one and the first is late.
async fn make_attempt(
    asking: &RequestFacts<'_, '_>,
    execution: &Execution,
    attempt: Attempt,
    record: &mut Record,
    last: &mut Option<Failed>,
) -> AttemptResult {
    let hedges = asking.route.leaves().get(attempt.leaf).is_some_and(Leaf::hedges);
    match hedges.then(|| execution.plan().hedge_at()).flatten() {
        Some(at) => boxed::pin(|| race(asking, execution, attempt, at, record, last)).await,
        None => attempt::attempt(asking, attempt, record).await,
    }
}

/// Makes an attempt, and a second one beside it if there is no answer by then. The first answer counts.
async fn race(
    asking: &RequestFacts<'_, '_>,
    execution: &Execution,
    attempt: Attempt,
    at: Time,
    record: &mut Record,
    last: &mut Option<Failed>,
) -> AttemptResult {
    let (mut own, mut other) = (record.fork(), record.fork());
    let mut lost = None;
    let tried = async {
        let mut first = pin!(attempt::attempt(asking, attempt, &mut own));
        if let Ok(tried) = timeout(clock::until(at), first.as_mut()).await {
            return tried;
        }
        let hedge = execution.plan().hedge(clock::now());
        let Some(hedge) = hedge else { return first.await };
        let mut second = pin!(attempt::attempt(asking, hedge, &mut other));
        let (tried, first_is_left) = tokio::select! {
            tried = first.as_mut() => (tried, false),
            tried = second.as_mut() => (tried, true),
        };
        if tried.answer.is_ok() {
            return tried;
        }
        execution.note(&tried);
        lost = Some(tried.answer);
        if first_is_left { first.await } else { second.await }
    };
    let tried = tried.await;
    let (own, mut other) = if tried.attempt.number == attempt.number { (own, other) } else { (other, own) };
    if let Some(answer) = lost {
        Failed::new(answer, &mut other).replace(last);
    }
    record.take(own);
    tried
}
