//! A config compiled once: the tree of strategies and its leaves, with all that applies to each.
//!
//! Immutable, and shared by all requests that name the config. What can be decided without a request is
//! decided here: inherited settings, compiled conditions, which shared slots there are.

mod compile;
mod inherit;
#[cfg(test)]
mod tests;
mod weight;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker;
use crate::condition::{Field, Query};
use crate::config::{Balance, Config, MidStreamPolicy, Node, Problem, Statuses, Unsupported};
use crate::outcome::{Class, Verdict};
use crate::retry;
use crate::state::{Slots, State};

/// Most memory that a compiled config may take, in bytes. Ten thousand plain targets fit in.
pub const ROUTE_BYTES_MAX: usize = 8 << 20;

/// A config, compiled.
#[derive(Debug, Clone)]
pub struct Route {
    pub(crate) root: Child,
    /// The fields of a request that conditions and sticky pools ask for; they name them by index.
    pub(crate) fields: Vec<Field>,
    pub(crate) branches: Vec<Branch>,
    leaves: Vec<Leaf>,
    pub(crate) deadline: Option<Duration>,
    /// What requests share, where they share anything.
    pub(crate) slots: Option<Arc<Slots>>,
    /// Whether a request has to be asked for anything.
    pub(crate) asks: bool,
    /// Whether prices matter.
    pub(crate) compares_prices: bool,
    warnings: Vec<Problem>,
    unsupported: Vec<Unsupported>,
    bytes: usize,
}

impl Route {
    /// Compiles a config; routes of the same config and state share their breakers, gauges, turns and budgets. What a
    /// condition cannot mean is never true, and is named in the warnings.
    ///
    /// # Errors
    /// It would take more than [`ROUTE_BYTES_MAX`].
    pub fn new(config: &Config, state: &State) -> Result<Route, Problem> {
        compile::route(config, state)
    }

    /// The same, written by the operator. A config is a client's until somebody says otherwise.
    pub fn by_operator(mut self) -> Route {
        self.leaves.iter_mut().for_each(|leaf| leaf.author = Author::Operator);
        self
    }

    /// Does it hold keys or options of providers that the operator wrote?
    pub fn has_operators_secrets(&self) -> bool {
        let has = |leaf: &Leaf| leaf.settings.api_key.is_some() || !leaf.settings.options.is_empty();
        self.leaves.iter().any(|leaf| leaf.author == Author::Operator && has(leaf))
    }

    /// The same without them: for telling what was decided, and not for asking anybody.
    pub fn without_secrets(&self) -> Route {
        let mut route = self.clone();
        for leaf in &mut route.leaves {
            leaf.settings.api_key = None;
            leaf.settings.options = Default::default();
        }
        route
    }

    /// The memory that it takes, in bytes. What its targets share counts once.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All leaves that can be reached, in the order in which they are written. Attempts name them by index.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The only leaf, if there is nothing to decide: no choice, no retry, no breaker, no hedge, no deadline, and an
    /// answer that breaks is told as it is.
    pub fn only_leaf(&self) -> Option<&Leaf> {
        let plain = |leaf: &&Leaf| {
            leaf.retry.is_none()
                && leaf.breaker.is_none()
                && leaf.hedge.is_none()
                && leaf.mid_stream() == MidStreamPolicy::Error
                && leaf.settings.first_token_timeout_ms.is_none()
                && leaf.settings.idle_timeout_ms.is_none()
        };
        match self.leaves.as_slice() {
            [leaf] if self.deadline.is_none() => Some(leaf).filter(plain),
            _ => None,
        }
    }

    /// What the config's author should hear beside the warnings of parsing: patterns that are never true.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// What the config asks for and nobody does yet.
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.unsupported
    }
}

/// Who wrote a config: it decides to whom its keys and parameters may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Author {
    /// It came with a request.
    #[default]
    Client,
    /// It stands in the gateway's own configuration.
    Operator,
}

/// A target that is one call to one provider.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Which one: `config`, `config.targets[0].targets[1]`.
    pub index_path: String,
    /// Who wrote it.
    pub author: Author,
    /// Its own fields, with what outer levels set where it sets nothing itself. Without strategy and targets.
    pub settings: Node,
    /// The provider that a credential in the client's headers is meant for: of the first target that has none of its own.
    pub client_key_for: Option<Arc<str>>,
    /// Its place among the shared slots, where it needs one.
    pub(crate) slot: Option<usize>,
    pub(crate) breaker: Option<breaker::Rule>,
    pub(crate) retry: Option<retry::Rule>,
    pub(crate) hedge: Option<Hedge>,
}

impl Leaf {
    /// May a second target be asked beside it?
    pub fn hedges(&self) -> bool {
        self.hedge.is_some()
    }

    pub(crate) fn mid_stream(&self) -> MidStreamPolicy {
        self.settings.mid_stream.unwrap_or_default()
    }

    pub(crate) fn continues(&self) -> bool {
        self.settings.prefill == Some(true)
    }
}

/// When a second target is asked.
#[derive(Debug, Clone)]
pub(crate) struct Hedge {
    pub(crate) after: Duration,
    pub(crate) budget: retry::Rate,
}

/// What a strategy chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Branch(usize),
    Leaf(usize),
}

/// A strategy over its members.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) index_path: String,
    pub(crate) rule: Rule,
    pub(crate) members: Vec<Child>,
    /// All leaves below it.
    pub(crate) leaves: Range<usize>,
}

/// How a strategy chooses.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    /// The only member.
    Single,
    /// One after the other.
    Fallback(Moves),
    /// One of them.
    Pool(Box<Pool>),
    /// The member of the first condition that holds, or the default.
    Conditional { conditions: Vec<(Query, usize)>, default: Option<usize> },
}

impl Rule {
    /// Whether a verdict on one member has another one asked.
    pub(crate) fn moves_on(&self, verdict: Verdict) -> bool {
        match self {
            Rule::Fallback(moves) => moves.on(verdict),
            Rule::Pool(pool) => pool.moves.on(verdict),
            Rule::Single | Rule::Conditional { .. } => false,
        }
    }
}

/// A pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) balance: Balance,
    pub(crate) moves: Moves,
    pub(crate) weights: Vec<f64>,
    /// What makes a member the same one after the config was changed.
    pub(crate) identities: Vec<u64>,
    pub(crate) sticky: Option<Sticky>,
    /// The first of the members' gauges, or the turn; only where `balance` has such.
    pub(crate) slot: usize,
}

impl Pool {
    /// The gauge of a member.
    pub(crate) fn gauge(&self, member: usize) -> Option<usize> {
        match self.balance {
            Balance::LeastPending | Balance::LeastLatency => Some(self.slot + member),
            Balance::Weighted | Balance::RoundRobin | Balance::LeastCost => None,
        }
    }
}

/// What keeps a caller with one member.
#[derive(Debug, Clone)]
pub(crate) struct Sticky {
    /// Indexes of fields; `None` for what is none.
    pub(crate) fields: Vec<Option<usize>>,
    pub(crate) ttl_s: u64,
}

/// Which verdicts move on to another member.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves {
    pub(crate) statuses: Statuses,
    pub(crate) stop_on: Option<Vec<Class>>,
}

impl Moves {
    /// What is written goes before what is default: `stop_on` stops whatever the status is; listed statuses move on,
    /// also where others tell the same by them, and others do not; without a list every failure moves on but a refusal
    /// by content policy. Failures without an answer have no status, and are in no list.
    fn on(&self, verdict: Verdict) -> bool {
        let class = verdict.class();
        if let Some((stop_on, class)) = self.stop_on.as_ref().zip(class)
            && stop_on.contains(&class)
        {
            return false;
        }
        match (self.statuses.as_ref(), verdict.status()) {
            (Some(statuses), Some(status)) => {
                let others = class.map_or(&[][..], |class| class.other_statuses(status));
                statuses.contains(&status) || others.iter().any(|other| statuses.contains(other))
            }
            _ => class.is_some_and(|class| class != Class::ContentPolicy || self.stop_on.is_some()),
        }
    }
}
