//! How a row was asked, kept until its answer comes: the client's name for it, and how the answer is told in the client's words.

use serde_json::{Value, json};

use super::form::Outcome;
use super::{LINE_BYTES_MAX, encode_answer, encode_fault};
use crate::api::Asked;
use crate::chat::{anthropic_messages, gemini_generate, openai_chat};
use crate::json::{Document, Node, Writer};
use crate::{Api, ClientDialect, Dialect, Family, Fault, RenderOptions, Undo};

/// The most that is kept of a row, in bytes: its call, which a config may have made longer, and what stands around it.
pub const ASKED_BYTES_MAX: usize = 2 * LINE_BYTES_MAX;

/// A row that was asked.
#[derive(Debug, Clone)]
pub struct AskedRow {
    /// The client's name for it.
    pub custom_id: String,
    /// How its answer is told.
    pub reading: AskedReading,
}

/// How the answer of a row is told.
#[derive(Debug, Clone)]
pub enum AskedReading {
    /// As it came, to a client of this API.
    AsItIs(Api),
    /// In the form of the client's call, which was told in another vendor's.
    Told(ToldCall),
    /// As a conversation, read and written anew.
    Conversation {
        /// The client's dialect.
        client: ClientDialect,
        /// The vendor's.
        upstream: Dialect,
        /// The model that was asked for.
        model: String,
        /// What has to be undone.
        undo: Undo,
    },
}

/// A call that is no conversation, told in another vendor's form. How its answer is read depends on what it asked, so all of that is kept.
#[derive(Debug, Clone)]
pub struct ToldCall {
    /// The client's API.
    pub api: Api,
    /// The API that it was told to, as [`Translator::upstream`](crate::api::Translator) names it.
    pub upstream: Api,
    /// The model that the client's path names; empty where the body does.
    pub path_model: String,
    /// The model that was asked for in place of the client's.
    pub model: Option<String>,
    /// The client's body: a JSON object.
    pub body: Vec<u8>,
}

/// What is the same for all rows of a batch.
#[derive(Debug, Clone)]
pub struct Telling {
    /// The batch's name.
    pub batch: String,
    /// The provider that answered.
    pub provider: String,
    /// Exactly the fields of the client's dialect.
    pub strict: bool,
    /// Seconds since 1970 to show where the answer says none.
    pub created_s: u64,
}

impl AskedRow {
    /// As it is kept.
    pub fn encode(&self) -> Vec<u8> {
        let kept = match &self.reading {
            AskedReading::AsItIs(api) => json!({"id": self.custom_id, "api": api.name()}),
            AskedReading::Told(call) => return call.encode(&self.custom_id),
            AskedReading::Conversation { client, upstream, model, undo } => {
                let (client, upstream) = (client.dialect().name(), upstream.name());
                json!({"id": self.custom_id, "client": client, "upstream": upstream, "model": model, "undo": undo.kept()})
            }
        };
        kept.to_string().into_bytes()
    }

    /// The way back; `None` for what this has not written.
    pub fn decode(kept: &[u8]) -> Option<AskedRow> {
        let document = Document::parse_to(kept, 1).ok()?;
        let root = document.root();
        let custom_id = root.str("id")?.into_owned();
        let reading = match (root.some("body"), root.str("api")) {
            (Some(body), _) => AskedReading::Told(ToldCall::decode(root, body)?),
            (None, Some(name)) => AskedReading::AsItIs(Api::from_name(&name)?),
            (None, None) => conversation(root)?,
        };
        Some(AskedRow { custom_id, reading })
    }

    /// The line of the results for the row of this number.
    pub fn tell(&self, number: u64, outcome: &Outcome<'_>, telling: &Telling) -> Vec<u8> {
        let id = (telling.batch.as_str(), number);
        let told = match outcome {
            Outcome::Answer(answer) => self.answer(number, answer, telling),
            Outcome::Refused(fault) => Err((**fault).clone()),
            Outcome::NotAsked(code, message) => return encode_fault(id, &self.custom_id, code, message),
        };
        let (status, body) = match told {
            Ok(body) => (200, body),
            Err(fault) => (fault.status, self.refusal(&fault, telling)),
        };
        let request_id = format!("{}_{number}", telling.batch);
        encode_answer(id, &self.custom_id, status, &request_id, &body)
    }

    fn answer(&self, number: u64, answer: &str, telling: &Telling) -> Result<Vec<u8>, Fault> {
        let (client, upstream, model, undo) = match &self.reading {
            AskedReading::AsItIs(_) => return Ok(answer.as_bytes().to_vec()),
            AskedReading::Told(call) => return call.answer(answer),
            AskedReading::Conversation { client, upstream, model, undo } => (client, upstream, model, undo),
        };
        let mut response = upstream.decode(answer.as_bytes())?;
        undo.response(&mut response);
        let id: String = telling.batch.chars().filter(char::is_ascii_alphanumeric).collect();
        let options = RenderOptions {
            strict: telling.strict,
            include_usage: false,
            id_suffix: format!("{id}{number}"),
            model: model.clone(),
            created: telling.created_s,
            provider: telling.provider.clone(),
            echo: Vec::new(),
        };
        Ok(client.encode(&response, &options))
    }

    fn refusal(&self, fault: &Fault, telling: &Telling) -> Vec<u8> {
        let family = match &self.reading {
            AskedReading::AsItIs(api) => api.family(),
            AskedReading::Told(call) => call.api.family(),
            AskedReading::Conversation { client, .. } => Api::of_dialect(client.dialect()).family(),
        };
        match family {
            Family::Openai => openai_chat::error::encode(fault, Some(&telling.provider)),
            Family::Anthropic => anthropic_messages::error::encode(fault, None),
            Family::Google => gemini_generate::error::encode(fault),
        }
    }
}

fn conversation(root: Node<'_>) -> Option<AskedReading> {
    let named = |name: &str| {
        let told = root.str(name)?;
        Dialect::ALL.into_iter().find(|dialect| dialect.name() == told)
    };
    let undo: Value = serde_json::from_str(root.get("undo")?.text()).ok()?;
    Some(AskedReading::Conversation {
        client: ClientDialect::of(named("client")?)?,
        upstream: named("upstream")?,
        model: root.str("model")?.into_owned(),
        undo: Undo::of_kept(&undo)?,
    })
}

impl ToldCall {
    fn encode(&self, custom_id: &str) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.body.len() + 256);
        w.object(|w| {
            w.field_str("id", custom_id);
            w.field_str("api", self.api.name());
            w.field_str("upstream", self.upstream.name());
            w.field_str("path_model", &self.path_model);
            if let Some(model) = &self.model {
                w.field_str("model", model);
            }
            w.field_raw("body", &String::from_utf8_lossy(&self.body));
        });
        w.into_bytes()
    }

    fn decode(root: Node<'_>, body: Node<'_>) -> Option<ToldCall> {
        let api = |name: &str| Api::from_name(&root.str(name)?);
        Some(ToldCall {
            api: api("api")?,
            upstream: api("upstream")?,
            path_model: root.str("path_model")?.into_owned(),
            model: root.str("model").map(|model| model.into_owned()),
            body: body.text().as_bytes().to_vec(),
        })
    }

    /// The answer in the client's form.
    fn answer(&self, answer: &str) -> Result<Vec<u8>, Fault> {
        let unknown =
            || Fault::upstream(format!("Answers to {} are not told in another form.", self.api.name()));
        let translator = self.api.translator().ok_or_else(unknown)?;
        let asked = Asked {
            api: self.api,
            path_model: &self.path_model,
            model: self.model.as_deref(),
            body: &self.body,
            inputs_max: None,
        };
        let told = (translator.translate)(asked, self.upstream)?;
        let (body, _) = told.reader.read(answer.as_bytes())?;
        Ok(body)
    }
}
