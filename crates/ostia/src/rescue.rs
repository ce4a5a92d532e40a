//! The rest of an answer that broke off in the middle, from the same target or another one.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::request;
use ostia_dialect::custom_tool::CustomTools;
use ostia_dialect::json::Document;
use ostia_dialect::{Decoder, Fault, FaultKind, relay};
use ostia_routing::plan::{Attempt, MidStream, Sent};
use ostia_routing::{Limit, Outcome, Verdict};

use crate::attempt::{self, Asked};
use crate::call::Call;
use crate::core::now;
use crate::course::Course;
use crate::exchange::{self, Exchange};
use crate::inflate::Inflate;
use crate::mark::Mark;
use crate::miss::Miss;
use crate::route::Endpoint;
use crate::target;
use crate::upstream::Answer;

/// Everything that is needed to ask again while the answer is under way.
#[derive(Debug)]
pub struct Rescue {
    course: Course,
    call: Call,
    parts: request::Parts,
}

/// A rescue at work. It gives the rescuer back, for the next time.
pub type Rescuing = Pin<Box<dyn Future<Output = (Box<Rescue>, Result<Rest, Fault>)>>>;

/// The stream that goes on.
#[derive(Debug)]
pub struct Rest {
    pub answer: Answer,
    pub inflate: Option<Inflate>,
    pub decoder: Decoder,
    pub custom_tools: Option<CustomTools>,
}

impl Rescue {
    /// A rescuer for the answer to this request.
    pub fn new(course: Course, call: &Call, parts: &request::Parts) -> Box<Rescue> {
        Box::new(Rescue { course, call: call.clone(), parts: parts.clone() })
    }

    /// Gets the rest of an answer to `body` that broke off with this fault, when the client had these words of it; `None`: it has
    /// something that nobody can go on with.
    pub fn go_on(mut self: Box<Rescue>, fault: Fault, body: Bytes, beginning: Option<String>) -> Rescuing {
        Box::pin(async move {
            let rest = self.find(fault, &body, beginning.as_deref()).await;
            (self, rest)
        })
    }

    async fn find(&mut self, fault: Fault, body: &Bytes, beginning: Option<&str>) -> Result<Rest, Fault> {
        let verdict =
            if fault.kind == FaultKind::Timeout { Verdict::Late(Limit::Idle) } else { Verdict::Broken };
        let sent = if beginning.is_some() { Sent::Text } else { Sent::ToolCall };
        let mut attempt = match self.course.plan().broken(verdict, sent, now()) {
            MidStream::Continue(attempt) | MidStream::Restart(attempt) => attempt,
            MidStream::Error => return Err(fault),
        };
        loop {
            match self.ask(&attempt, body, beginning.unwrap_or_default()).await {
                Ok(rest) => {
                    self.course.plan().outcome(&attempt, Outcome::of(Verdict::SUCCESS), now());
                    return Ok(rest);
                }
                Err(miss) => self.course.plan().outcome(&attempt, miss.outcome(false), now()),
            }
            attempt = self.course.next().await.map_err(|_| fault.clone())?;
        }
    }

    /// Asks one target for the rest.
    async fn ask(&mut self, attempt: &Attempt, body: &Bytes, beginning: &str) -> Result<Rest, Miss> {
        let (core, route) = (self.course.core().clone(), self.course.plan().route().clone());
        let nothing = || Fault::upstream("Only conversations can be gone on with.");
        let Endpoint::Typed(typed) = Endpoint::of(&self.parts.method, self.parts.uri.path()) else {
            return Err(nothing().into());
        };
        let document = Document::parse_to(body, 1).map_err(|fault| Fault::invalid(fault.to_string()))?;
        let peek = relay::peek(&document)?;
        let leaf = route.leaves().get(attempt.leaf);
        let mut target = target::resolve(&core, &self.call, leaf, peek.model.as_deref())?;
        attempt::bound(&mut target, &attempt.limits);
        let (client, upstream) = attempt::conversation(typed.offer, target.provider).ok_or_else(nothing)?;
        let mut mark = Mark::default();
        let waited = mark.waited();
        let exchange =
            Exchange { core: &core, call: &self.call, target: &target, parts: &self.parts, waited: &waited };
        let asked =
            Asked { typed: &typed, body, document: &document, peek: &peek, keep: None, continues: true };
        let said = attempt::say(exchange, asked, client, upstream, Some(beginning), &mut mark).await?;
        let (answer, inflate) = exchange::events(said.answer, typed.offer, &target).await?;
        Ok(Rest { answer, inflate, decoder: Decoder::new(upstream), custom_tools: said.custom_tools })
    }
}
