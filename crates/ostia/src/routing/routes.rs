//! Routing configs, compiled: those of the operator by name, and those that requests bring by their text.

mod cache;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderValue;
use ostia_dialect::Fault;
use ostia_routing::config::{self, Config, Problem, Unsupported};
use ostia_routing::{Route, State, nearest};

use crate::config::settings::{GatewayKey, Named, Settings};
use crate::inbound::call::Call;
use cache::Cache;

/// The configs of one core. Every request of a config holds on to its route: if cores shared them, each request would
/// change what the others count by.
#[derive(Debug)]
pub struct Compiled {
    /// The operator's, by name.
    named: BTreeMap<String, Arc<Route>>,
    /// Models that stand for a config.
    aliases: BTreeMap<String, Arc<Route>>,
    /// Those of clients.
    clients: RefCell<Cache>,
    /// What the requests of one config share, over all cores.
    state: Arc<State>,
}

impl Compiled {
    /// The operator's configs.
    pub fn new(operators: &Named, state: Arc<State>) -> Compiled {
        let own = |routes: &BTreeMap<String, Route>| {
            routes.iter().map(|(name, route)| (name.clone(), Arc::new(route.clone()))).collect()
        };
        let (named, aliases) = (own(&operators.configs), own(&operators.aliases));
        Compiled { named, aliases, clients: RefCell::default(), state }
    }

    /// The route of a config's name.
    fn named(&self, name: &str) -> Result<Arc<Route>, Fault> {
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
    fn route(&self, text: &str) -> Result<Arc<Route>, Fault> {
        if let Some(route) = self.clients.borrow().find(text) {
            return Ok(route);
        }
        let compiled = Route::new(&parse(text)?, &self.state);
        let route = Arc::new(compiled.map_err(|problem| invalid(&[problem]))?);
        self.clients.borrow_mut().keep(text, route.clone());
        Ok(route)
    }
}

/// The route of a request: of the config that it names or brings, of its key, of its model, or the operator's default.
///
/// # Errors
/// 400 for a config that is wrong or not there, or asks for what the gateway cannot do.
pub fn find(
    settings: &Settings,
    compiled: &Compiled,
    call: &Call,
    model: Option<&str>,
) -> Result<Option<Arc<Route>>, Fault> {
    // Whoever says whom to ask is not asked again.
    let says_whom = call.provider.is_some() || model.is_some_and(|model| model.starts_with('@'));
    let route = if let Some(config) = &call.config {
        given(compiled, config)?
    } else if let Some(name) = key(settings, call).and_then(|key| key.config.as_deref()) {
        compiled.named(name)?
    } else if says_whom {
        return Ok(None);
    } else if let Some(alias) = model.and_then(|model| compiled.aliases.get(model)) {
        alias.clone()
    } else if let Some(name) = &settings.named.default {
        compiled.named(name)?
    } else {
        return Ok(None);
    };
    match route.unsupported() {
        [] => Ok(Some(route)),
        parts => Err(unsupported(parts)),
    }
}

/// The gateway's own key that a request shows.
pub fn key<'s>(settings: &'s Settings, call: &Call) -> Option<&'s GatewayKey> {
    call.caller.key(settings)
}

/// What the author of a request's config should hear: fields that nobody reads, or that have no effect where they stand.
pub fn warnings(call: &Call) -> Vec<String> {
    let text = call.config.as_ref().and_then(|config| config.to_str().ok()).unwrap_or_default();
    config::parse(text)
        .map_or_else(|_| Vec::new(), |parsed| parsed.warnings.iter().map(Problem::to_string).collect())
}

fn given(compiled: &Compiled, config: &HeaderValue) -> Result<Arc<Route>, Fault> {
    let refused =
        |_| Fault::invalid("Invalid header `x-ostia-config`: must be plain text").with_param("config");
    let text = config.to_str().map_err(refused)?.trim();
    match text.starts_with('{') {
        true => compiled.route(text),
        false => compiled.named(text),
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

fn unsupported(parts: &[Unsupported]) -> Fault {
    let all: Vec<String> = parts.iter().map(|part| format!("{} ({})", part.path, part.what)).collect();
    let message = format!("This gateway cannot do these parts of the config yet: {}.", all.join(", "));
    Fault::invalid(message).with_code("config_unsupported").with_param("config")
}
