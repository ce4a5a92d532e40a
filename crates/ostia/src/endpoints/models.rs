//! `GET /v1/models` where no header names a provider, and `GET /v1/models/{name}`: the models that the operator configured,
//! those that other providers list themselves, and the aliases, in the form of the client that asks.

pub mod live;

use std::rc::Rc;

use http::{HeaderName, Response, request};
use ostia_catalog::{Rate, Terms, Unit};
use ostia_dialect::json::Writer;
use ostia_dialect::{Fault, FaultKind};

use crate::core::Core;
use crate::errors::reply;
use crate::inbound::Inbound;
use crate::message::body::Body;

/// Anthropic's clients send it with every request (<https://platform.claude.com/docs/en/api/versioning>).
const ANTHROPICS: HeaderName = HeaderName::from_static("anthropic-version");
/// OpenRouter's names of prices.
const PRICES: [(&str, Unit); 4] = [
    ("prompt", Unit::Input),
    ("completion", Unit::Output),
    ("input_cache_read", Unit::CachedInput),
    ("input_cache_write", Unit::CacheWrite),
];
/// Who owns an alias.
const OWNER: &str = "ostia";
/// When a model was made is not known.
const UNKNOWN_TIME: &str = "1970-01-01T00:00:00Z";

/// Is there a list to tell? Without one, or where it would be the default provider's alone, clients are told that one as it is.
pub fn is_known(core: &Core) -> bool {
    let settings = &core.settings;
    settings.default_provider.is_none()
        || !settings.named.aliases.is_empty()
        || settings.configured.values().any(|configured| !configured.models.is_empty())
        || live::ids(settings).iter().any(|id| Some(*id) != settings.default_provider.as_deref())
}

/// All of them: models as `@provider/model`, in the order of the providers' ids, behind the aliases.
pub async fn list(core: &Rc<Core>, parts: &request::Parts) -> Response<Body> {
    let live = live::ids(&core.settings);
    live::refresh(core, &live).await;
    let models = all(core, &live);
    let mut w = Writer::with_capacity(256);
    w.object(|w| match form(parts) {
        Form::Openai => {
            w.field_str("object", "list");
            w.field_array("data", |w| models.iter().for_each(|model| model.write(core, Form::Openai, w)));
        }
        Form::Anthropic => {
            w.field_array("data", |w| models.iter().for_each(|model| model.write(core, Form::Anthropic, w)));
            w.field_bool("has_more", false);
            for (field, model) in [("first_id", models.first()), ("last_id", models.last())] {
                match model {
                    Some(model) => w.field_str(field, &model.name),
                    None => w.key(field).null(),
                }
            }
        }
        Form::Google => {
            w.field_array("models", |w| models.iter().for_each(|model| model.write(core, Form::Google, w)));
        }
    });
    reply::json(w.into_bytes())
}

/// Is it told here? One whose name says who has it is; any other where nobody is named, and the operator's list has it: the `@` may be
/// left out, and the default provider's id too.
pub fn is_ours(inbound: Inbound<'_>, name: &str) -> bool {
    name.starts_with('@') || inbound.gateway.names_nobody() && find(inbound.core, name).is_some()
}

/// One of them, under the name that it is asked for by.
///
/// # Errors
/// 404 for a name that is not in the list.
pub async fn one(core: &Rc<Core>, name: &str, parts: &request::Parts) -> Result<Response<Body>, Fault> {
    let live = live::ids(&core.settings);
    let id = name.strip_prefix('@').and_then(|name| name.split_once('/')).map(|(id, _)| id);
    let asked: Vec<&str> = live.into_iter().filter(|live| Some(*live) == id).collect();
    live::refresh(core, &asked).await;
    let Some(model) = find(core, name) else {
        let message = format!("There is no model `{name}` in the list of GET /v1/models.");
        return Err(Fault::new(FaultKind::NotFound, message)
            .with_param("model")
            .with_code("model_not_found"));
    };
    let mut w = Writer::with_capacity(128);
    model.write(core, form(parts), &mut w);
    Ok(reply::json(w.into_bytes()))
}

/// A name to ask for.
struct Model<'a> {
    name: String,
    owner: &'a str,
}

/// In whose words.
#[derive(Clone, Copy)]
enum Form {
    /// <https://platform.openai.com/docs/api-reference/models/object>
    Openai,
    /// <https://platform.claude.com/docs/en/api/models-list>
    Anthropic,
    /// <https://ai.google.dev/api/models>
    Google,
}

fn form(parts: &request::Parts) -> Form {
    match parts.uri.path().starts_with("/v1beta/") {
        true => Form::Google,
        false if parts.headers.contains_key(ANTHROPICS) => Form::Anthropic,
        false => Form::Openai,
    }
}

/// The operator's, and those that `live` list themselves.
fn all<'a>(core: &'a Core, live: &[&'a str]) -> Vec<Model<'a>> {
    let settings = &core.settings;
    let listed = core.listed.borrow();
    let aliases = settings.named.aliases.keys().map(|name| Model { name: name.clone(), owner: OWNER });
    let configured = settings.configured.iter().map(|(id, configured)| (id.as_str(), &configured.models[..]));
    let live = live.iter().filter_map(|id| Some((*id, &listed.get(*id)?.names[..])));
    let mut providers: Vec<(&str, &[String])> = configured.chain(live).collect();
    providers.sort_unstable_by_key(|(id, _)| *id);
    let models = providers.into_iter().flat_map(|(id, models)| {
        models.iter().map(move |model| Model { name: format!("@{id}/{model}"), owner: id })
    });
    aliases.chain(models).collect()
}

fn find<'a>(core: &'a Core, name: &str) -> Option<Model<'a>> {
    let settings = &core.settings;
    let named = |owner| Some(Model { name: name.to_owned(), owner });
    if settings.named.aliases.contains_key(name) {
        return named(OWNER);
    }
    let lists = |id: &str, model: &str| {
        let (id, configured) = settings.configured.get_key_value(id)?;
        configured.models.iter().any(|listed| listed == model).then_some(id.as_str())
    };
    let with_provider = name.strip_prefix('@').unwrap_or(name).split_once('/');
    let owner =
        with_provider.and_then(|(id, model)| lists(id, model).or_else(|| lists_itself(core, id, model)));
    owner.or_else(|| lists(settings.default_provider.as_deref()?, name)).and_then(named)
}

/// The provider of this id, if its own list, where that counts, has the model.
fn lists_itself<'a>(core: &'a Core, id: &str, model: &str) -> Option<&'a str> {
    let id = live::ids(&core.settings).into_iter().find(|live| *live == id)?;
    core.listed.borrow().get(id)?.names.iter().any(|listed| listed == model).then_some(id)
}

impl Model<'_> {
    fn write(&self, core: &Core, form: Form, w: &mut Writer) {
        w.object(|w| match form {
            Form::Openai => {
                w.field_str("id", &self.name);
                w.field_str("object", "model");
                w.field_u64("created", 0);
                w.field_str("owned_by", self.owner);
                self.write_facts(core, w);
            }
            Form::Anthropic => {
                w.field_str("type", "model");
                w.field_str("id", &self.name);
                w.field_str("display_name", &self.name);
                w.field_str("created_at", UNKNOWN_TIME);
            }
            Form::Google => {
                w.field_str("name", &format!("models/{}", self.name));
                w.field_str("displayName", &self.name);
                w.field_array("supportedGenerationMethods", |w| {
                    for method in ["generateContent", "streamGenerateContent", "countTokens"] {
                        w.string(method);
                    }
                });
            }
        });
    }

    /// What the catalogue knows of it, in the fields in which OpenRouter tells the same
    /// (<https://openrouter.ai/docs/api-reference/list-available-models>): tokens, and dollars for one token.
    fn write_facts(&self, core: &Core, w: &mut Writer) {
        let settings = &core.settings;
        let Some(provider) = settings.providers.get(self.owner) else { return };
        let name = self.name.strip_prefix('@').unwrap_or(&self.name);
        let name = name.strip_prefix(self.owner).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
        let found = settings.catalog.find(self.owner, name);
        if let Some(tokens) = found.and_then(|found| found.model.context) {
            w.field_u64("context_length", tokens);
        }
        if let Some(tokens) = found.and_then(|found| found.model.output) {
            w.field_u64("max_output_tokens", tokens);
        }
        let own = settings.named.price(provider, name);
        let priced = found.filter(|found| found.form.is_priced());
        let prices = PRICES.iter().filter_map(|(field, unit)| {
            let own = own.map(|price| match unit {
                Unit::Input => Rate::parse(&price.input.to_string(), unit.quantity()).ok(),
                Unit::Output => Rate::parse(&price.output.to_string(), unit.quantity()).ok(),
                _ => None,
            });
            let listed = || Some(priced?.model.prices.rate(*unit, &Terms::default())?.0);
            Some((*field, own.unwrap_or_else(listed)?))
        });
        let prices: Vec<(&str, Rate)> = prices.collect();
        if !prices.is_empty() {
            w.field_object("pricing", |w| {
                prices.iter().for_each(|(field, rate)| w.field_str(field, &rate.text(1)));
            });
        }
    }
}
