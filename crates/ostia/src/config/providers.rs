//! What the operator has for each provider: keys, credentials, settings; from the file, and from the environment.

use std::collections::{BTreeMap, HashMap};

use ostia_catalog::Override;
use ostia_config::{Code, ProviderEntry, Report, SecretRef};
use ostia_dialect::Api;
use ostia_providers::auth::source::{self, Giver};
use ostia_providers::{Provider, Providers, Setting};
use ostia_routing::State;
use secrecy::SecretString;
use serde_json::Value;

use super::keys::KeyOrigin;
use super::lookup::environment;
use super::provider_keys::{self, KeyList, ProviderKeys};
use super::settings::{Configured, Given};

/// What the operator has for each provider, by its id.
#[derive(Debug, Default)]
pub struct OfProviders {
    /// Keys.
    pub keys: HashMap<String, ProviderKeys>,
    /// Where they come from.
    pub origins: BTreeMap<String, KeyOrigin>,
    /// What it takes to sign in at clouds, by name.
    pub credentials: HashMap<String, HashMap<String, SecretString>>,
    /// What else is configured.
    pub configured: HashMap<String, Configured>,
}

impl OfProviders {
    /// Takes in the entry of one; `secret` looks credentials up. What is wrong goes into `problems`.
    pub fn add(
        &mut self,
        id: &str,
        entry: &ProviderEntry,
        state: &State,
        secret: &mut dyn FnMut(&SecretRef) -> Option<SecretString>,
    ) -> Vec<ostia_config::Problem> {
        let id = || id.to_owned();
        let one = entry.api_key.as_ref().and_then(&mut *secret);
        self.keys.extend(one.map(|key| (id(), ProviderKeys::One(key))));
        let several: Vec<_> =
            entry.api_keys.iter().filter_map(|key| Some((key, secret(&key.secret)?))).collect();
        let equal = ostia_config::equal_keys(several.iter().map(|(key, value)| (*key, value)));
        if !several.is_empty() {
            let weighed = several.into_iter().map(|(key, value)| (value, key.weight)).collect();
            self.keys.insert(id(), ProviderKeys::Several(KeyList::new(&id(), weighed, state)));
        }
        let origin = provider_keys::origin(entry.api_key.as_ref(), &entry.api_keys);
        self.origins.extend(origin.map(|origin| (id(), origin)));
        let signing = entry.credentials.iter();
        let signing: HashMap<_, _> =
            signing.filter_map(|(name, reference)| Some((name.clone(), secret(reference)?))).collect();
        if !signing.is_empty() {
            self.credentials.insert(id(), signing);
        }
        let own_base_url = entry.row.0.get("base_url").is_some();
        let own_hosts = own_hosts(&entry.row.0);
        self.configured.insert(id(), Configured { models: entry.models.clone(), own_base_url, own_hosts });
        equal
    }

    /// Models that the operator describes are models to list.
    pub fn add_models(&mut self, models: &[Override]) {
        for Override { provider, model, .. } in models {
            let listed = self.configured.get_mut(provider).map(|configured| &mut configured.models);
            if let Some(listed) = listed.filter(|listed| !listed.contains(model)) {
                listed.push(model.clone());
            }
        }
    }

    /// The keys that the file has none for, from where the provider's own SDK looks for them.
    pub fn add_usual_keys(&mut self, providers: &Providers) {
        for provider in providers.iter() {
            if self.origins.contains_key(&provider.id) {
                continue;
            }
            if let Some((name, key)) = of_environment(&provider.key_env) {
                self.keys.insert(provider.id.clone(), ProviderKeys::One(key.into()));
                self.origins.insert(provider.id.clone(), KeyOrigin::Environment(name.to_owned()));
            }
        }
    }

    /// Each provider's credentials have to mean one.
    pub fn check_credentials(&self, providers: &Providers, report: &mut Report) {
        for (id, given) in &self.credentials {
            let Some(provider) = providers.get(id) else { continue };
            let look = |name: &str| given.get(name).cloned();
            if let Err(problem) = source::read(&provider.auth, Giver::Operator, None, &look) {
                let path = format!("providers.{id}.credentials.{}", problem.field);
                report.add_at(&path, Code::WrongValue, problem.message, None);
            }
        }
    }
}

/// The APIs whose hosts an entry names.
fn own_hosts(row: &Value) -> Vec<Api> {
    let hosts = row.get("hosts").and_then(Value::as_object).into_iter().flatten();
    let named = hosts.filter(|(_, host)| host.get("base_url").is_some());
    named.filter_map(|(name, _)| Api::from_name(name)).collect()
}

/// What it takes to reach providers besides a key: what the file says, the environment, or what it usually is.
pub fn given(providers: &Providers, report: &mut Report) -> Given {
    let with_settings = providers.iter().filter(|provider| !provider.settings.is_empty());
    let of = |provider: &Provider| {
        let values = provider.settings.iter();
        let values = values
            .filter_map(|(name, setting)| Some((name.clone(), value_of(provider, name, setting, report)?)))
            .collect();
        (provider.id.clone(), values)
    };
    with_settings.map(of).collect()
}

fn value_of(provider: &Provider, name: &str, setting: &Setting, report: &mut Report) -> Option<String> {
    if setting.value.is_some() {
        return setting.value.clone();
    }
    let Some((variable, value)) = of_environment(&setting.env) else { return setting.default.clone() };
    let Some(what) = setting.problem(&value) else { return Some(value) };
    let message = format!("the environment's {variable} is no {name}, and is ignored: it {what}");
    report.add_at(&format!("providers.{}", provider.id), Code::NoEffect, message, None);
    setting.default.clone()
}

/// The first of these variables that is set.
fn of_environment(names: &[String]) -> Option<(&str, String)> {
    let mut found = names.iter().filter_map(|name| Some((name.as_str(), environment(name)?)));
    found.find(|(_, value)| !value.is_empty())
}
