//! Routing configs, compiled: those of the operator by name, and those that requests bring by their text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ostia_dialect::Fault;
use ostia_routing::config::{self, Config, Problem};
use ostia_routing::{Route, State, nearest};

use super::cache::Cache;
use super::settings::Named;

/// The configs of one core. Every request of a config holds on to its route: if cores shared them, each request would
/// change what the others count by.
#[derive(Debug)]
pub struct ConfigCache {
    /// The operator's, by name.
    named: BTreeMap<String, Arc<Route>>,
    /// Models that stand for a config.
    pub aliases: BTreeMap<String, Arc<Route>>,
    /// Those of clients.
    clients: RefCell<Cache>,
    /// What the requests of one config share, over all cores.
    state: Arc<State>,
}

impl ConfigCache {
    /// The operator's configs.
    pub fn new(operators: &Named, state: Arc<State>) -> ConfigCache {
        let own = |routes: &BTreeMap<String, Route>| {
            routes.iter().map(|(name, route)| (name.clone(), Arc::new(route.clone()))).collect()
        };
        let (named, aliases) = (own(&operators.configs), own(&operators.aliases));
        ConfigCache { named, aliases, clients: RefCell::default(), state }
    }

    /// The route of a config's name.
    ///
    /// # Errors
    /// 400 for a name that no config has.
    pub fn named(&self, name: &str) -> Result<Arc<Route>, Fault> {
        self.named.get(name).cloned().ok_or_else(|| {
            let near = nearest(name, self.named.keys().map(String::as_str));
            let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            let message = format!(
                "There is no config named `{name}`.{hint} Name one of those under configs in ostia.yaml, or send the \
                 config itself as JSON."
            );
            Fault::invalid(message).with_code("config_unknown").with_param("config")
        })
    }

    /// The route of a config's text.
    ///
    /// # Errors
    /// 400 that tells all problems of a config.
    pub fn route(&self, text: &str) -> Result<Arc<Route>, Fault> {
        if let Some(route) = self.clients.borrow().find(text) {
            return Ok(route);
        }
        let compiled = Route::new(&parse(text)?, &self.state);
        let route = Arc::new(compiled.map_err(|problem| invalid(&[problem]))?);
        self.clients.borrow_mut().keep(text, route.clone());
        Ok(route)
    }
}

fn parse(text: &str) -> Result<Config, Fault> {
    config::parse(text).map(|parsed| parsed.config).map_err(|problems| invalid(&problems))
}

/// All problems of a config in one message.
fn invalid(problems: &[Problem]) -> Fault {
    let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Fault::invalid(format!("Invalid config passed: {}", all.join("; "))).with_code("invalid_config")
}
