//! The rest of an answer that broke off in the middle, from the same target or another one.

use bytes::Bytes;
use http::request;
use ostia_dialect::json::Document;
use ostia_dialect::{Decoder, Fault};
use ostia_routing::plan::{Attempt, MidStream, Sent};
use ostia_routing::{Outcome, Verdict};

use crate::clock;
use crate::errors::miss::Miss;
use crate::exchange::Exchange;
use crate::exchange::ask;
use crate::exchange::asked::{self, Asked};
use crate::exchange::receive;
use crate::inbound::call::Call;
use crate::inbound::route::Endpoint;
use crate::message::body::{Mender, Mending, Rest};
use crate::record::mark::Mark;
use crate::routing::attempt;
use crate::routing::course::Course;
use crate::target;

/// Everything that is needed to ask again while the answer is under way.
#[derive(Debug)]
pub struct Rescue {
    course: Course,
    call: Call,
    parts: request::Parts,
}

impl Rescue {
    /// A rescuer for the answer to this request.
    pub fn new(course: Course, call: &Call, parts: &request::Parts) -> Box<Rescue> {
        Box::new(Rescue { course, call: call.clone(), parts: parts.clone() })
    }

    async fn find(&mut self, fault: Fault, body: &Bytes, beginning: Option<&str>) -> Result<Rest, Fault> {
        let sent = if beginning.is_some() { Sent::Text } else { Sent::ToolCall };
        let mut attempt = match self.course.broken(&fault, sent) {
            MidStream::Continue(attempt) => attempt,
            MidStream::Error => return Err(fault),
        };
        loop {
            let asked = self.ask(&attempt, body, beginning.unwrap_or_default()).await;
            let now = clock::now();
            match asked {
                Ok(rest) => {
                    self.course.plan().outcome(&attempt, Outcome::of(Verdict::SUCCESS), now);
                    return Ok(rest);
                }
                Err(miss) => self.course.plan().outcome(&attempt, miss.outcome(false), now),
            }
            attempt = self.course.next(now).await.map_err(|_| fault.clone())?;
        }
    }

    /// Asks one target for the rest.
    async fn ask(&mut self, attempt: &Attempt, body: &Bytes, beginning: &str) -> Result<Rest, Miss> {
        let (core, route) = (self.course.core().clone(), self.course.route().clone());
        let nothing = || Fault::upstream("Only conversations can be gone on with.");
        let Endpoint::Typed(typed) = Endpoint::of(&self.parts.method, self.parts.uri.path()) else {
            return Err(nothing().into());
        };
        let document = Document::of_request(body)?;
        let peek = asked::peek(&typed, &document)?;
        let leaf = route.leaves().get(attempt.leaf);
        let mut target = target::resolve(&core, &self.call, leaf, peek.model.as_deref())?;
        attempt::bound(&mut target, attempt);
        let client = ask::conversation(typed.api, target.provider).ok_or_else(nothing)?;
        let mut mark = Mark::default();
        let waited = mark.waited();
        let exchange =
            Exchange { core: &core, call: &self.call, target: &target, parts: &self.parts, waited: &waited };
        let asked =
            Asked { typed: &typed, body, document: &document, peek: &peek, keep: None, continues: true };
        let said = ask::say(exchange, asked, client, Some(beginning), &mut mark).await?;
        let (answer, inflate) = receive::events(said.answer, typed.api, &target).await?;
        Ok(Rest { answer, inflate, decoder: Decoder::new(said.upstream), undo: said.undo })
    }
}

impl Mender for Rescue {
    fn mend(mut self: Box<Self>, fault: Fault, request: Bytes, beginning: Option<String>) -> Mending {
        Box::pin(async move {
            let rest = self.find(fault, &request, beginning.as_deref()).await;
            (self as Box<dyn Mender>, rest)
        })
    }
}
