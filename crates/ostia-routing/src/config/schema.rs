//! What a config says, as types: the level, the strategy, and the small objects of numbers.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::ProviderOptions;
use crate::outcome::Class;

/// Body fields that a config sets.
pub type Params = Option<Arc<Redacted<Map<String, Value>>>>;

/// A list of HTTP statuses.
pub type Statuses = Option<Arc<[u16]>>;

/// One level of a config: a leaf (one call to one provider) or a strategy over targets.
///
/// `None` always means that the field was not given, so that an outer node's value can apply. What can be long and
/// is inherited is shared: a level with a thousand targets has one of it, not a thousand.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// How to choose among `targets`. Given if and only if there are targets.
    pub strategy: Option<Box<Strategy>>,
    /// The choices, in order.
    pub targets: Vec<Node>,
    /// What conditions call this target.
    pub name: Option<String>,
    /// What a circuit breaker calls this target.
    pub id: Option<String>,
    /// Whom to call: a provider's id, or `@` and the name of a configured one.
    pub provider: Option<String>,
    /// The client's own credential for the provider.
    pub api_key: Option<SecretString>,
    /// The name of a stored credential.
    pub virtual_key: Option<String>,
    /// Share in load balancing, relative to the siblings'; at least 0. Not given means 1.
    pub weight: Option<f64>,
    /// Accepted on any node; only the one of a strategy has an effect.
    pub on_status_codes: Statuses,
    /// Trying the same target again.
    pub retry: Option<Arc<Retry>>,
    /// Answering from a cache.
    pub cache: Option<Cache>,
    /// Bound on one request, in milliseconds; 1 to [`REQUEST_TIMEOUT_MS_MAX`](super::REQUEST_TIMEOUT_MS_MAX).
    pub request_timeout_ms: Option<u64>,
    /// Bound on the wait for the first token, in milliseconds; the same range (Ostia's own field).
    pub first_token_timeout_ms: Option<u64>,
    /// Bound on the silence between two pieces of an answer, in milliseconds; the same range (Ostia's own
    /// field).
    pub idle_timeout_ms: Option<u64>,
    /// Bound on the whole request with all its attempts and waits, in milliseconds; the same range. Only the
    /// root's has an effect (Ostia's own field).
    pub deadline_ms: Option<u64>,
    /// What to do about a stream that breaks (Ostia's own field).
    pub mid_stream: Option<MidStreamPolicy>,
    /// Asking a second target when the first token is late (Ostia's own field).
    pub hedge: Option<Hedge>,
    /// The target can go on with an answer that another one began (Ostia's own field).
    pub prefill: Option<bool>,
    /// Base URL to call in place of the provider's own: `http` or `https`, without credentials in it.
    pub custom_host: Option<Arc<str>>,
    /// Names of client headers to pass on to the provider, in lower case.
    pub forward_headers: Option<Arc<[String]>>,
    /// Body fields that are always set.
    pub override_params: Params,
    /// Body fields that are set where the client gave none.
    pub default_params: Params,
    /// Paths of body fields to leave out: `key`, `a.b`, `tools[0]`, `messages[*].name`.
    pub drop_params: Option<Arc<[String]>>,
    /// Take provider and model from the request itself.
    pub passthrough: Option<bool>,
    /// Answer in exactly OpenAI's shape, without fields that OpenAI does not have.
    pub strict_open_ai_compliance: Option<bool>,
    /// Refuse a request that cannot be said without loss in the provider's dialect (Ostia's own field).
    pub lossless: Option<bool>,
    /// List the models of all integrations.
    pub fetch_integrated_models: Option<bool>,
    /// What runs before the call; `None` if none of its three fields was given.
    pub before: Option<Arc<Hooks>>,
    /// What runs after the call; `None` if none of its three fields was given.
    pub after: Option<Arc<Hooks>>,
    /// When to leave a failing target alone.
    pub breaker: Option<Arc<Breaker>>,
    /// A stored prompt to fill in.
    pub prompt_id: Option<String>,
    /// What only some provider needs: regions, account ids, cloud credentials.
    pub options: ProviderOptions,
}

/// How to choose among targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// The rule.
    pub mode: Mode,
    /// For [`Mode::Fallback`] and [`Mode::Loadbalance`]: the statuses that move on to another target. Not
    /// given: all but 2xx.
    pub on_status_codes: Statuses,
    /// For the same: the failures that do not move on. Not given: refusals by content policy (Ostia's own
    /// field).
    pub stop_on: Option<Vec<Class>>,
    /// For [`Mode::Loadbalance`]: how to choose. Not given: at random, by weight (Ostia's own field).
    pub balance: Option<Balance>,
    /// For [`Mode::Conditional`]: read in order, the first that is true decides.
    pub conditions: Vec<Condition>,
    /// For [`Mode::Conditional`]: the name of the target when no condition is true.
    pub default: Option<String>,
    /// For [`Mode::Loadbalance`]: keeping a caller with the target that it got first.
    pub sticky: Option<Sticky>,
    /// When to leave a failing target alone.
    pub breaker: Option<Arc<Breaker>>,
}

/// The four rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Always the first target.
    #[default]
    Single,
    /// One target after the other until one answers well.
    Fallback,
    /// One target of the pool; another one if it fails.
    Loadbalance,
    /// The target that the first true condition names.
    Conditional,
}

impl Mode {
    /// As it is written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Single => "single",
            Mode::Fallback => "fallback",
            Mode::Loadbalance => "loadbalance",
            Mode::Conditional => "conditional",
        }
    }
}

/// How one target of a pool is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// At random, by weight.
    #[default]
    Weighted,
    /// In turn.
    RoundRobin,
    /// The one with the fewest open requests.
    LeastPending,
    /// The quicker one of two that are drawn.
    LeastLatency,
    /// The one that is expected to cost least.
    LeastCost,
}

impl Balance {
    /// As it is written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Balance::Weighted => "weighted",
            Balance::RoundRobin => "round_robin",
            Balance::LeastPending => "least_pending",
            Balance::LeastLatency => "least_latency",
            Balance::LeastCost => "least_cost",
        }
    }
}

/// What to do about a stream that breaks after it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MidStreamPolicy {
    /// Tell the client.
    #[default]
    Error,
    /// Have the answer continued, by this target or the next.
    Continue,
}

impl MidStreamPolicy {
    /// As it is written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            MidStreamPolicy::Error => "error",
            MidStreamPolicy::Continue => "continue",
        }
    }
}

/// `{"after": 800, "budget": 5}`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hedge {
    /// How long to wait for the first token, in milliseconds; 1 to
    /// [`REQUEST_TIMEOUT_MS_MAX`](super::REQUEST_TIMEOUT_MS_MAX).
    pub after_ms: u64,
    /// Second attempts as share of the requests: 0 to 100. Not given means
    /// [`HEDGE_BUDGET_PERCENT`](super::HEDGE_BUDGET_PERCENT).
    pub budget_percent: Option<f64>,
}

/// `{"query": {"metadata.tier": "paid"}, "then": "large"}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The query, as it was written; its operators and their operands are checked.
    pub query: Redacted<Value>,
    /// The name of a target; there is one of this name.
    pub then: String,
}

/// `{"enabled": true, "hash_fields": ["metadata.user_id"], "ttl": 3600}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sticky {
    /// Whether to do it at all.
    pub enabled: bool,
    /// Dotted paths into the request context whose values identify the caller.
    pub hash_fields: Vec<String>,
    /// How long a choice lasts, in seconds. Not given means 3600.
    pub ttl_s: Option<u64>,
}

/// `{"attempts": 3, "on_status_codes": [429], "use_retry_after_header": true, "max_wait": 5000, "budget":
/// 20}`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retry {
    /// Calls after the first one: 0 to [`RETRY_ATTEMPTS_MAX`](super::RETRY_ATTEMPTS_MAX).
    pub attempts: u32,
    /// The statuses that are tried again.
    pub on_status_codes: Statuses,
    /// Whether `retry-after-ms` and `x-ms-retry-after-ms` set the wait too, and not only `retry-after`.
    pub use_retry_after_header: bool,
    /// Longest time that is spent on waits at one target, in milliseconds (Ostia's own field). Not given
    /// means [`RETRY_WAIT_MS`](super::RETRY_WAIT_MS).
    pub max_wait_ms: Option<u64>,
    /// Retries as share of the requests to the target: 0 to 100 (Ostia's own field). Not given means
    /// [`RETRY_BUDGET_PERCENT`](super::RETRY_BUDGET_PERCENT).
    pub budget_percent: Option<f64>,
}

/// `{"mode": "simple", "max_age": 600}`, or only `"simple"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// What counts as the same request.
    pub mode: CacheMode,
    /// How long an answer stays, in seconds; 1 to [`CACHE_MAX_AGE_S_MAX`](super::CACHE_MAX_AGE_S_MAX).
    pub max_age_s: Option<u64>,
}

/// What counts as the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMode {
    /// Equal in every byte that matters.
    Simple,
    /// Close in meaning.
    Semantic,
}

/// `cb_config`: when a target is left alone for a while.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Breaker {
    /// Failures that open the breaker; at least 1.
    pub failure_threshold: Option<u64>,
    /// Share of failures that opens it: 0 to 100.
    pub failure_threshold_percentage: Option<f64>,
    /// How long it stays open, in milliseconds; at least 30000.
    pub cooldown_interval_ms: Option<u64>,
    /// The statuses that count as failures.
    pub failure_status_codes: Statuses,
    /// Requests before the percentage counts.
    pub minimum_requests: Option<u64>,
}

/// What runs on one side of a call. The entries are the JSON objects as they were written, with their shape
/// checked (or, for guardrails, the id of a saved one as a string).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hooks {
    /// `before_request_hooks` or `after_request_hooks`.
    pub hooks: Vec<Redacted<Value>>,
    /// `input_guardrails` or `output_guardrails`.
    pub guardrails: Vec<Redacted<Value>>,
    /// `input_mutators` or `output_mutators`.
    pub mutators: Vec<Redacted<Value>>,
}

impl Hooks {
    /// Whether nothing runs.
    pub fn is_empty(&self) -> bool {
        self.hooks.is_empty() && self.guardrails.is_empty() && self.mutators.is_empty()
    }
}

/// A value that may hold a credential somewhere inside; it is used like the value itself and never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redacted<T>(pub T);

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
