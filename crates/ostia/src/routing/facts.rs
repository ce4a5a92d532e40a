//! What routing may ask about a request. Nothing is looked up before it is asked for.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::SystemTime;

use ostia_catalog::{Currency, Date, Found, Terms, Unit, Usage, cost};
use ostia_dialect::ClientDialect;
use ostia_dialect::json::{Document, Kind, Node};
use ostia_providers::prepare;
use ostia_routing::condition::{Field, Step};
use ostia_routing::{Fact, Facts, Route};
use serde_json::Value;

use crate::exchange::payload::Payload;
use crate::inbound::Inbound;
use crate::inbound::credentials::KEY_HEADERS;
use crate::responses_api::StoreHandle;
use crate::target;

/// Headers that hold credentials besides [`KEY_HEADERS`]: conditions do not see them.
const SECRET: [&str; 5] =
    ["authorization", "cookie", "proxy-authorization", "x-ostia-api-key", "x-portkey-api-key"];
/// Bytes of a body that count as one token where it cannot be read as a conversation.
const BYTES_PER_TOKEN: usize = 4;

/// Tokens of an answer whose length nobody bounds.
const ANSWER_TOKENS_USUAL: u64 = 500;
/// Prices are for so many tokens.
const TOKENS_PRICED: f64 = 1e6;

/// A request that follows a route, for whoever decides where it goes, and whoever takes it there.
pub struct RequestFacts<'p, 'a> {
    /// The request.
    pub inbound: Inbound<'p>,
    /// What is asked.
    pub payload: Payload<'p, 'a>,
    /// The route.
    pub route: &'p Route,
    /// Who remembers the answer, where that is settled already.
    pub keep: Option<&'p Rc<StoreHandle>>,
    metadata: OnceCell<Option<Value>>,
    tokens: OnceCell<u64>,
}

impl<'p, 'a> RequestFacts<'p, 'a> {
    /// The facts of a request that follows a route.
    pub fn new(
        inbound: Inbound<'p>,
        payload: Payload<'p, 'a>,
        route: &'p Route,
        keep: Option<&'p Rc<StoreHandle>>,
    ) -> RequestFacts<'p, 'a> {
        RequestFacts { inbound, payload, route, keep, metadata: OnceCell::new(), tokens: OnceCell::new() }
    }

    /// The model that the client names.
    fn model(&self) -> Option<&str> {
        self.payload.asked().model()
    }

    /// The estimated tokens of the input.
    fn tokens(&self) -> u64 {
        *self.tokens.get_or_init(|| {
            let Some(call) = self.payload.api() else { return 0 };
            let client = call.api.dialect().and_then(ClientDialect::of);
            let request = client.and_then(|client| prepare::decode(client, call, call.whole().ok()?).ok());
            request.map_or((call.body.len() / BYTES_PER_TOKEN) as u64, |request| request.estimated_tokens())
        })
    }

    /// The number in the first of these fields of the body that has one.
    fn number(&self, names: &[&str]) -> Option<u64> {
        let root = self.payload.api()?.document.root();
        names.iter().find_map(|name| root.u64(name))
    }

    fn metadata(&self) -> Option<&Value> {
        let read = || serde_json::from_str(self.inbound.gateway.metadata.as_ref()?.to_str().ok()?).ok();
        self.metadata.get_or_init(read).as_ref()
    }

    /// A field of the body, as it stands there.
    fn param(&self, steps: &[Step]) -> Option<Fact<'_>> {
        let (first, rest) = steps.split_first()?;
        let field = self.document(steps)?.root().some(&first.key)?;
        let found = rest.iter().try_fold(field, |node, step| match node.kind() {
            Kind::Object => node.get(&step.key),
            Kind::Array => node.items().nth(step.index?),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        })?;
        fact(found)
    }

    /// The body, recorded as deep as these steps lead.
    fn document(&self, steps: &[Step]) -> Option<&Document<'a>> {
        let call = self.payload.api()?;
        if steps.len() < 2 { Some(&call.document) } else { call.whole().ok() }
    }

    /// The name of the gateway key that the client shows.
    fn key(&self) -> Option<&str> {
        self.inbound.caller.key(&self.inbound.core.settings.gateway_keys)?.name.as_deref()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.inbound
            .parts
            .headers
            .get(name)
            .filter(|_| !SECRET.contains(&name) && !KEY_HEADERS.contains(&name))?
            .to_str()
            .ok()
    }
}

/// What such a call costs after the catalogue, in dollars; nothing where it does not say so of this very model.
fn expected_cost(found: &Found<'_>, usage: &Usage, terms: &Terms<'_>) -> Option<f64> {
    let total = cost(usage, &found.model.prices, terms).ok()?.total;
    (found.form.is_priced() && total.currency == Currency::USD).then(|| total.to_f64())
}

fn fact(node: Node<'_>) -> Option<Fact<'_>> {
    match node.kind() {
        Kind::String => node.as_str().map(Fact::Text),
        Kind::Array | Kind::Object => Some(Fact::Json(node.text())),
        Kind::Null | Kind::Bool | Kind::Number => {
            serde_json::from_str::<Value>(node.text()).ok().map(Fact::from)
        }
    }
}

impl Facts for RequestFacts<'_, '_> {
    fn get(&self, field: &Field) -> Option<Fact<'_>> {
        match field {
            Field::Metadata(key) => self.metadata()?.get(key).map(Fact::from),
            Field::Param(steps) => self.param(steps),
            Field::Header(name) => self.header(name).map(Fact::from),
            Field::Path => Some(self.inbound.parts.uri.path().into()),
            Field::Method => Some(self.inbound.parts.method.as_str().into()),
            Field::Operation => self.payload.api().map(|call| call.api.name().into()),
            Field::Model => self.model().map(Fact::from),
            Field::Tokens => Some(Value::from(self.tokens()).into()),
            Field::Key => self.key().map(Fact::from),
            Field::Time(_) => None,
        }
    }

    /// The way to a field of the body leads past all that stands before it.
    fn cost(&self, field: &Field) -> u64 {
        match field {
            Field::Param(steps) => self.document(steps).map_or(1, |document| document.nodes() as u64),
            _ => 1,
        }
    }

    fn unix_s(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// After the operator's prices; where there is none, after the catalogue's.
    fn price(&self, leaf: usize) -> Option<f64> {
        let leaf = self.route.leaves().get(leaf)?;
        let target = target::resolve(self.inbound, Some(leaf), self.payload.asked()).ok()?;
        let model = target.model.as_deref().or(self.model())?;
        let bounds = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
        let answer = self.number(&bounds).unwrap_or(ANSWER_TOKENS_USUAL);
        let settings = &self.inbound.core.settings;
        match settings.named.price(target.provider, model) {
            Some(price) => {
                Some((self.tokens() as f64 * price.input + answer as f64 * price.output) / TOKENS_PRICED)
            }
            None => {
                let usage = Usage::default().with(Unit::Input, self.tokens()).with(Unit::Output, answer);
                let terms = Terms { on: Date::at_unix_s(self.unix_s()), ..Terms::default() };
                let found = settings.catalog.find(&target.provider.id, model)?;
                expected_cost(&found, &usage, &terms)
            }
        }
    }
}
