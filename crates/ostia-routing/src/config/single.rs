//! Configs that leave nothing to decide: a leaf, or strategies with one possible target, down to a leaf.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Breaker, Cache, Config, Hooks, Mode, Node, ProviderOptions, Redacted, Retry};

/// The one target of a config, with everything that applies to it.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Which one: `config`, `config.targets[0]`, `config.targets[0].targets[0]`.
    pub index_path: String,
    /// Its name.
    pub name: Option<&'a str>,
    /// Whom to call; `None` where the request says it elsewhere.
    pub provider: Option<&'a str>,
    /// The client's own credential for the provider. Not inherited.
    pub api_key: Option<&'a SecretString>,
    /// What only some provider needs. Not inherited.
    pub options: &'a ProviderOptions,
    /// Take provider and model from the request itself. Not inherited.
    pub passthrough: bool,
    /// What outer levels may have set.
    pub settings: Settings<'a>,
}

/// What an outer level sets for all below it, until an inner level sets its own.
#[derive(Debug, Clone, Default)]
pub struct Settings<'a> {
    /// Body fields that are always set. Merged level by level, key by key; the inner level wins.
    pub override_params: Redacted<Map<String, Value>>,
    /// Body fields that are set where the client gave none. Merged in the same way.
    pub default_params: Redacted<Map<String, Value>>,
    /// Paths of body fields to leave out.
    pub drop_params: &'a [String],
    /// Trying again; the object of the innermost level that has one.
    pub retry: Option<&'a Retry>,
    /// Answering from a cache; the object of the innermost level that has one.
    pub cache: Option<&'a Cache>,
    /// Bound on one request, in milliseconds.
    pub request_timeout_ms: Option<u64>,
    /// Base URL to call in place of the provider's own.
    pub custom_host: Option<&'a str>,
    /// Names of client headers to pass on, in lower case.
    pub forward_headers: &'a [String],
    /// Answer in exactly OpenAI's shape.
    pub strict_open_ai_compliance: Option<bool>,
    /// Refuse what cannot be said without loss.
    pub lossless: Option<bool>,
    /// What runs before the call. A level's hooks, guardrails and mutators replace the outer level's together.
    pub before: Option<&'a Hooks>,
    /// What runs after the call, in the same way.
    pub after: Option<&'a Hooks>,
    /// When to leave a failing target alone.
    pub breaker: Option<&'a Breaker>,
}

impl<'a> Settings<'a> {
    /// These settings as they apply inside `node`.
    pub fn within(self, node: &'a Node) -> Settings<'a> {
        let own_breaker = node.strategy.as_ref().and_then(|strategy| strategy.breaker.as_ref());
        Settings {
            override_params: merged(self.override_params, node.override_params.as_ref()),
            default_params: merged(self.default_params, node.default_params.as_ref()),
            drop_params: node.drop_params.as_deref().unwrap_or(self.drop_params),
            retry: node.retry.as_ref().or(self.retry),
            cache: node.cache.as_ref().or(self.cache),
            request_timeout_ms: node.request_timeout_ms.or(self.request_timeout_ms),
            custom_host: node.custom_host.as_deref().or(self.custom_host),
            forward_headers: node.forward_headers.as_deref().unwrap_or(self.forward_headers),
            strict_open_ai_compliance: node.strict_open_ai_compliance.or(self.strict_open_ai_compliance),
            lossless: node.lossless.or(self.lossless),
            before: node.before.as_ref().or(self.before),
            after: node.after.as_ref().or(self.after),
            breaker: own_breaker.or(node.breaker.as_ref()).or(self.breaker),
        }
    }
}

fn merged(
    mut outer: Redacted<Map<String, Value>>,
    inner: Option<&Redacted<Map<String, Value>>>,
) -> Redacted<Map<String, Value>> {
    let inner = inner.iter().flat_map(|inner| inner.0.iter());
    outer.0.extend(inner.map(|(key, value)| (key.clone(), value.clone())));
    outer
}

/// Something that a config asks for and that [`Config::single`] cannot give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Where: `strategy.mode`, `targets[0].cache`. In snake_case, whatever the text says.
    pub path: String,
    /// What, to be read after "does not support": "answers from a cache".
    pub what: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: this gateway does not support {} yet", self.path, self.what)
    }
}

impl Config {
    /// The one target of a config that needs no decisions, with all that applies to it.
    ///
    /// Errors: everything that the config asks for beyond one call to one provider, on all levels, so that none of
    /// it is left out in silence: a choice between targets, retries, a cache, hooks and guardrails, a circuit breaker,
    /// stored keys and prompts. Settings that ask for nothing (`"attempts": 0`, empty lists of hooks) are fine. Of a
    /// strategy in mode single only the first target is looked at, because only that one is ever used.
    pub fn single(&self) -> Result<Target<'_>, Vec<Unsupported>> {
        let mut unsupported = Vec::new();
        collect(&self.root, "", &mut unsupported);
        if !unsupported.is_empty() {
            return Err(unsupported);
        }
        let mut index_path = "config".to_owned();
        let mut settings = Settings::default().within(&self.root);
        let mut leaf = &self.root;
        while let Some(target) = leaf.targets.first() {
            index_path.push_str(".targets[0]");
            settings = settings.within(target);
            leaf = target;
        }
        Ok(Target {
            index_path,
            name: leaf.name.as_deref(),
            provider: leaf.provider.as_deref(),
            api_key: leaf.api_key.as_ref(),
            options: &leaf.options,
            passthrough: leaf.passthrough.unwrap_or_default(),
            settings,
        })
    }
}

/// Everything that a node and the nodes below it ask for beyond a call.
fn collect(node: &Node, prefix: &str, found: &mut Vec<Unsupported>) {
    let used = match node.strategy.as_ref().map(|strategy| strategy.mode) {
        Some(Mode::Single) => node.targets.get(..1).unwrap_or_default(),
        _ => &node.targets,
    };
    let breaks = node.strategy.as_ref().is_some_and(|strategy| strategy.breaker.is_some());
    let asks = [
        ("strategy.mode", used.len() > 1, "choosing between several targets"),
        ("strategy.cb_config", breaks, "circuit breakers"),
        ("retry", node.retry.as_ref().is_some_and(|retry| retry.attempts > 0), "trying again"),
        ("cache", node.cache.is_some(), "answers from a cache"),
        ("before_request_hooks", asks_for(&node.before, |hooks| &hooks.hooks), "hooks"),
        ("input_guardrails", asks_for(&node.before, |hooks| &hooks.guardrails), "guardrails"),
        ("input_mutators", asks_for(&node.before, |hooks| &hooks.mutators), "mutators"),
        ("after_request_hooks", asks_for(&node.after, |hooks| &hooks.hooks), "hooks"),
        ("output_guardrails", asks_for(&node.after, |hooks| &hooks.guardrails), "guardrails"),
        ("output_mutators", asks_for(&node.after, |hooks| &hooks.mutators), "mutators"),
        ("cb_config", node.breaker.is_some(), "circuit breakers"),
        ("virtual_key", node.virtual_key.is_some(), "stored keys"),
        ("prompt_id", node.prompt_id.is_some(), "stored prompts"),
        ("fetch_integrated_models", node.fetch_integrated_models == Some(true), "lists of all models"),
    ];
    for (field, _, what) in asks.into_iter().filter(|(_, asked, _)| *asked) {
        found.push(Unsupported { path: format!("{prefix}{field}"), what });
    }
    for (index, target) in used.iter().enumerate() {
        collect(target, &format!("{prefix}targets[{index}]."), found);
    }
}

fn asks_for(hooks: &Option<Hooks>, part: fn(&Hooks) -> &Vec<Redacted<Value>>) -> bool {
    hooks.as_ref().is_some_and(|hooks| !part(hooks).is_empty())
}
