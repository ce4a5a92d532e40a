//! What the gateway says when it starts: where it is, which keys it has, and what is open.

use std::net::SocketAddr;

use ostia_config::AllowedOrigin;

use crate::config::load::Loaded;
use crate::config::settings::Settings;

/// Most keys that are named.
const KEYS_NAMED_MAX: usize = 8;

/// The banner.
pub fn text(address: SocketAddr, loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    let lines = [
        ("configuration", loaded.name.clone()),
        ("providers", format!("{} known; `ostia providers` lists them", settings.providers.len())),
        ("keys", keys(loaded)),
        ("open to", reach(address)),
        ("clients show", clients(settings)),
        ("web pages", pages(settings)),
        ("private hosts", private_hosts(settings)),
        ("docs", "docs/ in the repository, or `ostia --help`".to_owned()),
    ];
    let lines: String = lines.iter().map(|(name, text)| format!("  {name:13}  {text}\n")).collect();
    format!(
        "Ostia {} listens on http://{address}\n\n{lines}\nTry:\n\n{}\n",
        env!("CARGO_PKG_VERSION"),
        example(address, loaded)
    )
}

/// Which keys for providers there are, and from where.
fn keys(loaded: &Loaded) -> String {
    let origins = &loaded.key_origins;
    if origins.is_empty() {
        return "none yet (clients bring their own)".to_owned();
    }
    let named = origins.iter().take(KEYS_NAMED_MAX).map(|(id, origin)| format!("{id} ({origin})"));
    let rest = origins.len().saturating_sub(KEYS_NAMED_MAX);
    let rest = (rest > 0).then(|| format!("{rest} more"));
    named.chain(rest).collect::<Vec<_>>().join(", ")
}

fn reach(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() => "this machine only".to_owned(),
        ip if ip.is_unspecified() => format!("every machine that reaches port {}", address.port()),
        _ => format!("every machine that reaches {address}"),
    }
}

fn clients(settings: &Settings) -> String {
    match settings.gateway_keys.len() {
        0 => "no key of the gateway's: whoever can connect is let in".to_owned(),
        1 => "the one key of auth.keys".to_owned(),
        number => format!("one of the {number} keys of auth.keys"),
    }
}

/// Which web pages may call. With keys none of this is asked, and a page needs a key.
fn pages(settings: &Settings) -> String {
    let origins = settings.origins.iter().map(|origin| match origin {
        AllowedOrigin::Any => "all (*)",
        AllowedOrigin::This(origin) => origin,
    });
    let origins: Vec<&str> = origins.collect();
    match (origins.as_slice(), settings.gateway_keys.is_empty()) {
        ([], true) => "none but the gateway's own".to_owned(),
        ([], false) => "none can read its answers".to_owned(),
        (origins, _) => origins.join(", "),
    }
}

/// What a request may reach although its address is private.
fn private_hosts(settings: &Settings) -> String {
    let guard = &settings.guard;
    let own = settings.configured.values().any(|configured| configured.own_base_url);
    let mut parts = Vec::new();
    parts.extend(guard.loopback_allowed.then(|| "this machine's".to_owned()));
    parts.extend(own.then(|| "those of base_url in the file".to_owned()));
    parts.extend(guard.networks_allowed.iter().map(ToString::to_string));
    parts.extend(guard.hosts_allowed.iter().map(ToString::to_string));
    if parts.is_empty() { "none may be called".to_owned() } else { parts.join(", ") }
}

/// A call that works with this configuration, once the words in capitals are replaced.
fn example(address: SocketAddr, loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    let ready = settings
        .providers
        .iter()
        .find(|provider| provider.needs_key() && settings.keys.contains_key(&provider.id));
    let provider = ready.map_or("openai", |provider| provider.id.as_str());
    let offered = settings.configured.get(provider).and_then(|configured| configured.models.first());
    let model = match (offered, provider) {
        (Some(model), _) => model,
        (None, "openai") => "gpt-4o-mini",
        (None, _) => "MODEL",
    };
    let mut headers =
        vec!["content-type: application/json".to_owned(), format!("x-ostia-provider: {provider}")];
    headers.extend((!settings.gateway_keys.is_empty()).then(|| "x-ostia-api-key: GATEWAY-KEY".to_owned()));
    headers.extend(ready.is_none().then(|| "authorization: Bearer YOUR-OPENAI-KEY".to_owned()));
    let headers: String = headers.iter().map(|header| format!("    -H '{header}' \\\n")).collect();
    format!(
        "  curl http://{address}/v1/chat/completions \\\n{headers}    \
         -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n"
    )
}
