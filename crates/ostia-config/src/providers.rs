//! `providers:`, by id: a credential for a provider that is known, or the whole row of one that is not.

mod keys;

use std::collections::BTreeMap;

use ostia_providers::auth::source;
use ostia_providers::{Provider, Providers, Row, Values, endpoint};
use ostia_routing::config::Redacted;
use ostia_routing::nearest;
use serde_json::{Map, Value};

use crate::reader::{Item, Reader};
use crate::{Code, Http2, SecretRef, Transport};

pub(crate) use keys::WEIGHT_MAX;
pub use keys::{ProviderKey, equal_keys};

/// Longest id of a provider, in bytes.
const ID_BYTES_MAX: usize = 64;

/// One entry of `providers:`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderEntry {
    /// The gateway's own credential for this provider.
    pub api_key: Option<SecretRef>,
    /// The same where there are several, among which requests are spread.
    pub api_keys: Vec<ProviderKey>,
    /// What it takes to sign in at a cloud besides a key, by name.
    pub credentials: BTreeMap<String, SecretRef>,
    /// The models to offer; empty for whatever the provider has.
    pub models: Vec<String>,
    /// How connections to its host are made.
    pub transport: Transport,
    /// The remaining fields, with `${NAME}` expanded: an object in the shape of a provider's row. Empty for a
    /// provider that is used as it is known. Not printed, because headers may hold credentials.
    pub row: Redacted<Value>,
}

/// All entries, and the providers that follow from them.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) entries: BTreeMap<String, ProviderEntry>,
    pub(crate) all: Redacted<Providers>,
}

/// Reads the section.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Read {
    let (mut entries, mut rows) = (BTreeMap::new(), BTreeMap::new());
    for (id, item) in reader.entries(item) {
        let entry = read_entry(id, &item, reader);
        if is_id(id) && item.is_map() {
            rows.extend(read_row(id, &entry, &item, reader).map(|row| (id.to_owned(), row)));
        }
        entries.insert(id.to_owned(), entry);
    }
    let all = match Providers::builtin().with(rows) {
        Ok(all) => all,
        Err(problems) => {
            for problem in problems {
                let path = format!("{}.{}", problem.id, problem.field);
                reader.problem_below(
                    item,
                    path.trim_end_matches('.'),
                    Code::WrongValue,
                    problem.message,
                    None,
                );
            }
            Providers::builtin().clone()
        }
    };
    for (id, entry) in &entries {
        let provider = all.get(id).filter(|provider| provider.id == *id);
        let own = provider.filter(|_| entry.row.get("base_url").is_some());
        if let (Some(provider), Some(item)) = (own, item.field_named(id)) {
            warn_of_row(&item, provider, reader);
        }
        if let (Some(provider), Some(item)) = (provider, item.field_named(id)) {
            warn_of_transport(&item, provider, entry, reader);
            check_credentials(&item, provider, entry, reader);
        }
    }
    Read { entries, all: Redacted(all) }
}

fn read_entry(id: &str, item: &Item<'_>, reader: &mut Reader<'_>) -> ProviderEntry {
    if id.len() > ID_BYTES_MAX || !is_id(id) {
        let hint =
            format!("use lower-case letters and digits, with single hyphens between, at most {ID_BYTES_MAX}");
        reader.problem_at(item.key_place(), Code::WrongValue, "is no id of a provider", Some(hint));
    }
    let mut entry = ProviderEntry::default();
    let mut row = Map::new();
    for (name, field) in reader.fields(item) {
        match name {
            "api_key" => keys::read(&field, &mut entry, reader),
            "credentials" => entry.credentials = read_credentials(&field, reader),
            "models" => entry.models = reader.texts(&field),
            "tls" | "proxy" | "http2" => entry.transport.read_field(name, &field, reader),
            _ => {
                let found_before = reader.found();
                let value = reader.shaped(&field);
                // What is wrong was said; the other fields are looked at all the same.
                if reader.found() == found_before {
                    row.insert(name.to_owned(), value);
                }
            }
        }
    }
    // Paths are by dialect: without those that are wrong too, all of them would be.
    if item.has("dialects") && !row.contains_key("dialects") {
        row.remove("paths");
    }
    entry.row = Redacted(Value::Object(row));
    entry
}

fn read_credentials(item: &Item<'_>, reader: &mut Reader<'_>) -> BTreeMap<String, SecretRef> {
    let mut credentials = BTreeMap::new();
    for (name, item) in reader.entries(item) {
        credentials.extend(reader.secret(&item).map(|secret| (name.to_owned(), secret)));
    }
    credentials
}

/// The names under `credentials` are those that the provider's way to sign in knows.
fn check_credentials(item: &Item<'_>, provider: &Provider, entry: &ProviderEntry, reader: &mut Reader<'_>) {
    let known = source::names(&provider.auth);
    for name in entry.credentials.keys().filter(|name| !known.contains(&name.as_str())) {
        let hint = match (known.is_empty(), nearest(name, known.iter().copied())) {
            (true, _) => format!("provider {} takes a key: write it as api_key", provider.id),
            (false, Some(near)) => format!("did you mean `{near}`?"),
            (false, None) => format!("the names here are {}", known.join(", ")),
        };
        let field = format!("credentials.{name}");
        reader.problem_below(
            item,
            &field,
            Code::UnknownName,
            "is no credential there".to_owned(),
            Some(hint),
        );
    }
}

fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.split('-').all(|word| !word.is_empty() && word.bytes().all(plain))
}

/// The row of an entry that says more than a known one. An entry without fields of a row leaves that alone; one with a few changes
/// those.
fn read_row(id: &str, entry: &ProviderEntry, item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Row> {
    let known = Providers::builtin().get(id);
    match known {
        Some(known) if known.id == id => {}
        // Its own row may take over the name.
        Some(known) if !item.has("base_url") => {
            let message = format!("is another name of `{}`", known.id);
            let hint = format!("write `{}` here, or give the base_url of a provider of your own", known.id);
            reader.problem_at(item.key_place(), Code::UnknownName, message, Some(hint));
            return None;
        }
        None if !item.has("base_url") => {
            report_missing_address(id, item, reader);
            return None;
        }
        Some(_) | None => {}
    }
    if entry.row.as_object().is_none_or(Map::is_empty) {
        return None;
    }
    match Providers::row(id, entry.row.0.clone()) {
        Ok(row) => Some(row),
        Err(fault) => {
            reader.problem(item, Code::WrongValue, fault, None);
            None
        }
    }
}

/// Of a provider that nobody knows the address has to be there.
fn report_missing_address(id: &str, item: &Item<'_>, reader: &mut Reader<'_>) {
    match nearest_id(id, Providers::builtin()) {
        Some(near) => {
            let near = Providers::builtin().get(near).map_or(near, |provider| &provider.id);
            let hint = format!("did you mean `{near}`? A provider of your own needs base_url and dialects");
            reader.problem_at(item.key_place(), Code::UnknownName, "is no known provider", Some(hint));
        }
        None => {
            let hint = "add base_url: https://host/v1 and dialects: [openai_chat]; `ostia providers` lists the known ones";
            let message = "is no known provider, and has no `base_url`";
            reader.problem_at(item.key_place(), Code::Missing, message, Some(hint.to_owned()));
        }
    }
}

/// What works, but hardly as the operator thinks.
fn warn_of_row(item: &Item<'_>, provider: &Provider, reader: &mut Reader<'_>) {
    if provider.apis.is_empty() && !item.has("dialects") {
        let hint = "add dialects: [openai_chat], or what it speaks".to_owned();
        let message =
            "has no `dialects`, and so is reached only through /v1/proxy/ and by other unread paths";
        reader.problem_at(item.key_place(), Code::NoEffect, message, Some(hint));
    }
    let Some(base_url) = provider.base_url.as_deref() else { return };
    let path =
        base_url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    for api in &provider.apis {
        let of_api = endpoint::path_of(provider, &Values::default(), *api, "MODEL", false);
        let version = path.rsplit('/').next().filter(|last| is_version(last));
        let doubled = |version: &&str| {
            of_api.strip_prefix('/').and_then(|path| path.split('/').next()) == Some(version)
        };
        if let Some(version) = version.filter(doubled) {
            let message = format!("ends in /{version}, and the path begins with it: {base_url}{of_api}");
            let hint = format!("take /{version} out of base_url, or out of the prefix or path");
            return reader.problem_below(item, "base_url", Code::DoubledPath, message, Some(hint));
        }
        if base_url.ends_with(&*of_api) {
            let message = format!("ends in the path of an API, and that is added to it: {base_url}{of_api}");
            let hint = format!("write {}", base_url.trim_end_matches(&*of_api));
            return reader.problem_below(item, "base_url", Code::DoubledPath, message, Some(hint));
        }
    }
}

/// What has no effect where a server is called without TLS.
fn warn_of_transport(item: &Item<'_>, provider: &Provider, entry: &ProviderEntry, reader: &mut Reader<'_>) {
    if !provider.base_url.as_deref().is_some_and(|url| url.starts_with("http://")) {
        return;
    }
    let message = "has no effect: base_url begins with http://, and there is no TLS";
    if entry.transport.http2 == Some(Http2::Offered) {
        let hint = "write prior_knowledge, if its server speaks HTTP/2".to_owned();
        reader.problem_below(item, "http2", Code::NoEffect, message.to_owned(), Some(hint));
    }
    if item.has("tls") {
        reader.problem_below(item, "tls", Code::NoEffect, message.to_owned(), None);
    }
}

/// `v1`, `v1beta`.
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|first: char| first.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whatever names a provider must name one that there is, or that the file has with a problem of its own.
pub(crate) fn check_name(name: &str, item: &Item<'_>, read: &Read, reader: &mut Reader<'_>) {
    let id = name.trim_start_matches('@');
    if read.all.get(id).is_some() || read.entries.contains_key(id) {
        return;
    }
    let own = read.entries.keys().map(String::as_str);
    let near = nearest(id, own).or_else(|| nearest_id(id, &read.all));
    let hint = near.map_or_else(
        || "`ostia providers` lists the known ones; your own stand under `providers:`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    reader.problem(item, Code::UnknownName, format!("there is no provider `{id}`"), Some(hint));
}

/// The id or alias that is closest.
fn nearest_id<'a>(id: &str, providers: &'a Providers) -> Option<&'a str> {
    let ids = providers.iter().map(|provider| provider.id.as_str());
    let aliases = providers.iter().flat_map(|provider| provider.aliases.iter().map(String::as_str));
    nearest(id, ids).or_else(|| nearest(id, aliases))
}
