//! The file, section by section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::reader::{Item, Reader};
use crate::tree::Tree;
use crate::{
    AllowPrivate, AllowedOrigin, Auth, Code, Config, Cors, Egress, GatewayKey, HostPattern, Limits, Media,
    Responses, Timeouts, Transport, WebSockets, batches, foreign, models, providers, records, routes,
    telemetry, tls,
};

/// Reads the whole file. What is wrong is noted in the reader, and its default stands in its place.
pub(crate) fn read(tree: &Tree, reader: &mut Reader<'_>) -> Config {
    let mut config = Config::default();
    let root = Item::root(tree);
    if let Some(problem) = foreign::recognise(&root) {
        reader.problem_at(problem.place, problem.code, problem.message, problem.hint);
        return config;
    }
    let fields = reader.fields(&root);
    for (name, item) in &fields {
        match *name {
            "listen" => config.listen = read_listen(item, reader).unwrap_or(config.listen),
            "tls" => config.tls = tls::read(item, reader),
            "auth" => config.auth = read_auth(item, reader),
            "hosts" => config.hosts = read_each(item, reader, HostPattern::parse),
            "cors" => config.cors = read_cors(item, reader),
            "default_provider" => config.default_provider = reader.text(item),
            "strict_model_names" => config.strict_model_names = reader.flag(item).unwrap_or(false),
            "providers" => {
                let read = providers::read(item, reader);
                (config.providers, config.all_providers) = (read.entries, read.all);
            }
            "configs" => config.routes.configs = routes::read_configs(item, reader),
            "config" => config.routes.default = reader.text(item),
            "aliases" => config.routes.aliases = routes::read_configs(item, reader),
            "prices" => config.routes.prices = routes::read_prices(item, reader),
            "catalog" => config.catalog = reader.text(item).map(PathBuf::from),
            "models" => config.models = models::read(item, reader),
            "model_checks" => config.model_checks = reader.flag(item).unwrap_or(true),
            "console" => config.console = reader.flag(item).unwrap_or(true),
            "egress" => config.egress = read_egress(item, reader),
            "upstream" => config.upstream = read_upstream(item, reader),
            "timeouts" => config.timeouts = read_timeouts(item, reader),
            "limits" => config.limits = read_limits(item, reader),
            "websockets" => config.websockets = read_websockets(item, reader),
            "media" => config.media = read_media(item, reader),
            "responses" => config.responses = read_responses(item, reader),
            "records" => config.records = records::read(item, reader),
            "telemetry" => config.telemetry = telemetry::read(item, reader),
            "batches" => config.batches = batches::read(item, reader),
            "workers" => config.workers = reader.integer(item),
            _ => {}
        }
    }
    warn_if_open(&config, &fields, reader);
    check_names(&config, &fields, reader);
    for model in &mut config.models {
        // The catalogue knows providers by their ids only.
        let of_base = model.base.as_mut().map(|(provider, _)| provider);
        for name in [Some(&mut model.provider), of_base].into_iter().flatten() {
            if let Some(provider) = config.all_providers.0.get(name) {
                name.clone_from(&provider.id);
            }
        }
    }
    config
}

/// Whatever names a config or a provider must name one that there is.
fn check_names(config: &Config, fields: &[(&str, Item<'_>)], reader: &mut Reader<'_>) {
    let at = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, item)| item);
    // Those with a problem of their own are there too.
    let written = at("configs").map(Item::names).unwrap_or_default();
    let keys = at("auth").and_then(|item| item.field_named("keys"));
    let of_keys = keys.iter().flat_map(Item::items).filter_map(|key| key.field_named("config"));
    for item in of_keys.chain(at("config").cloned()) {
        if let Some(name) = reader.plain_text(&item) {
            routes::check_name(&name, &item, &written, reader);
        }
    }
    let read = providers::Read { entries: config.providers.clone(), all: config.all_providers.clone() };
    if let (Some(name), Some(item)) = (&config.default_provider, at("default_provider")) {
        providers::check_name(name, item, &read, reader);
    }
    if let Some(item) = at("models") {
        models::check_providers(item, &read, reader);
    }
    for section in [at("configs"), at("aliases")].into_iter().flatten() {
        for item in section.names().into_iter().filter_map(|name| section.field_named(name)) {
            routes::check_providers(&item, &read, reader);
        }
    }
}

fn warn_if_open(config: &Config, fields: &[(&str, Item<'_>)], reader: &mut Reader<'_>) {
    let at = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, item)| item);
    // A key that is wrong is a key that somebody wanted.
    let keys = at("auth").and_then(|item| item.field_named("keys"));
    let wants_keys = keys.is_some_and(|keys| !keys.items().is_empty());
    let open = config.auth.keys.is_empty() && !wants_keys && !config.listen.ip().is_loopback();
    if let Some(item) = at("listen").filter(|_| open) {
        let message = "is reachable from other machines, and without `auth.keys` anyone may use your providers' keys: the \
                       gateway starts so only with --insecure";
        let hint = "add auth: { keys: [\"${OSTIA_KEY}\"] }".to_owned();
        reader.problem(item, Code::Open, message, Some(hint));
    }
}

fn read_listen(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let text = reader.text(item)?;
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let address =
        local.map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).or(text.parse().ok());
    if address.is_none() {
        let hint = "write 127.0.0.1:8787 for this machine only, 0.0.0.0:8787 for all".to_owned();
        reader.problem(item, Code::WrongValue, "must be an IP address and a port", Some(hint));
    }
    address
}

fn read_auth(item: &Item<'_>, reader: &mut Reader<'_>) -> Auth {
    let mut auth = Auth::default();
    for (name, keys) in reader.fields(item) {
        let items = reader.items(&keys);
        match name {
            "keys" => auth.keys = items.iter().filter_map(|item| read_key(item, reader)).collect(),
            _ => auth.admin_keys = items.iter().filter_map(|item| reader.secret(item)).collect(),
        }
    }
    auth
}

/// A credential, or `{key: credential, name: word, config: name, bodies: word}`. A map without `key` may be a credential that YAML took for one, so
/// nothing of it is repeated.
fn read_key(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<GatewayKey> {
    if !item.is_map() {
        return reader.secret(item).map(|secret| GatewayKey {
            secret,
            name: None,
            config: None,
            bodies: None,
        });
    }
    if !item.has("key") {
        let hint = "write {key: \"${OSTIA_KEY}\", config: name}".to_owned();
        reader.problem(item, Code::Missing, "has no `key`", Some(hint));
        return None;
    }
    let (mut secret, mut name, mut config, mut bodies) = (None, None, None, None);
    for (field, item) in reader.fields(item) {
        match field {
            "key" => secret = reader.secret(&item),
            "name" => name = reader.text(&item),
            "bodies" => bodies = records::read_bodies(&item, reader),
            _ => config = reader.text(&item),
        }
    }
    secret.map(|secret| GatewayKey { secret, name, config, bodies })
}

fn read_cors(item: &Item<'_>, reader: &mut Reader<'_>) -> Cors {
    let mut cors = Cors::default();
    for (_, origins) in reader.fields(item) {
        cors.origins = read_each(&origins, reader, AllowedOrigin::parse);
        if cors.origins.contains(&AllowedOrigin::Any) {
            let message = "lets the pages of everybody call the gateway from any browser that reaches it";
            let hint = "list the origins of your own pages".to_owned();
            reader.problem(&origins, Code::Open, message, Some(hint));
        }
    }
    cors
}

fn read_egress(item: &Item<'_>, reader: &mut Reader<'_>) -> Egress {
    let mut egress = Egress::default();
    for (name, field) in reader.fields(item) {
        match name {
            "allow_private" => egress.allow_private = read_each(&field, reader, AllowPrivate::parse),
            _ => egress.allow_hosts = read_each(&field, reader, HostPattern::parse),
        }
    }
    egress
}

fn read_upstream(item: &Item<'_>, reader: &mut Reader<'_>) -> Transport {
    let mut upstream = Transport::default();
    for (name, field) in reader.fields(item) {
        upstream.read_field(name, &field, reader);
    }
    upstream
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
            Err(fault) => reader.problem(&item, Code::WrongValue, fault, None),
        }
    }
    list
}

fn read_timeouts(item: &Item<'_>, reader: &mut Reader<'_>) -> Timeouts {
    let mut timeouts = Timeouts::default();
    for (name, field) in reader.fields(item) {
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
        let message = "has a `total` that ends before `first_byte` does";
        reader.problem(item, Code::ShortTimeout, message, Some("make `total` the longest".to_owned()));
    }
    timeouts
}

fn read_responses(item: &Item<'_>, reader: &mut Reader<'_>) -> Responses {
    let mut responses = Responses::default();
    for (name, field) in reader.fields(item) {
        match name {
            "keep" => responses.keep = reader.duration(&field).unwrap_or(responses.keep),
            _ => responses.bytes = reader.bytes(&field).unwrap_or(responses.bytes),
        }
    }
    responses
}

fn read_limits(item: &Item<'_>, reader: &mut Reader<'_>) -> Limits {
    let mut limits = Limits::default();
    for (name, field) in reader.fields(item) {
        match name {
            "body_bytes" => {
                limits.body_bytes = reader.bytes(&field).unwrap_or(limits.body_bytes);
            }
            "header_bytes" => {
                limits.header_bytes = reader.bytes(&field).unwrap_or(limits.header_bytes);
            }
            "connections" => limits.connections = reader.integer(&field).unwrap_or(limits.connections),
            _ => limits.streams = reader.integer(&field).unwrap_or(limits.streams),
        }
    }
    limits
}

fn read_websockets(item: &Item<'_>, reader: &mut Reader<'_>) -> WebSockets {
    let mut websockets = WebSockets::default();
    for (name, field) in reader.fields(item) {
        match name {
            "frame_bytes" => {
                websockets.frame_bytes = reader.bytes(&field).unwrap_or(websockets.frame_bytes);
            }
            "message_bytes" => {
                websockets.message_bytes = reader.bytes(&field).unwrap_or(websockets.message_bytes);
            }
            "idle" => websockets.idle = reader.duration(&field).unwrap_or(websockets.idle),
            _ => websockets.total = reader.duration(&field).unwrap_or(websockets.total),
        }
    }
    websockets
}

fn read_media(item: &Item<'_>, reader: &mut Reader<'_>) -> Media {
    let mut media = Media::default();
    for (name, field) in reader.fields(item) {
        match name {
            "fetch" => media.fetch = reader.flag(&field).unwrap_or(media.fetch),
            "https_only" => media.https_only = reader.flag(&field).unwrap_or(media.https_only),
            "file_bytes" => media.file_bytes = reader.bytes(&field).unwrap_or(media.file_bytes),
            "request_bytes" => media.request_bytes = reader.bytes(&field).unwrap_or(media.request_bytes),
            "files" => media.files = reader.integer(&field).unwrap_or(media.files),
            _ => media.timeout = reader.duration(&field).unwrap_or(media.timeout),
        }
    }
    media
}
