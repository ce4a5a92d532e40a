//! A provider: a row that was checked.

mod check;

use crate::addresses::Addresses;
use crate::family::Family;
use crate::row::{ApiPath, BodyEdits, Unless};
use crate::settings::{Setting, Values, fill};
use crate::{Auth, Oauth, Quirks, Row};
use check::Check;
use http::HeaderMap;
use ostia_dialect::frame::Framing;
use ostia_dialect::{Api, Dialect};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// Where a provider is, what it offers and how one talks to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Kebab-case name in configurations and reports (`together-ai`).
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `https://host/path` without a slash at the end, with names of settings in it; `None` where every user has their own.
    pub base_url: Option<String>,
    /// Base URLs where a setting has certain values, the first that fits.
    pub base_urls: Vec<BaseUrlFor>,
    /// What it takes to reach it besides a key, by name.
    pub settings: BTreeMap<String, Setting>,
    /// The setting whose value is the model's name, where it has one.
    pub model_setting: Option<String>,
    /// What stands between base URL and usual path: empty, or `/…` without a slash at the end.
    pub prefix: String,
    /// What stands there for paths that are handed on unread; see [`crate::endpoint::path_of_passed`].
    pub pass_prefix: String,
    /// Beginnings of such paths that have no prefix.
    pub unprefixed: Vec<String>,
    /// What it has, in order of preference, each once. Empty: reached through the proxy only.
    pub apis: Vec<Api>,
    /// Where the key goes.
    pub auth: Auth,
    /// Tokens that go as bearers all the same.
    pub oauth: Option<Oauth>,
    /// Environment variables that usually hold the key; the first that is set wins.
    pub key_env: Vec<String>,
    /// Headers that every request carries.
    pub headers: HeaderMap,
    /// What is at another host, each the provider as it is there.
    pub hosts: BTreeMap<Api, Provider>,
    /// Paths after the base URL of APIs that are not where they usually are; see [`crate::endpoint::path_of`].
    pub paths: BTreeMap<Api, ApiPath>,
    /// What stands otherwise in the bodies of an API.
    pub body: BTreeMap<Api, BodyEdits>,
    /// APIs that are only for clients of their own dialect, and what makes even those others'.
    pub own_clients: BTreeMap<Api, Unless>,
    /// Models that do in a conversation what one of these APIs is for.
    pub by_chat: BTreeMap<Api, Vec<String>>,
    /// Differences from OpenAI.
    pub quirks: Quirks,
    /// The vendor's page about its API.
    pub docs: Option<String>,
    /// Why there is nobody at its address any more.
    pub retired: Option<String>,
    /// APIs that the vendor once had, and its page about their end.
    pub ended: BTreeMap<Api, String>,
    /// What OpenTelemetry calls it.
    pub otel: String,
    /// A private server: needs no key, and may be reached over plain http.
    pub local: bool,
    /// Ends of the names of the vendor's own hosts; see [`ostia_dialect::api::job::host_of`].
    pub poll_hosts: Vec<String>,
    /// Where its answers name addresses at its own hosts that clients ask next.
    pub addresses: Addresses,
    /// It counts what the head of its answers says of a cache that they come from; `x-cache-status: HIT`, for instance.
    pub answer_cache: bool,
    /// Other ids that mean this provider.
    pub aliases: Vec<String>,
    /// What is otherwise for some models or values of settings; the first that fits counts. They have none of their own.
    pub families: Vec<Family>,
}

/// Where a provider is if a setting has a certain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrlFor {
    /// The setting.
    pub setting: String,
    /// Its value, with `*` for any part.
    pub value: String,
    /// The base URL, with names of settings in it.
    pub url: String,
}

impl Provider {
    /// Checks a row and makes it a provider.
    ///
    /// # Errors
    /// Every problem of the row.
    pub fn from_row(id: &str, row: Row) -> Result<Provider, Vec<RowProblem>> {
        let mut check = Check::new(id);
        check.ids(&row.aliases);
        let provider = check.row(row.clone());
        // A family is the row with a few fields of its own: what is wrong with the row would be told again.
        let (families, hosts) = match check.problems.is_empty() {
            true => (check.families(&row), check.hosts(&row)),
            false => (Vec::new(), BTreeMap::new()),
        };
        match check.problems.is_empty() {
            true => Ok(Provider { families, hosts, ..provider }),
            false => Err(check.problems),
        }
    }

    /// Whether the provider has this API.
    pub fn offers(&self, api: Api) -> bool {
        self.apis.contains(&api)
    }

    /// The conversation dialects that the provider speaks, best first; none where it does not converse.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> + Clone {
        self.apis.iter().filter_map(|api| api.dialect())
    }

    /// The provider as it is for a model, and the name that the model has there, if it is another.
    pub fn for_model(&self, model: &str, values: &Values) -> (&Provider, Option<String>) {
        self.family(model, values, false)
    }

    /// The same for a row of one of its batches.
    pub fn for_batched(&self, model: &str, values: &Values) -> (&Provider, Option<String>) {
        self.family(model, values, true)
    }

    fn family(&self, model: &str, values: &Values, in_batch: bool) -> (&Provider, Option<String>) {
        match self.families.iter().find(|family| family.has(model, values, in_batch)) {
            Some(family) => (&family.provider, family.own_name(model)),
            None => (self, None),
        }
    }

    /// The base URL with these settings; `None` where every user has their own.
    pub fn base_url_with(&self, values: &Values) -> Option<Cow<'_, str>> {
        let template = self.base_url_template(values)?;
        Some(fill(template, |name| values.get(name)))
    }

    /// The base URL that counts with these settings, their names still in it.
    pub fn base_url_template(&self, values: &Values) -> Option<&str> {
        let fits = |other: &&BaseUrlFor| {
            values.get(&other.setting).is_some_and(|value| crate::family::fits(&other.value, value))
        };
        self.base_urls.iter().find(fits).map(|other| other.url.as_str()).or(self.base_url.as_deref())
    }

    /// What is said of credentials like this one, if it is an OAuth token.
    pub fn oauth_of(&self, credential: &str) -> Option<&Oauth> {
        self.oauth.as_ref().filter(|oauth| credential.starts_with(&oauth.prefix))
    }

    /// How streams of this API are framed there. `asks_for_events`: see [`Api::framing`].
    pub fn framing(&self, api: Api, asks_for_events: bool) -> Framing {
        let own = self.paths.get(&api).and_then(|path| path.framing);
        own.map_or_else(|| api.framing(asks_for_events), Framing::from)
    }

    /// Whether a request without a key is hopeless.
    pub fn needs_key(&self) -> bool {
        self.auth != Auth::None && !self.local
    }
}

/// Something wrong in a row. Shown as `id.field: what is wrong and what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The row.
    pub id: String,
    /// Where in the row: `quirks.limits.tools`. Empty for the row as a whole.
    pub field: String,
    /// What is wrong and what to do. It never repeats what could be a credential.
    pub message: String,
}

impl Display for RowProblem {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let joint = if self.field.is_empty() { "" } else { "." };
        write!(out, "{}{joint}{}: {}", self.id, self.field, self.message)
    }
}

#[cfg(test)]
mod tests;
