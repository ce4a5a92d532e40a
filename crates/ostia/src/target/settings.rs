//! What it takes to reach a provider besides a key: from the target, the client's headers, or the operator.

use http::{HeaderMap, HeaderValue};
use ostia_dialect::Fault;
use ostia_providers::{Provider, Setting, Values, settings};
use ostia_routing::{Author, Leaf};

use crate::core::Core;
use crate::inbound::Inbound;

/// The settings of a call, and who chose them.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Name and value.
    pub(super) values: Values,
    /// Those that the client chose otherwise than the operator.
    pub(super) by_client: Vec<String>,
    /// Those that the operator wrote.
    by_operator: Vec<String>,
}

impl Chosen {
    /// Did the client choose a part of the provider's host?
    pub(super) fn host_is_clients(&self, provider: &Provider) -> bool {
        let template = provider.base_url_template(&self.values).unwrap_or_default();
        settings::names(template).any(|name| self.by_client.iter().any(|own| own == name))
    }

    /// The same for a host that the client chose: what the operator wrote is not for it, and its usual value stands in its place.
    pub(super) fn without_operators(mut self, provider: &Provider) -> Chosen {
        for name in std::mem::take(&mut self.by_operator) {
            self.values.remove(&name);
            let usual = provider.settings.get(&name).and_then(|setting| setting.default.as_deref());
            usual.into_iter().for_each(|value| self.values.insert(&name, value));
        }
        self
    }
}

/// The settings of a call to this provider: the target's, the client's headers', the operator's.
///
/// # Errors
/// 400 for a value that cannot be one.
pub(super) fn choose(
    inbound: Inbound<'_>,
    leaf: Option<&Leaf>,
    provider: &Provider,
) -> Result<Chosen, Fault> {
    let mut chosen = Chosen::default();
    for (name, setting) in &provider.settings {
        let operators = inbound.core.settings.given(provider, name);
        let of_leaf = leaf.and_then(|leaf| Some((leaf.settings.options.text(name)?, leaf.author)));
        let given = match of_leaf {
            Some((value, author)) => Some((value, author)),
            None => of_headers(&inbound.parts.headers, name, setting)?.map(|value| (value, Author::Client)),
        };
        let Some((value, author)) = given.or(operators.map(|value| (value, Author::Operator))) else {
            continue;
        };
        if let Some(what) = setting.problem(value).filter(|_| given.is_some()) {
            return Err(Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(name.as_str()));
        }
        if author == Author::Client && operators != Some(value) {
            chosen.by_client.push(name.clone());
        }
        if author == Author::Operator {
            chosen.by_operator.push(name.clone());
        }
        chosen.values.insert(name, value);
    }
    Ok(chosen)
}

/// The value that the client's headers have, in either spelling.
fn of_headers<'h>(headers: &'h HeaderMap, name: &str, setting: &Setting) -> Result<Option<&'h str>, Fault> {
    let Some(value) = setting.headers.iter().find_map(|header| headers.get(header)) else { return Ok(None) };
    let text = value.to_str().map(str::trim).map_err(|_| {
        let own = setting.header_name(name);
        Fault::invalid(format!("Invalid header `x-ostia-{own}`: must be plain text")).with_param(name)
    })?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A header's value with the settings that it names; `None` where these have no value. Braces around anything else are the
/// value's own.
///
/// # Errors
/// 400 for a setting that no header can have.
pub(super) fn filled(
    value: &HeaderValue,
    provider: &Provider,
    values: &Values,
) -> Result<Option<HeaderValue>, Fault> {
    let template = match value.to_str() {
        Ok(text) if !provider.settings.is_empty() => text,
        _ => return Ok(Some(value.clone())),
    };
    if !settings::names(template).any(|name| provider.settings.contains_key(name)) {
        return Ok(Some(value.clone()));
    }
    if settings::names(template).all(|name| values.get(name).is_none()) {
        return Ok(None);
    }
    let filled = settings::fill(template, |name| values.get(name));
    let value = HeaderValue::from_str(&filled);
    value.map(Some).map_err(|_| {
        let name = settings::names(template).next().unwrap_or_default();
        Fault::invalid(format!("Invalid `{name}`: has characters that no header can have")).with_param(name)
    })
}

/// Says which setting is missing, and where it goes. `needs_host`: the call has no host of its own.
///
/// # Errors
/// 400 that names the first one.
pub(super) fn require(
    core: &Core,
    provider: &Provider,
    values: &Values,
    needs_host: bool,
) -> Result<(), Fault> {
    let host = provider.base_url_template(values).unwrap_or_default();
    let in_host = |name: &str| settings::names(host).any(|own| own == name);
    let in_paths = |name: &str| {
        let all = provider.paths.values().flat_map(|path| std::iter::once(&path.whole).chain(&path.stream));
        all.flat_map(|path| settings::names(path)).any(|own| own == name)
    };
    let is_wanted = |name: &str, setting: &Setting| match in_host(name) {
        true => needs_host,
        false => !setting.optional && in_paths(name),
    };
    let missing = provider
        .settings
        .iter()
        .find(|(name, setting)| values.get(name).is_none() && is_wanted(name, setting));
    missing.map_or(Ok(()), |(name, setting)| Err(missing_setting(core, provider, (name, setting))))
}

/// Says which of these settings has no value, and where it goes.
///
/// # Errors
/// 400 that names the first one.
pub fn needs(core: &Core, provider: &Provider, values: &Values, names: &[&str]) -> Result<(), Fault> {
    let mut missing = names.iter().filter(|name| values.get(name).is_none());
    let known = missing.find_map(|name| Some((*name, provider.settings.get(*name)?)));
    known.map_or(Ok(()), |(name, setting)| Err(missing_setting(core, provider, (name, setting))))
}

/// A setting has no value, and is needed.
pub fn missing_setting(core: &Core, provider: &Provider, (name, setting): (&str, &Setting)) -> Fault {
    let id = &provider.id;
    let environment = match setting.env.first().filter(|_| core.settings.loopback) {
        Some(name) => format!(", or set {name} before starting"),
        None => String::new(),
    };
    let about = if setting.about.is_empty() { String::new() } else { format!(" ({})", setting.about) };
    let message = format!(
        "Provider `{id}` needs `{name}`{about}: send the header x-ostia-{}, put {name} into the config, or under \
         providers.{id}.settings in ostia.yaml{environment}.",
        setting.header_name(name),
    );
    Fault::invalid(message).with_param(name).with_code("setting_missing")
}
