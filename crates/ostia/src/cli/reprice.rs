//! `ostia reprice`: what was kept of requests, at the prices that are known now. The gateway may run meanwhile.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use ostia_store::{Prices, Progress};

use super::logs::{self, KeptIn};
use crate::config::settings::Settings;
use crate::store;

/// How often it is said how far it has come.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Options of `reprice`.
#[derive(Debug, Args)]
pub struct Reprice {
    /// The requests of the last 12h, 30d.
    #[arg(long, value_name = "TIME")]
    pub since: String,
    /// Where they are kept, and whose prices go before those of the catalogue.
    #[command(flatten)]
    pub kept: KeptIn,
}

impl Reprice {
    /// Does it, and says what came of it.
    ///
    /// # Errors
    /// An option or a configuration that makes no sense, or a file that cannot be read or written.
    pub fn run(&self) -> Result<String, String> {
        let from_ms = logs::since_ms(&self.since)?;
        let loaded = self.kept.configuration()?;
        let place = self.kept.place(&loaded)?;
        let mut told_at = Instant::now();
        let tell = |progress: Progress| {
            if told_at.elapsed() >= TELL_EVERY {
                told_at = Instant::now();
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr(), "{}", line(progress));
            }
        };
        ostia_store::reprice(&place, from_ms, &prices(loaded.settings), tell)
            .map(|progress| line(progress) + ".")
            .map_err(|error| format!("{place}: {error}."))
    }
}

/// As this configuration has them.
fn prices(settings: Settings) -> Prices {
    let catalog = settings.catalog.clone();
    let settings = Arc::new(settings);
    let of_caches = settings.clone();
    Prices {
        pricing: Box::new(move |provider, model| store::priced(&settings, provider, model)),
        trusts_cache: Box::new(move |provider| store::trusts_cache(&of_caches, provider)),
        catalog: Box::new(move || catalog.clone()),
    }
}

fn line(Progress { all, seen, changed }: Progress) -> String {
    format!("{seen} of {all} requests gone through, {changed} cost something else now")
}
