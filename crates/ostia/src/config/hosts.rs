//! The hosts that calls go to though no client chose them: those of providers, and of the operator's configs.

use std::collections::BTreeSet;

use ostia_providers::{Provider, Values};
use ostia_routing::Leaf;

use super::settings::Settings;
use crate::upstream::egress::Origin;
use crate::upstream::host;

/// The hosts of one configuration, as `scheme://authority`.
#[derive(Debug, Default)]
pub struct Hosts {
    operators: BTreeSet<String>,
    built_in: BTreeSet<String>,
}

impl Hosts {
    /// All hosts of these settings.
    pub fn of(settings: &Settings) -> Hosts {
        let mut hosts = Hosts::default();
        for provider in settings.providers.iter() {
            hosts.add_provider(settings, provider);
        }
        let named = settings.named.configs.values().chain(settings.named.aliases.values());
        for leaf in named.flat_map(|route| route.leaves()) {
            hosts.add_leaf(leaf);
        }
        hosts
    }

    /// Is this host one of them, chosen by the same party? What clients choose never is.
    pub fn contains(&self, origin: Origin, scheme_and_authority: &str) -> bool {
        match origin {
            Origin::Operator => self.operators.contains(scheme_and_authority),
            Origin::BuiltIn => self.built_in.contains(scheme_and_authority),
            Origin::Client | Origin::Content => false,
        }
    }

    /// Are all of the other ones among these?
    pub fn cover(&self, other: &Hosts) -> bool {
        other.operators.is_subset(&self.operators) && other.built_in.is_subset(&self.built_in)
    }

    fn add_provider(&mut self, settings: &Settings, provider: &Provider) {
        let mut values = Values::default();
        for name in provider.settings.keys() {
            settings.given(provider, name).into_iter().for_each(|value| values.insert(name, value));
        }
        let families = provider.families.iter().map(|family| &family.provider);
        for provider in std::iter::once(provider).chain(families) {
            let Some(base_url) = provider.base_url_with(&values) else { continue };
            // A config of the operator's can name it as well as a client.
            for by_operator in [true, false] {
                self.add(&base_url, settings.origin(provider, by_operator));
            }
        }
    }

    fn add_leaf(&mut self, leaf: &Leaf) {
        if let Some(host) = leaf.settings.custom_host.as_deref() {
            self.add(host, Origin::Operator);
        }
    }

    fn add(&mut self, base_url: &str, origin: Origin) {
        let Ok((scheme_and_authority, _)) = host::split(base_url) else { return };
        let of_origin = match origin {
            Origin::Operator => &mut self.operators,
            Origin::BuiltIn => &mut self.built_in,
            Origin::Client | Origin::Content => return,
        };
        of_origin.insert(scheme_and_authority.to_owned());
    }
}
