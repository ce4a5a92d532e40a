//! What outer levels set for all below them, until an inner level sets its own.

use std::sync::Arc;

use crate::config::{Node, Params, Redacted};

/// The fields of a node as they apply there: its own, and those of `outer` that it does not set itself and
/// that are inherited. Names, weights, credentials, provider options and `prefill` are each node's own.
/// Strategy and targets are left out.
///
/// What is inherited is shared, not copied. Body fields are merged key by key, and the inner level wins. A level's hooks, guardrails and mutators of
/// one side replace the outer level's together.
pub(super) fn settings(node: &Node, outer: &Node) -> Node {
    let own_breaker = node.strategy.as_ref().and_then(|strategy| strategy.breaker.as_ref());
    Node {
        strategy: None,
        targets: Vec::new(),
        name: node.name.clone(),
        id: node.id.clone(),
        provider: node.provider.clone(),
        api_key: node.api_key.clone(),
        virtual_key: node.virtual_key.clone(),
        weight: node.weight,
        on_status_codes: node.on_status_codes.clone(),
        passthrough: node.passthrough,
        prefill: node.prefill,
        prompt_id: node.prompt_id.clone(),
        fetch_integrated_models: node.fetch_integrated_models,
        options: node.options.clone(),
        // One for the whole route, which keeps it.
        deadline_ms: None,
        // From here on: inherited.
        retry: inner(&node.retry, &outer.retry),
        cache: inner(&node.cache, &outer.cache),
        request_timeout_ms: node.request_timeout_ms.or(outer.request_timeout_ms),
        first_token_timeout_ms: node.first_token_timeout_ms.or(outer.first_token_timeout_ms),
        idle_timeout_ms: node.idle_timeout_ms.or(outer.idle_timeout_ms),
        mid_stream: node.mid_stream.or(outer.mid_stream),
        hedge: node.hedge.or(outer.hedge),
        custom_host: inner(&node.custom_host, &outer.custom_host),
        forward_headers: inner(&node.forward_headers, &outer.forward_headers),
        override_params: merged(&node.override_params, &outer.override_params),
        default_params: merged(&node.default_params, &outer.default_params),
        drop_params: inner(&node.drop_params, &outer.drop_params),
        strict_open_ai_compliance: node.strict_open_ai_compliance.or(outer.strict_open_ai_compliance),
        lossless: node.lossless.or(outer.lossless),
        before: inner(&node.before, &outer.before),
        after: inner(&node.after, &outer.after),
        breaker: own_breaker.or(node.breaker.as_ref()).or(outer.breaker.as_ref()).cloned(),
    }
}

fn inner<T: Clone>(inner: &Option<T>, outer: &Option<T>) -> Option<T> {
    inner.as_ref().or(outer.as_ref()).cloned()
}

/// What is merged is a copy; where only one level sets something, it is shared.
fn merged(inner: &Params, outer: &Params) -> Params {
    match (inner, outer) {
        (Some(inner), Some(outer)) => {
            let mut all = outer.0.clone();
            all.extend(inner.0.iter().map(|(key, value)| (key.clone(), value.clone())));
            Some(Arc::new(Redacted(all)))
        }
        (inner, outer) => inner.as_ref().or(outer.as_ref()).cloned(),
    }
}
