//! The providers as a table for people.

use crate::{Auth, Provider, Providers};

/// The columns' headings. The offers come last: they alone are long, and nothing has to stand behind them.
const HEADINGS: [&str; 4] = ["provider", "base URL", "key", "offers"];

/// The table for a terminal: columns provider, base URL, key and offers, aligned with spaces, one provider a line. `key` says
/// what is known of a provider's key.
pub fn table(providers: &Providers, key: &dyn Fn(&Provider) -> String) -> String {
    let rows: Vec<[String; 4]> =
        std::iter::once(HEADINGS.map(String::from)).chain(cells(providers, key)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for [id, url, key, offers] in &rows {
        let [a, b, c] = widths;
        out.push_str(&format!("{id:a$}  {url:b$}  {key:c$}  {offers}\n"));
    }
    out
}

/// The same as a table in Markdown, with names and links to the vendors' pages.
pub fn markdown(providers: &Providers) -> String {
    let mut out = String::from("| provider | id | base URL | key | offers |\n|---|---|---|---|---|\n");
    for (provider, [id, url, key, offers]) in providers.iter().zip(cells(providers, &key)) {
        let name = match &provider.docs {
            Some(docs) => format!("[{}]({docs})", provider.name),
            None => provider.name.clone(),
        };
        let ids: Vec<String> =
            std::iter::once(&id).chain(&provider.aliases).map(|id| format!("`{id}`")).collect();
        out.push_str(&format!("| {name} | {} | {url} | {key} | {offers} |\n", ids.join(", ")));
    }
    out + &settings(providers)
}

/// What providers need besides a key; nothing where none does.
fn settings(providers: &Providers) -> String {
    let mut out = String::new();
    for provider in providers.iter() {
        for (name, setting) in &provider.settings {
            let (header, about) = (setting.header_name(name), &setting.about);
            let env: Vec<String> = setting.env.iter().map(|name| format!("${name}")).collect();
            let default = match (&setting.default, setting.optional) {
                (Some(default), _) => default,
                (None, true) => "may be left out",
                (None, false) => "needed",
            };
            let id = &provider.id;
            let env = env.join(", ");
            out.push_str(&format!("| `{id}` | `{name}` | `{header}` | {env} | {default} | {about} |\n"));
        }
    }
    if out.is_empty() { out } else { format!("{SETTINGS}{out}") }
}

const SETTINGS: &str = "
## Settings

What some providers need besides a key. A value is taken from, in this order: the target in a routing config (the field of
that name), the header `x-ostia-...` or `x-portkey-...`, `providers.ID.settings` in `ostia.yaml`, the environment, the
default. A part of the host that a client chooses otherwise than the operator makes it a host of the client's: the operator's
key does not go there.

| provider | setting | header | environment | default | |
|---|---|---|---|---|---|
";

fn cells(providers: &Providers, key: &dyn Fn(&Provider) -> String) -> impl Iterator<Item = [String; 4]> {
    providers.iter().map(move |provider| {
        let url = provider
            .base_url
            .as_deref()
            .map_or("(yours)".to_owned(), |url| format!("{url}{}", provider.prefix));
        [provider.id.clone(), url, key(provider), offers(provider)]
    })
}

/// The words of its offers, each once.
fn offers(provider: &Provider) -> String {
    let mut words: Vec<&str> = Vec::new();
    let families = provider.families.iter().flat_map(|family| &family.provider.apis);
    for api in provider.apis.iter().chain(families) {
        if !words.contains(&api.word()) {
            words.push(api.word());
        }
    }
    match &provider.retired {
        Some(_) => "retired".to_owned(),
        None if words.is_empty() => "proxy only".to_owned(),
        None => words.join(", "),
    }
}

/// Where the key is looked for.
fn key(provider: &Provider) -> String {
    match provider.key_env.first() {
        _ if provider.auth == Auth::None => "none".to_owned(),
        Some(name) => format!("${name}"),
        None if provider.local => "none".to_owned(),
        None => "yours".to_owned(),
    }
}

#[cfg(test)]
mod tests;
