//! The file, section by section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::reader::{Item, Reader};
use crate::tree::Tree;
use crate::{
    AllowPrivate, AllowedOrigin, Auth, Config, Cors, Egress, GatewayKey, HostPattern, Limits, Responses,
    Timeouts, WORKERS_MAX, providers, routes,
};

const FIELDS: [&str; 16] = [
    "listen",
    "auth",
    "hosts",
    "cors",
    "default_provider",
    "strict_model_names",
    "providers",
    "configs",
    "config",
    "aliases",
    "prices",
    "egress",
    "timeouts",
    "limits",
    "responses",
    "workers",
];

/// Reads the whole file. What is wrong is noted in the reader, and its default stands in its place.
pub(crate) fn read(tree: &Tree, reader: &mut Reader<'_>) -> Config {
    let mut config = Config::default();
    let root = Item::root(tree);
    let fields = reader.fields(&root, &FIELDS);
    for (name, item) in &fields {
        match *name {
            "listen" => config.listen = read_listen(item, reader).unwrap_or(config.listen),
            "auth" => config.auth = read_auth(item, reader),
            "hosts" => config.hosts = read_each(item, reader, HostPattern::parse),
            "cors" => config.cors = read_cors(item, reader),
            "default_provider" => config.default_provider = reader.text(item),
            "strict_model_names" => config.strict_model_names = reader.flag(item).unwrap_or(false),
            "providers" => {
                let entries = reader.entries(item);
                let read =
                    |(id, item): &(&str, Item<'_>)| ((*id).to_owned(), providers::read(id, item, reader));
                config.providers = entries.iter().map(read).collect();
            }
            "configs" => config.routes.configs = routes::read_configs(item, reader),
            "config" => config.routes.default = reader.text(item),
            "aliases" => config.routes.aliases = routes::read_configs(item, reader),
            "prices" => config.routes.prices = routes::read_prices(item, reader),
            "egress" => config.egress = read_egress(item, reader),
            "timeouts" => config.timeouts = read_timeouts(item, reader),
            "limits" => config.limits = read_limits(item, reader),
            "responses" => config.responses = read_responses(item, reader),
            "workers" => config.workers = reader.integer(item, 1..=WORKERS_MAX),
            _ => {}
        }
    }
    warn_if_open(&config, &fields, reader);
    check_names(&config, &fields, reader);
    config
}

/// Whatever names a config must name one that there is.
fn check_names(config: &Config, fields: &[(&str, Item<'_>)], reader: &mut Reader<'_>) {
    let at = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, item)| item);
    if let (Some(name), Some(item)) = (&config.routes.default, at("config")) {
        routes::check_name(name, item, &config.routes, reader);
    }
    let named = config.auth.keys.iter().filter_map(|key| key.config.as_ref());
    if let Some(item) = at("auth") {
        named.for_each(|name| routes::check_name(name, item, &config.routes, reader));
    }
}

fn warn_if_open(config: &Config, fields: &[(&str, Item<'_>)], reader: &mut Reader<'_>) {
    let listen = fields.iter().find(|(name, _)| *name == "listen");
    let open = config.auth.keys.is_empty() && !config.listen.ip().is_loopback();
    if let Some((_, item)) = listen.filter(|_| open) {
        let message =
            "is reachable from other machines, and without `auth.keys` anyone may use your providers' keys";
        reader.warning(item, message, "add auth: { keys: [\"${OSTIA_KEY}\"] }");
    }
}

fn read_listen(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let text = reader.text(item)?;
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let address =
        local.map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).or(text.parse().ok());
    if address.is_none() {
        let hint = "write 127.0.0.1:8787 for this machine only, 0.0.0.0:8787 for all".to_owned();
        reader.problem(item, "must be an IP address and a port", Some(hint));
    }
    address
}

fn read_auth(item: &Item<'_>, reader: &mut Reader<'_>) -> Auth {
    let mut auth = Auth::default();
    for (_, keys) in reader.fields(item, &["keys"]) {
        let items = reader.items(&keys);
        auth.keys = items.iter().filter_map(|item| read_key(item, reader)).collect();
    }
    auth
}

/// A credential, or `{key: credential, name: word, config: name}`. A map without `key` may be a credential that YAML took for one, so
/// nothing of it is repeated.
fn read_key(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<GatewayKey> {
    if !item.is_map() {
        return reader.secret(item).map(|secret| GatewayKey { secret, name: None, config: None });
    }
    if !item.has("key") {
        reader.problem(item, "has no `key`", Some("write {key: \"${OSTIA_KEY}\", config: name}".to_owned()));
        return None;
    }
    let (mut secret, mut name, mut config) = (None, None, None);
    for (field, item) in reader.fields(item, &["key", "name", "config"]) {
        match field {
            "key" => secret = reader.secret(&item),
            "name" => name = reader.text(&item),
            _ => config = reader.text(&item),
        }
    }
    secret.map(|secret| GatewayKey { secret, name, config })
}

fn read_cors(item: &Item<'_>, reader: &mut Reader<'_>) -> Cors {
    let mut cors = Cors::default();
    for (_, origins) in reader.fields(item, &["origins"]) {
        cors.origins = read_each(&origins, reader, AllowedOrigin::parse);
        if cors.origins.contains(&AllowedOrigin::Any) {
            let message = "lets the pages of everybody call the gateway from any browser that reaches it";
            reader.warning(&origins, message, "list the origins of your own pages");
        }
    }
    cors
}

fn read_egress(item: &Item<'_>, reader: &mut Reader<'_>) -> Egress {
    let mut egress = Egress::default();
    for (name, field) in reader.fields(item, &["allow_private", "allow_hosts"]) {
        match name {
            "allow_private" => egress.allow_private = read_each(&field, reader, AllowPrivate::parse),
            _ => egress.allow_hosts = read_each(&field, reader, HostPattern::parse),
        }
    }
    egress
}

/// A list of texts that each mean something.
fn read_each<T>(
    item: &Item<'_>,
    reader: &mut Reader<'_>,
    parse: fn(&str) -> Result<T, &'static str>,
) -> Vec<T> {
    let mut list = Vec::new();
    for item in reader.items(item) {
        let Some(text) = reader.text(&item) else { continue };
        match parse(&text) {
            Ok(entry) => list.push(entry),
            Err(fault) => reader.problem(&item, fault, None),
        }
    }
    list
}

fn read_timeouts(item: &Item<'_>, reader: &mut Reader<'_>) -> Timeouts {
    let mut timeouts = Timeouts::default();
    for (name, field) in
        reader.fields(item, &["connect", "first_byte", "idle", "keep_alive", "total", "drain"])
    {
        if name == "keep_alive" {
            timeouts.keep_alive = reader.duration_or_off(&field).unwrap_or(timeouts.keep_alive);
            continue;
        }
        let Some(time) = reader.duration(&field) else { continue };
        match name {
            "connect" => timeouts.connect = time,
            "first_byte" => timeouts.first_byte = time,
            "idle" => timeouts.idle = time,
            "total" => timeouts.total = time,
            _ => timeouts.drain = time,
        }
    }
    if timeouts.total < timeouts.first_byte {
        reader.warning(item, "has a `total` that ends before `first_byte` does", "make `total` the longest");
    }
    timeouts
}

fn read_responses(item: &Item<'_>, reader: &mut Reader<'_>) -> Responses {
    let mut responses = Responses::default();
    for (name, field) in reader.fields(item, &["keep", "bytes"]) {
        match name {
            "keep" => responses.keep = reader.duration(&field).unwrap_or(responses.keep),
            _ => responses.bytes = reader.bytes(&field, 1 << 10..=64 << 30).unwrap_or(responses.bytes),
        }
    }
    responses
}

fn read_limits(item: &Item<'_>, reader: &mut Reader<'_>) -> Limits {
    let mut limits = Limits::default();
    for (name, field) in reader.fields(item, &["body_bytes", "header_bytes", "connections"]) {
        match name {
            "body_bytes" => {
                limits.body_bytes = reader.bytes(&field, 1 << 10..=4 << 30).unwrap_or(limits.body_bytes);
            }
            "header_bytes" => {
                limits.header_bytes = reader.bytes(&field, 1 << 10..=1 << 20).unwrap_or(limits.header_bytes);
            }
            _ => limits.connections = reader.integer(&field, 1..=1_000_000).unwrap_or(limits.connections),
        }
    }
    limits
}
