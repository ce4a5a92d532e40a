//! The file, section by section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::reader::{Item, Reader};
use crate::tree::Tree;
use crate::{
    AllowPrivate, Auth, Config, Egress, HostPattern, Limits, Responses, Timeouts, WORKERS_MAX, providers,
};

const FIELDS: [&str; 9] = [
    "listen",
    "auth",
    "default_provider",
    "providers",
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
            "default_provider" => config.default_provider = reader.text(item),
            "providers" => {
                let entries = reader.entries(item);
                let read =
                    |(id, item): &(&str, Item<'_>)| ((*id).to_owned(), providers::read(id, item, reader));
                config.providers = entries.iter().map(read).collect();
            }
            "egress" => config.egress = read_egress(item, reader),
            "timeouts" => config.timeouts = read_timeouts(item, reader),
            "limits" => config.limits = read_limits(item, reader),
            "responses" => config.responses = read_responses(item, reader),
            "workers" => config.workers = reader.integer(item, 1..=WORKERS_MAX),
            _ => {}
        }
    }
    warn_if_open(&config, &fields, reader);
    config
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
        auth.keys = items.iter().filter_map(|item| reader.secret(item)).collect();
    }
    auth
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
    for (name, field) in reader.fields(item, &["connect", "first_byte", "idle", "total"]) {
        let Some(time) = reader.duration(&field) else { continue };
        match name {
            "connect" => timeouts.connect = time,
            "first_byte" => timeouts.first_byte = time,
            "idle" => timeouts.idle = time,
            _ => timeouts.total = time,
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
