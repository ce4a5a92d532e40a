//! `GET /v1/gateway/providers`: who can be asked, whether there is a key, and how it went of late.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ostia_dialect::{Api, Fault};
use ostia_providers::Provider;
use ostia_store::{Filter, Group, Grouping, Sums};
use serde_json::{Value, json};

use super::super::logs::{self, parameters};
use crate::clock::now;
use crate::config::settings::Settings;
use crate::core::Core;

/// What counts as of late where nobody says, in milliseconds.
const RECENT_MS: i64 = 3_600_000;

/// Providers that are configured, have a key, or were asked of late, by their ids; and the circuit breakers of the operator's
/// configs.
///
/// # Errors
/// 400 for a parameter other than `since`.
pub(super) async fn told(core: &Rc<Core>, query: &str) -> Result<Value, Fault> {
    let time_ms = parameters::since(query)?.unwrap_or(RECENT_MS);
    let recent = recent(core, time_ms).await;
    let settings = &core.settings;
    let asked = recent.iter().flat_map(|recent| recent.keys().map(String::as_str));
    let known = settings.configured.keys().chain(settings.keys.keys()).map(String::as_str);
    let ids: BTreeSet<&str> = known.chain(asked).collect();
    let providers = ids.into_iter().filter_map(|id| settings.providers.get(id));
    let data = providers.map(|provider| {
        let sums = recent.as_ref().map(|recent| recent.get(&provider.id).cloned().unwrap_or_default());
        told_provider(settings, provider, sums.as_ref())
    });
    Ok(json!({
        "object": "list",
        "since_ms": time_ms,
        "data": data.collect::<Vec<_>>(),
        "breakers": breakers(settings),
        "default_provider": settings.default_provider,
    }))
}

fn told_provider(settings: &Settings, provider: &Provider, sums: Option<&Sums>) -> Value {
    let configured = settings.configured.get(&provider.id);
    json!({
        "id": provider.id,
        "name": provider.name,
        "host": provider.base_url.as_deref().map(host),
        "apis": provider.apis.iter().map(|api: &Api| api.name()).collect::<Vec<_>>(),
        "docs": provider.docs,
        "retired": provider.retired,
        "configured": configured.is_some(),
        "models": configured.map_or(0, |configured| configured.models.len()),
        "key": key(settings, provider),
        "recent": sums.map(told_sums),
    })
}

/// Where the key comes from, or what is looked for.
fn key(settings: &Settings, provider: &Provider) -> Value {
    if let Some(keys) = settings.keys.get(&provider.id) {
        return json!({"state": "present", "from": settings.file.keys.get(&provider.id), "count": keys.len()});
    }
    let signs_in = settings.credentials.get(&provider.id).is_some_and(|credentials| !credentials.is_empty());
    if signs_in {
        return json!({"state": "present", "from": settings.file.keys.get(&provider.id), "count": 1});
    }
    match provider.needs_key() {
        true => json!({"state": "missing", "variables": provider.key_env, "read": settings.loopback}),
        false => json!({"state": "not_needed"}),
    }
}

/// What stands between scheme and path.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn told_sums(sums: &Sums) -> Value {
    let percentile = |percent| sums.durations.percentile_ms(percent);
    json!({
        "requests": sums.requests,
        "failed": sums.failed,
        "attempts": sums.attempts,
        "failed_attempts": sums.failed_attempts,
        "latency_ms": {"p50": percentile(50), "p90": percentile(90), "p99": percentile(99)},
    })
}

/// What the last requests came to, by provider; `None` where nothing is kept, or it cannot be read: everything else is told all the
/// same.
async fn recent(core: &Core, time_ms: i64) -> Option<BTreeMap<String, Sums>> {
    let readers = core.readers.as_ref()?;
    let now_ms = logs::now_ms();
    let filter = Filter { from_ms: Some(now_ms.saturating_sub(time_ms)), ..Filter::default() };
    let asked = logs::ask(readers, move |reader| reader.sums(&filter, Grouping::Provider, now_ms)).await;
    let (_, groups) = asked.ok()?;
    Some(groups.into_iter().map(|Group { name, sums }| (name, sums)).collect())
}

/// The breakers of the operator's configs and aliases, as they stand. What a client's own config has, is not told.
fn breakers(settings: &Settings) -> Vec<Value> {
    let named = settings.named.configs.iter().chain(&settings.named.aliases);
    let told = named.flat_map(|(name, route)| {
        let targets = route.targets(now()).into_iter();
        targets.filter(|target| target.breaker.is_some()).map(move |target| {
            json!({"config": name, "target": target.target, "provider": target.provider, "breaker": target.breaker})
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts() {
        let check = |url: &str, expected: &str| assert_eq!(host(url), expected, "{url}");
        check("https://api.openai.com/v1", "api.openai.com");
        check("http://user:secret@10.0.0.1:80/x", "10.0.0.1:80");
        check("https://{region}.example.com", "{region}.example.com");
    }
}
