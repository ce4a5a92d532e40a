//! The routing config: what a client sends in its config header, parsed whole.
//!
//! The schema is Portkey's (<https://portkey.ai/docs/api-reference/inference-api/config-object>), in both key
//! spellings (`custom_host` and `customHost`, also mixed), at any nesting. A config is checked when it arrives:
//! every problem is reported at once with its path, and a field that nobody reads is named in a warning. What
//! belongs to the model's API or to somebody's query (`override_params`, `params`, `query`, ...) is kept as it came.
//!
//! A config is one [`Node`]: either a leaf, which is one call to one provider, or a [`Strategy`] over `targets`,
//! each a node again. Deciding between targets is not done here; [`Config::single`] resolves the configs that
//! leave nothing to decide, and says of all others what they ask for.

mod complete;
mod fields;
mod hooks;
mod json;
mod node;
mod options;
mod query;
mod read;
mod single;
mod strategy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;

use secrecy::SecretString;
use serde_json::{Map, Value};

pub use options::ProviderOptions;
pub use single::{Settings, Target, Unsupported};

use fields::{Path, Report};

/// Longest config, in bytes of JSON text.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of JSON values anywhere in a config.
pub const VALUE_DEPTH_MAX: usize = 100;
/// Deepest nesting of targets in targets; the root is at depth 0.
pub const TARGET_DEPTH_MAX: usize = 16;
/// Most targets of a root that is not conditional.
pub const ROOT_TARGETS_MAX: usize = 100;
/// Most targets of a conditional root.
pub const CONDITIONAL_ROOT_TARGETS_MAX: usize = 1000;
/// Most targets below one target of the root, on all levels together.
pub const NESTED_TARGETS_MAX: usize = 50;
/// Most conditions of one strategy.
pub const CONDITIONS_MAX: usize = 1000;
/// Most retries of one target.
pub const RETRY_ATTEMPTS_MAX: u64 = 5;
/// Most entries of any other list (status codes, headers, hooks, checks, paths).
pub const LIST_MAX: usize = 500;
/// Longest time that a config can give a request, in milliseconds: one day.
pub const REQUEST_TIMEOUT_MS_MAX: u64 = 86_400_000;
/// Longest life of a cached answer, in seconds: 300 days and three hours, the longest that Portkey takes.
pub const CACHE_MAX_AGE_S_MAX: u64 = 25_923_000;
/// Most problems that are reported for one config; a last one says that there are more.
pub const PROBLEMS_MAX: usize = 200;

/// Parses a config from JSON text.
///
/// Errors: all problems, each level after what stands in it. Unknown fields are among them then, because a misspelt field
/// is often the reason why another is missed.
pub fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![Problem::root(format!("the config is longer than {TEXT_BYTES_MAX} bytes"), None)]);
    }
    if text.trim_start().starts_with("pc-") {
        let hint = "send the config itself, as JSON".to_owned();
        return Err(vec![Problem::root("ids of saved configs cannot be looked up".to_owned(), Some(hint))]);
    }
    let mut report = Report::default();
    match json::parse(text, &mut report) {
        Ok(value) => checked(&value, report),
        Err(fault) => Err(vec![Problem::root(format!("is not valid JSON: {fault}"), None)]),
    }
}

/// Parses a config that was read from elsewhere (YAML). The same rules and errors as [`parse`].
pub fn from_value(value: &Value) -> Result<Parsed, Vec<Problem>> {
    checked(value, Report::default())
}

fn checked(value: &Value, mut report: Report) -> Result<Parsed, Vec<Problem>> {
    if !read::depth_within(value, VALUE_DEPTH_MAX) {
        return Err(vec![Problem::root(format!("is nested deeper than {VALUE_DEPTH_MAX} levels"), None)]);
    }
    let root = node::read(&Path::Root, value, 0, &mut report);
    report.finish().map(|warnings| Parsed { config: Config { root }, warnings })
}

/// A config that is right, and what its author should hear about it all the same.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The config.
    pub config: Config,
    /// Unknown fields, and fields that have no effect where they stand.
    pub warnings: Vec<Problem>,
}

/// Something wrong in a config. It names fields and says what they must be; it never repeats a value that could be
/// a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in the spelling of the text: `targets[1].retry.attempts`. Empty for the config as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    fn root(message: String, hint: Option<String>) -> Problem {
        Problem { path: String::new(), message, hint }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "config" } else { &self.path };
        write!(out, "{path}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// A routing config.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The outermost node.
    pub root: Node,
}

/// One level of a config: a leaf (one call to one provider) or a strategy over targets.
///
/// `None` always means that the field was not given, so that an outer node's value can apply.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// How to choose among `targets`. Given if and only if there are targets.
    pub strategy: Option<Strategy>,
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
    pub on_status_codes: Option<Vec<u16>>,
    /// Trying the same target again.
    pub retry: Option<Retry>,
    /// Answering from a cache.
    pub cache: Option<Cache>,
    /// Bound on one request, in milliseconds; 1 to [`REQUEST_TIMEOUT_MS_MAX`].
    pub request_timeout_ms: Option<u64>,
    /// Base URL to call in place of the provider's own: `http` or `https`, without credentials in it.
    pub custom_host: Option<String>,
    /// Names of client headers to pass on to the provider, in lower case.
    pub forward_headers: Option<Vec<String>>,
    /// Body fields that are always set.
    pub override_params: Option<Redacted<Map<String, Value>>>,
    /// Body fields that are set where the client gave none.
    pub default_params: Option<Redacted<Map<String, Value>>>,
    /// Paths of body fields to leave out: `key`, `a.b`, `tools[0]`, `messages[*].name`.
    pub drop_params: Option<Vec<String>>,
    /// Take provider and model from the request itself.
    pub passthrough: Option<bool>,
    /// Answer in exactly OpenAI's shape, without fields that OpenAI does not have.
    pub strict_open_ai_compliance: Option<bool>,
    /// Refuse a request that cannot be said without loss in the provider's dialect (Ostia's own field).
    pub lossless: Option<bool>,
    /// List the models of all integrations.
    pub fetch_integrated_models: Option<bool>,
    /// What runs before the call; `None` if none of its three fields was given.
    pub before: Option<Hooks>,
    /// What runs after the call; `None` if none of its three fields was given.
    pub after: Option<Hooks>,
    /// When to leave a failing target alone.
    pub breaker: Option<Breaker>,
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
    /// For [`Mode::Fallback`]: the statuses that move on to the next target. Not given: all but 2xx.
    pub on_status_codes: Option<Vec<u16>>,
    /// For [`Mode::Conditional`]: read in order, the first that is true decides.
    pub conditions: Vec<Condition>,
    /// For [`Mode::Conditional`]: the name of the target when no condition is true.
    pub default: Option<String>,
    /// For [`Mode::Loadbalance`]: keeping a caller with the target that it got first.
    pub sticky: Option<Sticky>,
    /// When to leave a failing target alone.
    pub breaker: Option<Breaker>,
}

/// The four rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Always the first target.
    #[default]
    Single,
    /// One target after the other until one answers well.
    Fallback,
    /// One target at random, by weight.
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

/// `{"attempts": 3, "on_status_codes": [429], "use_retry_after_header": true}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Calls after the first one: 0 to [`RETRY_ATTEMPTS_MAX`].
    pub attempts: u32,
    /// The statuses that are tried again.
    pub on_status_codes: Option<Vec<u16>>,
    /// Whether the provider's `retry-after` sets the wait.
    pub use_retry_after_header: bool,
}

/// `{"mode": "simple", "max_age": 600}`, or only `"simple"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// What counts as the same request.
    pub mode: CacheMode,
    /// How long an answer stays, in seconds; 1 to [`CACHE_MAX_AGE_S_MAX`].
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
    pub failure_status_codes: Option<Vec<u16>>,
    /// Requests before the percentage counts.
    pub minimum_requests: Option<u64>,
}

/// What runs on one side of a call. The entries are the JSON objects as they were written, with their shape checked
/// (or, for guardrails, the id of a saved one as a string).
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
