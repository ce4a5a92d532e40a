//! `ostia providers`: who can be asked, and whether there is a key.

use clap::Args;
use ostia_providers::Provider;

use super::{File, shown};
use crate::config::load::{self, Loaded};

/// Options of `providers`.
#[derive(Debug, Args)]
pub struct Providers {
    /// Whose providers count too.
    #[command(flatten)]
    pub file: File,
    /// Print a table in Markdown, with names and links, and nothing of this machine.
    #[arg(long)]
    pub markdown: bool,
}

impl Providers {
    /// The table.
    ///
    /// # Errors
    /// The file is wrong.
    pub fn text(&self) -> Result<String, String> {
        let loaded = load::file(self.file.config.as_deref(), None).map_err(|report| shown(&report))?;
        let providers = &loaded.settings.providers;
        Ok(match self.markdown {
            true => ostia_providers::markdown(providers),
            false => ostia_providers::table(providers, &|provider| key(provider, &loaded)),
        })
    }
}

/// Where the key of a provider comes from, or what would be looked at.
fn key(provider: &Provider, loaded: &Loaded) -> String {
    let variables = provider.key_env.join(" or ");
    match loaded.key_origins.get(&provider.id) {
        Some(origin) => format!("yes: {origin}"),
        None if !provider.needs_key() => "none needed".to_owned(),
        None if variables.is_empty() => "no".to_owned(),
        None if loaded.settings.loopback => format!("no: {variables} is not set"),
        // Beyond loopback the environment is not looked at.
        None => format!("no: {variables} counts on loopback only"),
    }
}
