//! Models of one provider that are reached in another way than its others: one cloud has models of many vendors.

use std::collections::BTreeMap;

use crate::row::{FamilyRow, HostRow};
use crate::settings::Values;
use crate::{Provider, Row};

/// Some models of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    models: Vec<String>,
    in_batches: bool,
    when: BTreeMap<String, Vec<String>>,
    strip: String,
    prepend: String,
    /// The provider as it is for them.
    pub provider: Provider,
}

impl FamilyRow {
    /// The row of the provider as it is for these models.
    pub(crate) fn over(&self, row: &Row) -> Row {
        let own = self.clone();
        Row {
            // One of its own holds whatever the settings are.
            base_urls: if own.base_url.is_some() { BTreeMap::new() } else { row.base_urls.clone() },
            base_url: own.base_url.or_else(|| row.base_url.clone()),
            prefix: own.prefix.unwrap_or_else(|| row.prefix.clone()),
            dialects: own.dialects.unwrap_or_else(|| row.dialects.clone()),
            auth: own.auth.unwrap_or_else(|| row.auth.clone()),
            headers: own.headers.unwrap_or_else(|| row.headers.clone()),
            paths: own.paths.unwrap_or_else(|| row.paths.clone()),
            body: own.body.unwrap_or_else(|| row.body.clone()),
            own_clients: own.own_clients.unwrap_or_else(|| row.own_clients.clone()),
            quirks: own.quirks.unwrap_or_else(|| row.quirks.clone()),
            families: Vec::new(),
            hosts: BTreeMap::new(),
            ..row.clone()
        }
    }

    /// The family of these models.
    pub(crate) fn with(self, provider: Provider) -> Family {
        let FamilyRow { models, in_batches, when, strip, prepend, .. } = self;
        Family { models, in_batches, when, strip, prepend, provider }
    }
}

impl HostRow {
    /// The row of the provider as it is at this host, which has this API alone.
    pub(crate) fn over(&self, api: &str, row: &Row) -> Row {
        let own = self.clone();
        let has_base_url = own.base_url.is_some();
        Row {
            base_urls: if has_base_url { own.base_urls } else { row.base_urls.clone() },
            // A plain address is a private server's, whatever the row says of others.
            local: row.local || own.base_url.as_deref().is_some_and(|url| url.starts_with("http://")),
            base_url: own.base_url.or_else(|| row.base_url.clone()),
            dialects: vec![api.to_owned()],
            auth: own.auth.unwrap_or_else(|| row.auth.clone()),
            paths: row
                .paths
                .iter()
                .filter(|(name, _)| *name == api)
                .map(|(n, p)| (n.clone(), p.clone()))
                .collect(),
            body: BTreeMap::new(),
            own_clients: BTreeMap::new(),
            by_chat: BTreeMap::new(),
            model_setting: None,
            families: Vec::new(),
            hosts: BTreeMap::new(),
            ..row.clone()
        }
    }
}

impl Family {
    /// Does a model belong here, and do the settings? `in_batch`: it is asked by a row of a batch.
    pub fn has(&self, model: &str, values: &Values, in_batch: bool) -> bool {
        let fits = |(name, wanted): (&String, &Vec<String>)| {
            values.get(name).is_some_and(|value| any_fits(wanted, value))
        };
        (in_batch || !self.in_batches)
            && (self.models.is_empty() || any_fits(&self.models, model))
            && self.when.iter().all(fits)
    }

    /// The name that the model has there, if it is another.
    pub fn own_name(&self, model: &str) -> Option<String> {
        let rest = behind(&self.strip, model).filter(|rest| !self.strip.is_empty() && !rest.is_empty());
        rest.map(|rest| format!("{}{rest}", self.prepend))
    }
}

fn any_fits(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, text))
}

/// Is the text the pattern's, in which `*` stands for any part?
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

/// What stands in the text behind the pattern's, in which `*` stands for any part, and for as little as can be.
fn behind<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let mut parts = pattern.split('*');
    let mut left = text.strip_prefix(parts.next()?)?;
    for part in parts {
        left = &left[left.find(part)? + part.len()..];
    }
    Some(left)
}

#[cfg(test)]
mod tests;
