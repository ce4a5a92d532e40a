//! Configs of clients, compiled, for the next request that brings the same text: those that were asked for last, within a
//! bound on what they take.
//!
//! Each core has its own, which takes no lock and no clock. `moka`, which keeps what all cores share, is made for many
//! threads.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ostia_routing::{ROUTE_BYTES_MAX, Route};

/// Most memory that the configs of clients take on one core, in bytes, their texts with them.
const BYTES_MAX: usize = 2 * ROUTE_BYTES_MAX;
/// What is left when they take more. What was asked for least recently goes, and goes in one sweep, so that a client that
/// sends a new config with each request does not have all the others looked through each time.
const BYTES_LEFT: usize = BYTES_MAX / 4 * 3;

/// The configs of clients that one core keeps compiled, by their text.
#[derive(Default)]
pub struct Cache {
    entries: HashMap<Box<str>, Entry>,
    bytes: usize,
    /// How often anything was asked for.
    uses: Cell<u64>,
}

struct Entry {
    route: Arc<Route>,
    bytes: usize,
    /// When it was asked for last, as a count of uses.
    used: Cell<u64>,
}

impl fmt::Debug for Cache {
    /// The texts hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("configs", &self.entries.len()).field("bytes", &self.bytes).finish()
    }
}

impl Cache {
    /// The route of a config's text, if it is here.
    pub fn find(&self, text: &str) -> Option<Arc<Route>> {
        let entry = self.entries.get(text)?;
        entry.used.set(self.next_use());
        Some(entry.route.clone())
    }

    /// Keeps a route for the next request with this text.
    pub fn keep(&mut self, text: &str, route: Arc<Route>) {
        let bytes = size_of::<Entry>() + text.len() + route.bytes();
        if self.bytes + bytes > BYTES_MAX {
            self.sweep(BYTES_LEFT.saturating_sub(bytes));
        }
        self.bytes += bytes;
        self.entries.insert(text.into(), Entry { route, bytes, used: Cell::new(self.next_use()) });
    }

    fn next_use(&self) -> u64 {
        self.uses.set(self.uses.get() + 1);
        self.uses.get()
    }

    /// Leaves so many bytes.
    fn sweep(&mut self, left: usize) {
        let mut ages: Vec<(u64, usize)> =
            self.entries.values().map(|entry| (entry.used.get(), entry.bytes)).collect();
        ages.sort_unstable();
        let mut youngest = 0;
        for (used, bytes) in ages {
            if self.bytes <= left {
                break;
            }
            self.bytes -= bytes;
            youngest = used;
        }
        self.entries.retain(|_, entry| entry.used.get() > youngest);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ostia_routing::{State, config};

    use super::*;

    /// Keeps a config that takes more than so many bytes.
    fn keep(cache: &mut Cache, name: &str, bytes: usize) {
        let value = "x".repeat(bytes);
        let text = format!(r#"{{"provider":"{name}","override_params":{{"a":"{value}"}}}}"#);
        let route = Route::new(&config::parse(&text).unwrap().config, &State::default()).unwrap();
        cache.keep(name, Arc::new(route));
    }

    #[test]
    fn what_was_asked_for_least_recently_goes() {
        let mut cache = Cache::default();
        keep(&mut cache, "used", BYTES_MAX / 20);
        for name in 0..20 {
            keep(&mut cache, &name.to_string(), BYTES_MAX / 20);
            assert!(cache.find("used").is_some(), "{name}");
        }
        let kept = ["0", "1", "12", "18", "19"].map(|name| cache.find(name).is_some());
        assert_eq!(kept, [false, false, true, true, true]);
    }

    #[test]
    fn a_thousand_configs_take_no_more_than_the_bound() {
        let mut cache = Cache::default();
        for name in 0..1_000 {
            keep(&mut cache, &name.to_string(), BYTES_MAX / 100);
            assert!(cache.bytes <= BYTES_MAX);
            assert!(cache.find(&name.to_string()).is_some());
        }
        assert_eq!(cache.bytes, cache.entries.values().map(|entry| entry.bytes).sum::<usize>());
        assert!(cache.entries.len() > 50, "{cache:?}");
    }
}
