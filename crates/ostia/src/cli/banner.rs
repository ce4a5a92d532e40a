//! What the gateway says when it starts: where it is, which keys it has, and what is open.

use std::net::SocketAddr;

use ostia_config::AllowedOrigin;

use crate::config::load::Loaded;
use crate::config::settings::Settings;
use crate::endpoints::page::FirstCall;
use crate::upstream::proxy::Proxies;

/// Most keys that are named.
const KEYS_NAMED_MAX: usize = 8;

/// The banner; `records`: what is said of those.
pub fn text(address: SocketAddr, loaded: &Loaded, records: &str) -> String {
    let settings = &loaded.settings;
    let mut lines = vec![
        ("configuration", loaded.name.clone()),
        ("connections", connections(loaded)),
        ("providers", format!("{} known; `ostia providers` lists them", settings.providers.len())),
        ("keys", keys(loaded)),
        ("open to", reach(address)),
        ("clients show", clients(settings)),
        ("web pages", pages(settings)),
        ("private hosts", private_hosts(settings)),
        ("records", records.to_owned()),
        ("docs", "docs/ in the repository, or `ostia --help`".to_owned()),
    ];
    if settings.console {
        lines.insert(1, ("console", format!("{}://{address}/console", scheme(loaded))));
    }
    if settings.catalog_file.is_some() {
        lines.insert(lines.len() - 1, ("catalogue", settings.catalog_told()));
    }
    if let Proxies::Public(proxies) = &settings.transports.general().proxies {
        lines.insert(lines.len() - 1, ("proxy", proxies.to_string()));
    }
    let lines: String = lines.iter().map(|(name, text)| format!("  {name:13}  {text}\n")).collect();
    format!(
        "{}\n\n{lines}\nTry:\n\n  {}\n\n",
        listens(address, loaded),
        FirstCall::of(settings, true).command(&format!("{}://{address}", scheme(loaded)))
    )
}

/// Its first line.
pub fn listens(address: SocketAddr, loaded: &Loaded) -> String {
    format!("Ostia {} listens on {}://{address}", env!("CARGO_PKG_VERSION"), scheme(loaded))
}

fn scheme(loaded: &Loaded) -> &'static str {
    if loaded.tls.is_some() { "https" } else { "http" }
}

/// How clients connect.
fn connections(loaded: &Loaded) -> String {
    let Some(tls) = &loaded.tls else { return "plain HTTP/1.1 and HTTP/2, without TLS".to_owned() };
    let shown = tls.client_ca.as_ref();
    let shown = shown.map(|path| format!("; clients show a certificate of {}", path.display()));
    format!("HTTPS with the certificate in {}{}", tls.cert.display(), shown.unwrap_or_default())
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
