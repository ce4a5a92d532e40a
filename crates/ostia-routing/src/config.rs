//! The routing config: what a client sends in its config header, parsed whole.
//!
//! The schema is Portkey's (<https://portkey.ai/docs/api-reference/inference-api/config-object>), in both key
//! spellings (`custom_host` and `customHost`, also mixed), at any nesting. A config is checked when it
//! arrives: every problem is reported at once with its path, and a field that nobody reads is named in a
//! warning. What belongs to the model's API or to somebody's query (`override_params`, `params`, `query`,
//! ...) is kept as it came.
//!
//! A config is one [`Node`]: either a leaf, which is one call to one provider, or a [`Strategy`] over
//! `targets`, each a node again. Deciding between targets is not done here: a [`Route`](crate::Route) is made
//! of a config, and a [`Plan`](crate::Plan) walks it.

mod complete;
mod fields;
mod hooks;
mod json;
mod node;
mod options;
mod query;
mod read;
mod report;
mod schema;
mod settings;
mod strategy;
#[cfg(test)]
mod tests;
pub(crate) mod unsupported;

use serde_json::Value;

pub use crate::problem::{PROBLEMS_MAX, Problem};
pub use options::ProviderOptions;
pub use schema::{
    Balance, Breaker, Cache, CacheMode, Condition, Hedge, Hooks, MidStreamPolicy, Mode, Node, Params,
    Redacted, Retry, Statuses, Sticky, Strategy,
};
pub use unsupported::Unsupported;

use report::{Path, Report};

use crate::hash;

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
/// Longest that a target is waited for between attempts where its config does not say, in milliseconds; the
/// contract's.
pub const RETRY_WAIT_MS: u64 = 60_000;
/// Retries as share of a target's requests where its config does not say, in percent.
pub const RETRY_BUDGET_PERCENT: f64 = 20.0;
/// Hedges as share of a target's requests where its config does not say, in percent.
pub const HEDGE_BUDGET_PERCENT: f64 = 5.0;
/// Most entries of any other list (status codes, headers, hooks, checks, paths).
pub const LIST_MAX: usize = 500;
/// Longest time that a config can give a request, in milliseconds: one day.
pub const REQUEST_TIMEOUT_MS_MAX: u64 = 86_400_000;
/// Longest life of a cached answer, in seconds: 300 days and three hours, the longest that Portkey takes.
pub const CACHE_MAX_AGE_S_MAX: u64 = 25_923_000;

/// Parses a config from JSON text.
///
/// Errors: all problems, each level after what stands in it. Unknown fields are among them then, because a
/// misspelt field is often the reason why another is missed.
pub fn parse(text: &str) -> Result<Parsed, Vec<Problem>> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![Problem::root(format!("the config is longer than {TEXT_BYTES_MAX} bytes"), None)]);
    }
    let mut report = Report::default();
    match json::parse(text, &mut report) {
        Ok(value) => checked(&value, report),
        Err(fault) => Err(vec![Problem::root(format!("is not valid JSON: {fault}"), None)]),
    }
}

/// The fields that each object of a config may have, by the object's own name; `config` for a level of the config itself. What a
/// schema says of configs is compared with it.
pub fn known_fields() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("config", node::FIELDS.into_iter().chain(options::names()).collect()),
        ("strategy", strategy::STRATEGY_FIELDS.to_vec()),
        ("conditions", strategy::CONDITION_FIELDS.to_vec()),
        ("sticky", strategy::STICKY_FIELDS.to_vec()),
        ("retry", settings::RETRY_FIELDS.to_vec()),
        ("hedge", settings::HEDGE_FIELDS.to_vec()),
        ("cache", settings::CACHE_FIELDS.to_vec()),
        ("cb_config", settings::BREAKER_FIELDS.to_vec()),
    ]
}

/// Parses a config that was read from elsewhere (YAML). The same rules and errors as [`parse`].
pub fn from_value(value: &Value) -> Result<Parsed, Vec<Problem>> {
    checked(value, Report::default())
}

/// What a config asks for and nobody does yet, also of one that has problems: so that all is told at once.
pub fn unsupported_in(value: &Value) -> Vec<Unsupported> {
    let mut found = Vec::new();
    if read::depth_within(value, VALUE_DEPTH_MAX) {
        let root = node::read(&Path::Root, value, 0, &mut Report::default());
        unsupported::all(&root, "", &mut found);
    }
    found
}

fn checked(value: &Value, mut report: Report) -> Result<Parsed, Vec<Problem>> {
    if !read::depth_within(value, VALUE_DEPTH_MAX) {
        return Err(vec![Problem::root(format!("is nested deeper than {VALUE_DEPTH_MAX} levels"), None)]);
    }
    let root = node::read(&Path::Root, value, 0, &mut report);
    report
        .finish()
        .map(|warnings| Parsed { config: Config { root, content: hash::of_value(value) }, warnings })
}

/// A config that is right, and what its author should hear about it all the same.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The config.
    pub config: Config,
    /// Unknown fields, and fields that have no effect where they stand.
    pub warnings: Vec<Problem>,
}

/// A routing config.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The outermost node.
    pub root: Node,
    /// A hash of what it was parsed from; the same on every machine. Shared state is kept under it.
    pub content: u64,
}
