//! How much memory the parts of a route take: about as much as they really do, in bytes, and never much less.
//!
//! What is shared counts where it is set, once.

use std::mem::size_of;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::config::{Breaker, Hooks, Node, Params, ProviderOptions, Retry, Statuses, Strategy};

/// What an allocation takes beside what was asked for.
const ALLOCATION: usize = 16;
/// What an entry of an object takes beside its key and its value: its hash, and its place in the table.
const ENTRY: usize = 24;

/// What a node sets itself, beyond its own fields. What stands below it is not counted.
pub(super) fn of_node(node: &Node) -> usize {
    let Node { name, id, provider, virtual_key, prompt_id, .. } = node;
    let texts = [name, id, provider, virtual_key, prompt_id].into_iter().flatten().map(|text| of_text(text));
    let key = node.api_key.as_ref().map_or(0, |key| of_text(key.expose_secret()));
    let lists = [&node.forward_headers, &node.drop_params].into_iter().flatten();
    let lists = lists.flat_map(|list| list.iter()).map(|text| size_of::<String>() + of_text(text));
    let hooks = [&node.before, &node.after].into_iter().flatten().map(|hooks| of_hooks(hooks));
    texts.sum::<usize>()
        + key
        + node.custom_host.as_deref().map_or(0, of_text)
        + lists.sum::<usize>()
        + of_params(&node.override_params)
        + of_params(&node.default_params)
        + hooks.sum::<usize>()
        + of_options(&node.options)
        + of_rules(node)
}

/// What a strategy takes: its lists, and a few words for each of its members.
pub(super) fn of_strategy(strategy: &Strategy, members: usize) -> usize {
    /// A child, a weight, an identity.
    const MEMBER: usize = 40;
    let lists = strategy.stop_on.as_ref().map_or(0, Vec::len) + of_list(&strategy.on_status_codes);
    let sticky = strategy.sticky.iter().flat_map(|sticky| &sticky.hash_fields);
    ALLOCATION + members * MEMBER + lists + sticky.map(|name| 2 * of_text(name) + ENTRY).sum::<usize>()
}

/// Body fields.
pub(super) fn of_params(params: &Params) -> usize {
    params.as_ref().map_or(0, |params| of_map(params))
}

/// A text on the heap.
pub(super) fn of_text(text: &str) -> usize {
    ALLOCATION + text.len()
}

/// A value, with what it owns.
pub(super) fn of_value(value: &Value) -> usize {
    let owned = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => of_text(text),
        Value::Array(items) => ALLOCATION + items.iter().map(of_value).sum::<usize>(),
        Value::Object(map) => of_map(map),
    };
    size_of::<Value>() + owned
}

fn of_map(map: &Map<String, Value>) -> usize {
    let entries = map.iter().map(|(key, value)| ENTRY + size_of::<String>() + of_text(key) + of_value(value));
    2 * ALLOCATION + entries.sum::<usize>()
}

fn of_hooks(hooks: &Hooks) -> usize {
    let all = hooks.hooks.iter().chain(&hooks.guardrails).chain(&hooks.mutators);
    size_of::<Hooks>() + all.map(|hook| of_value(hook)).sum::<usize>()
}

fn of_options(options: &ProviderOptions) -> usize {
    options.names().filter_map(|name| options.value(name)).map(|value| ENTRY + of_value(value)).sum()
}

fn of_rules(node: &Node) -> usize {
    let retry = node.retry.as_ref().map_or(0, |retry| size_of::<Retry>() + of_list(&retry.on_status_codes));
    let breakers =
        [node.breaker.as_ref(), node.strategy.as_ref().and_then(|strategy| strategy.breaker.as_ref())];
    let breakers = breakers.into_iter().flatten();
    let breakers = breakers.map(|breaker| size_of::<Breaker>() + of_list(&breaker.failure_status_codes));
    retry + breakers.sum::<usize>() + of_list(&node.on_status_codes)
}

fn of_list(statuses: &Statuses) -> usize {
    statuses.as_ref().map_or(0, |list| 2 * ALLOCATION + list.len() * size_of::<u16>())
}
