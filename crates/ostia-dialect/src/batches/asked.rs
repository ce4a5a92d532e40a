//! How a row was asked, kept until its answer comes: the client's name for it, and how the answer is told in the client's words.

use serde_json::{Value, json};

use super::form::Outcome;
use super::{encode_answer, encode_fault};
use crate::chat::{anthropic_messages, gemini_generate, openai_chat};
use crate::{Api, ClientDialect, Dialect, Family, Fault, RenderOptions, Undo};

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
            AskedReading::Conversation { client, upstream, model, undo } => {
                let (client, upstream) = (client.dialect().name(), upstream.name());
                json!({"id": self.custom_id, "client": client, "upstream": upstream, "model": model, "undo": undo.kept()})
            }
        };
        kept.to_string().into_bytes()
    }

    /// The way back; `None` for what this has not written.
    pub fn decode(kept: &[u8]) -> Option<AskedRow> {
        let kept: Value = serde_json::from_slice(kept).ok()?;
        let text = |name: &str| kept[name].as_str();
        let custom_id = text("id")?.to_owned();
        let reading = match text("api") {
            Some(name) => AskedReading::AsItIs(Api::from_name(name)?),
            None => {
                let named =
                    |name: &str| Dialect::ALL.into_iter().find(|dialect| Some(dialect.name()) == text(name));
                AskedReading::Conversation {
                    client: ClientDialect::of(named("client")?)?,
                    upstream: named("upstream")?,
                    model: text("model")?.to_owned(),
                    undo: Undo::of_kept(&kept["undo"])?,
                }
            }
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
        let AskedReading::Conversation { client, upstream, model, undo } = &self.reading else {
            return Ok(answer.as_bytes().to_vec());
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
            AskedReading::Conversation { client, .. } => Api::of_dialect(client.dialect()).family(),
        };
        match family {
            Family::Openai => openai_chat::error::encode(fault, Some(&telling.provider)),
            Family::Anthropic => anthropic_messages::error::encode(fault, None),
            Family::Google => gemini_generate::error::encode(fault),
        }
    }
}
