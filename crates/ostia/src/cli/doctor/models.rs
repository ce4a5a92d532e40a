//! Each configured provider, asked for its models by the code that carries clients' calls.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, StatusCode, header};
use ostia_dialect::fault;
use ostia_providers::Provider;
use tokio::runtime::LocalOptions;
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Told;
use super::report::Finding;
use crate::config::load::Loaded;
use crate::config::provider_keys::ProviderKeys;
use crate::core::{Core, CurrentCore, Shared, Snapshot};
use crate::credentials::Credentials;
use crate::endpoints::models::live::{self, Unasked};
use crate::log::{Filter, Format, Log};
use crate::meters::Meters;
use crate::record::records::Records;
use crate::responses_api::ResponseStore;
use crate::upstream::{SendFault, Timeouts};

/// How long a provider may take: nobody waits ten minutes for a doctor.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How many missing models are named.
const MISSING_NAMED: usize = 3;

/// What a provider said.
#[derive(Debug)]
pub struct Answer {
    pub finding: Finding,
    /// What time it told.
    pub date: Option<Told>,
}

/// The key alone, where nobody is to be asked.
pub fn key(loaded: &Loaded, id: &str) -> Finding {
    let settings = &loaded.settings;
    match settings.providers.get(id).filter(|provider| provider.needs_key()) {
        None => Finding::ok(id, "needs no key"),
        Some(provider) => match settings.keys.get(id) {
            Some(ProviderKeys::One(_)) => Finding::ok(id, "has a key"),
            Some(keys) => Finding::ok(id, format!("has {} keys", keys.len())),
            None => without_key(provider, loaded.settings.loopback),
        },
    }
}

fn without_key(provider: &Provider, loopback: bool) -> Finding {
    let id = &provider.id;
    let next = match provider.key_env.first() {
        Some(name) if loopback => format!("set {name}, or put api_key under providers.{id}"),
        Some(_) | None => format!("put api_key under providers.{id}"),
    };
    Finding::warn(id, "has no key: clients have to bring theirs", next)
}

/// Asks all of them at once, and with each of its keys where one has several.
pub fn ask_each(loaded: Loaded, ids: &BTreeSet<String>) -> Vec<Answer> {
    let failed = |error: std::io::Error| {
        vec![Answer { finding: Finding::fail("providers", error.to_string(), "try again"), date: None }]
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    runtime.block_on(async {
        let core = CurrentCore::new(shared(loaded)).get();
        let places = |id: &String| core.settings.keys.get(id).map_or(1, ProviderKeys::len);
        let each = ids.iter().flat_map(|id| (0..places(id)).map(move |place| (id.clone(), place)));
        let asking: Vec<_> = each
            .map(|(id, place)| {
                let core = core.clone();
                tokio::task::spawn_local(async move { ask(&core, &id, place).await })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asking {
            answers.extend(answer.await);
        }
        answers
    })
}

fn shared(mut loaded: Loaded) -> Shared {
    let Timeouts { connect, first_byte, idle, total } = loaded.settings.timeouts;
    loaded.settings.timeouts = Timeouts {
        connect: connect.min(CONNECT_MAX),
        first_byte: first_byte.min(ANSWER_MAX),
        idle: idle.min(ANSWER_MAX),
        total: total.min(ANSWER_MAX),
    };
    let responses = ResponseStore::new(loaded.fixed.responses.bytes as u64, loaded.fixed.responses.keep);
    let (_, snapshots) = watch::channel(Snapshot::first(loaded));
    let (log, _) = Log::new(Filter::default(), Format::Text);
    let credentials = Credentials::new(snapshots.borrow().network(), log.clone());
    Shared {
        batches: None,
        snapshots,
        responses,
        state: Arc::default(),
        records: Records::default(),
        credentials,
        log,
        store: None,
        meters: Meters::default(),
    }
}

/// `place`: which of several keys is shown.
async fn ask(core: &Rc<Core>, id: &str, place: usize) -> Answer {
    let silent = |finding| Answer { finding, date: None };
    let Some(provider) = core.settings.providers.get(id) else {
        return silent(Finding::fail(id, "is not known", "`ostia providers` lists all"));
    };
    let needs_key = provider.needs_key() && !core.settings.keys.contains_key(id);
    if needs_key {
        return silent(without_key(provider, core.settings.loopback));
    }
    let started = Instant::now();
    let keys = core.settings.keys.get(id);
    let several = match keys {
        Some(ProviderKeys::Several(list)) => list.secret(place).map(|secret| (secret, list.keys.len())),
        Some(ProviderKeys::One(_)) | None => None,
    };
    let about = several.map_or(id.to_owned(), |(_, count)| format!("{id}, key {} of {count}", place + 1));
    let response = match live::send(core, id, several.map(|(secret, _)| secret), started).await {
        Ok(response) => response,
        Err(Unasked::Target(why)) => {
            return silent(Finding::fail(&about, why, "see docs/configuration.md, Providers"));
        }
        Err(Unasked::Sent(fault)) => return silent(Finding::fail(&about, fault.to_string(), remedy(&fault))),
    };
    let (head, body) = response.into_parts();
    let date = told(head.headers.get(header::DATE));
    let body = live::read(body).await;
    let took = started.elapsed().as_millis();
    let finding = match (head.status.as_u16(), body) {
        (_, Err(error)) => Finding::fail(&about, format!("its answer broke off: {error}"), "try again"),
        (200, Ok(body)) => listed(&about, id, &core.settings.configured, &body, took),
        (status, Ok(body)) => refused(&about, provider, status, &body, took),
    };
    Answer { finding, date }
}

fn told(date: Option<&HeaderValue>) -> Option<Told> {
    let date = httpdate::parse_http_date(date?.to_str().ok()?).ok()?;
    Some(Told { date, here: SystemTime::now() })
}

/// It answered with its models.
fn listed(
    about: &str,
    id: &str,
    configured: &std::collections::HashMap<String, crate::config::settings::Configured>,
    body: &[u8],
    took: u128,
) -> Finding {
    let Some(models) = live::names_in(body) else {
        let next = "is base_url that of an API of models?";
        return Finding::warn(about, format!("answers in {took} ms, but not with a list of models"), next);
    };
    let wanted = configured.get(id).map(|configured| configured.models.as_slice()).unwrap_or_default();
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|model| !models.iter().any(|known| known == model))
        .take(MISSING_NAMED)
        .collect();
    let count = models.len();
    match missing.is_empty() {
        true => Finding::ok(about, format!("{count} models, in {took} ms")),
        false => {
            let next = format!("correct providers.{id}.models, unless the provider hides what it offers");
            Finding::warn(about, format!("{count} models, but not {}", missing.join(", ")), next)
        }
    }
}

/// It answered with an error.
fn refused(about: &str, provider: &Provider, status: u16, body: &[u8], took: u128) -> Finding {
    let id = &provider.id;
    let says = fault::from_answer(status, body).message;
    let found = format!("answers with {status}: {says}");
    let key = match provider.key_env.first() {
        Some(name) => format!("api_key under providers.{id}, or {name}"),
        None => format!("api_key under providers.{id}"),
    };
    match StatusCode::from_u16(status) {
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Finding::fail(about, found, format!("it does not take the key: look at {key}"))
        }
        Ok(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => {
            Finding::ok(about, format!("answers in {took} ms; it has no list of models"))
        }
        Ok(StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYMENT_REQUIRED) => {
            Finding::warn(about, found, "the key works, but its account has no room now")
        }
        Ok(_) | Err(_) => Finding::fail(about, found, "look at the provider's status page, and at base_url"),
    }
}

fn remedy(fault: &SendFault) -> &'static str {
    match fault {
        SendFault::Refused(_) => {
            "the gateway's own guard refuses this host: see egress in docs/configuration.md"
        }
        SendFault::Proxy(_) => {
            "look at the proxy's address and password: `proxy` in the file, or the environment's HTTPS_PROXY; NO_PROXY and \
             `proxy: none` except hosts"
        }
        SendFault::Resolve(_) | SendFault::Unchecked(_) => {
            "look at the host in base_url, and at this machine's DNS"
        }
        SendFault::Connect(_) | SendFault::ConnectTimeout => {
            "look at the host and port in base_url, at firewalls, and whether it runs"
        }
        SendFault::Tls(_) => {
            "look at the certificates that this machine trusts, at its clock, and at base_url"
        }
        SendFault::FirstByteTimeout | SendFault::Closed | SendFault::Framing(_) | SendFault::Http(_) => {
            "is base_url that of an API of models? Is http meant, or https?"
        }
    }
}
