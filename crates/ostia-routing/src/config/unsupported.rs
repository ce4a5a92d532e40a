//! What a config may say and nobody does yet, so that it can be refused instead of being left out in silence.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Hooks, Mode, Node, PROBLEMS_MAX, Redacted};

/// Something that a config asks for and that is not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Where: `targets[0].cache`. In snake_case, whatever the text says.
    pub path: String,
    /// What, to be read after "does not support": "answers from a cache".
    pub what: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: this gateway does not support {} yet", self.path, self.what)
    }
}

/// Everything that a node and the nodes below it ask for and nobody does; at some hundred entries it is enough.
pub(crate) fn all(node: &Node, prefix: &str, found: &mut Vec<Unsupported>) {
    if found.len() >= PROBLEMS_MAX {
        return;
    }
    found.extend(of_node(node, prefix));
    for (index, target) in used(node).iter().enumerate() {
        all(target, &format!("{prefix}targets[{index}]."), found);
    }
}

/// The same of one node without those below it.
fn of_node(node: &Node, prefix: &str) -> Vec<Unsupported> {
    let asks = [
        ("cache", node.cache.is_some(), "answers from a cache"),
        ("before_request_hooks", asks_for(&node.before, |hooks| &hooks.hooks), "hooks"),
        ("input_guardrails", asks_for(&node.before, |hooks| &hooks.guardrails), "guardrails"),
        ("input_mutators", asks_for(&node.before, |hooks| &hooks.mutators), "mutators"),
        ("after_request_hooks", asks_for(&node.after, |hooks| &hooks.hooks), "hooks"),
        ("output_guardrails", asks_for(&node.after, |hooks| &hooks.guardrails), "guardrails"),
        ("output_mutators", asks_for(&node.after, |hooks| &hooks.mutators), "mutators"),
        ("virtual_key", node.virtual_key.is_some(), "stored keys"),
        ("prompt_id", node.prompt_id.is_some(), "stored prompts"),
        ("fetch_integrated_models", node.fetch_integrated_models == Some(true), "lists of all models"),
    ];
    let asked = asks.iter().filter(|(_, asked, _)| *asked);
    asked.map(|(field, _, what)| Unsupported { path: format!("{prefix}{field}"), what }).collect()
}

/// The targets that can be used at all: of mode single only the first.
fn used(node: &Node) -> &[Node] {
    match node.strategy.as_ref().map(|strategy| strategy.mode) {
        Some(Mode::Single) => node.targets.get(..1).unwrap_or_default(),
        Some(Mode::Fallback | Mode::Loadbalance | Mode::Conditional) | None => &node.targets,
    }
}

fn asks_for(hooks: &Option<Arc<Hooks>>, part: fn(&Hooks) -> &Vec<Redacted<Value>>) -> bool {
    hooks.as_ref().is_some_and(|hooks| !part(hooks).is_empty())
}
