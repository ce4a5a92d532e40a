//! The rest of an answer that broke off in the middle, from the same target or another one.

use std::ops::ControlFlow;
use std::rc::Rc;

use bytes::Bytes;
use http::request;
use ostia_dialect::{Api, Fault};
use ostia_providers::prepare::{ApiCall, Conversation, Prepared, Reading, Way, client_dialect};
use ostia_routing::plan::{Attempt, MidStream, Sent};
use ostia_routing::{Outcome, Verdict};
use ostia_store::CacheResult;

use crate::clock;
use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::poll;
use crate::exchange::receive;
use crate::fetch::Fetched;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::inbound::gateway_headers::GatewayHeaders;
use crate::inbound::route::Endpoint;
use crate::message::body::{Resume, Resuming};
use crate::message::source::Source;
use crate::record::Record;
use crate::record::account::Account;
use crate::routing::attempt;
use crate::routing::execution::Execution;
use crate::target::{self, Asked};

/// Everything that is needed to ask again while the answer is under way.
#[derive(Debug)]
pub struct Failover {
    execution: Execution,
    caller: Caller,
    gateway: GatewayHeaders,
    parts: request::Parts,
    files: Rc<Fetched>,
    account: Rc<Account>,
}

impl Failover {
    /// A rescuer for the answer to this request.
    pub fn new(execution: Execution, inbound: Inbound<'_>, account: Rc<Account>) -> Box<Failover> {
        let Inbound { caller, gateway, parts, files, .. } = inbound;
        let (caller, gateway, parts) = (caller.clone(), gateway.clone(), parts.clone());
        Box::new(Failover { execution, caller, gateway, parts, files: files.clone(), account })
    }

    async fn find(&mut self, fault: Fault, body: &Bytes, beginning: Option<&str>) -> Result<Source, Fault> {
        let sent = if beginning.is_some() { Sent::Text } else { Sent::ToolCall };
        let mut attempt = match self.execution.broken(&fault, sent) {
            MidStream::Continue(attempt) => attempt,
            MidStream::Error => return Err(fault),
        };
        loop {
            let asked = self.ask(&attempt, body, beginning.unwrap_or_default()).await;
            let now = clock::now();
            match asked {
                Ok(source) => {
                    self.execution.plan().outcome(&attempt, Outcome::of(Verdict::SUCCESS), now);
                    return Ok(source);
                }
                Err(error) => self.execution.plan().outcome(&attempt, error.outcome(false), now),
            }
            attempt = self.execution.next(now).await.map_err(|_| fault.clone())?;
        }
    }

    /// Asks one target for the rest.
    async fn ask(
        &mut self,
        attempt: &Attempt,
        body: &Bytes,
        beginning: &str,
    ) -> Result<Source, AttemptError> {
        let (core, route) = (self.execution.core().clone(), self.execution.route().clone());
        let Endpoint::Api(api_path) = Endpoint::of(&self.parts.method, self.parts.uri.path()) else {
            return Err(nothing().into());
        };
        let inbound = Inbound {
            core: &core,
            caller: &self.caller,
            gateway: &self.gateway,
            parts: &self.parts,
            upload: None,
            files: &self.files,
        };
        let call = ApiCall::read(api_path.api, api_path.params(), inbound.query(), body, usize::MAX)?;
        let leaf = route.leaves().get(attempt.leaf);
        let mut target = target::resolve(inbound, leaf, Asked::Api(&call))?;
        attempt::bound(&mut target, attempt);
        let mut record = Record::of(self.account.clone());
        record.target(&target.provider.id, target.index_path, target.model.as_deref().or(call.model()));
        let booking = record.booking();
        // Once with each of several keys.
        loop {
            let answer = go_on(Exchange::new(inbound, &target, &booking), &call, beginning).await;
            if let Ok((_, cache)) = &answer {
                booking.continues();
                self.account.note_cache_of_rest(*cache);
            }
            booking.settle(&answer, &[]);
            if let ControlFlow::Break(answer) = target.settle(answer, Some(())) {
                return answer.map(|(source, _)| source);
            }
        }
    }
}

/// Asks for the rest of an answer that begins so. Tells also what its head says of a cache.
async fn go_on(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    beginning: &str,
) -> Result<(Source, Option<CacheResult>), AttemptError> {
    let target = exchange.target;
    let client = client_dialect(call.api, target.provider).ok_or_else(nothing)?;
    let way = Way::Converse(client);
    let Prepared::Request(mut prepared) = ask::prepare(exchange, call, way, Some(beginning)).await? else {
        return Err(nothing().into());
    };
    let request = exchange.outgoing(&mut prepared, call.body)?;
    Record::default().dropped(std::mem::take(&mut prepared.dropped), target.lossless)?;
    let Reading::Conversation(conversation) = prepared.answer else { return Err(nothing().into()) };
    let Conversation { upstream, framing, undo, .. } = *conversation;
    let mut answer = exchange.dispatch(request).await?;
    let cache = answer.extensions().get().copied();
    if let Some(job) = Api::of_dialect(upstream).job() {
        let (stream, given_up) = poll::stream(exchange, job, call.api, answer).await?;
        // What is gone on with has no place for what goes when it does.
        given_up.forget();
        answer = stream;
    }
    let (answer, inflate) = receive::events(answer, (call.api, framing), target).await?;
    Ok((Source::new(answer, inflate, (upstream, framing), undo), cache))
}

fn nothing() -> Fault {
    Fault::upstream("Only conversations can be gone on with.")
}

impl Resume for Failover {
    fn resume(mut self: Box<Self>, fault: Fault, request: Bytes, beginning: Option<String>) -> Resuming {
        self.account.broke_off();
        Box::pin(async move {
            let source = self.find(fault, &request, beginning.as_deref()).await;
            (self as Box<dyn Resume>, source)
        })
    }
}
