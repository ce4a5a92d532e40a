//! Servers that refuse what their vendors refuse: each request is held against the vendor's rules, and the first one that is
//! broken is told with 400 in the vendor's words. What agents and gateways send stands in the rules; no server here knows all
//! of its vendor's.

mod anthropic;
mod bedrock;
mod compatible;
mod google;
mod invoke;
mod ollama;
mod openai_chat;
mod openai_responses;
mod rule;
mod schema;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::model::Speech;
use crate::vendor::{anthropic as messages, bedrock as converse, gemini, ollama as ollama_chat};
use crate::{Answer, Request};

/// Whose rules a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// OpenAI, Chat Completions.
    OpenAiChat,
    /// OpenAI, Responses.
    OpenAiResponses,
    /// Anthropic.
    Anthropic,
    /// Google.
    Google,
    /// Amazon, Converse.
    Bedrock,
    /// Amazon, InvokeModel with a model of Anthropic's.
    Invoke,
    /// A server in OpenAI's format that takes what every one of its kind takes, and nothing besides.
    Compatible,
    /// Ollama, its own chat.
    Ollama,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The field, as the vendor writes it: `messages[0].content`.
    pub path: String,
    /// What is wrong with it.
    pub words: String,
}

/// What a model was asked in: the model, and the request's headers that open fields of the body.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    model: &'a str,
    body: &'a Value,
    betas: &'a str,
    /// What the server takes as the proof of a thought.
    proof: &'a str,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Vendor; 8] = [
        Vendor::OpenAiChat,
        Vendor::OpenAiResponses,
        Vendor::Anthropic,
        Vendor::Google,
        Vendor::Bedrock,
        Vendor::Invoke,
        Vendor::Compatible,
        Vendor::Ollama,
    ];

    /// The format.
    pub fn speech(self) -> Speech {
        match self {
            Vendor::OpenAiChat | Vendor::Compatible => Speech::Chat,
            Vendor::OpenAiResponses => Speech::Responses,
            Vendor::Anthropic | Vendor::Invoke => Speech::Messages,
            Vendor::Google => Speech::Gemini,
            Vendor::Bedrock => Speech::Converse,
            Vendor::Ollama => Speech::Ollama,
        }
    }

    /// Holds a request against the rules. `proof` is the only proof of a thought that the server has given.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(self, request: &Request, proof: &str) -> Result<(), Refusal> {
        let body = request.json();
        let mut segments = request.target.rsplit('/');
        let in_path = match self {
            Vendor::Bedrock | Vendor::Invoke => {
                segments.nth(1).map(|word| word.replace("%3A", ":").replace("%2F", "/"))
            }
            _ => segments.next().and_then(|word| word.split(':').next()).map(str::to_owned),
        };
        let model = body["model"].as_str().map(str::to_owned).or(in_path).unwrap_or_default();
        let betas = request.header("anthropic-beta").unwrap_or_default();
        self.check_asked(&Asked { model: &model, body: &body, betas: &betas, proof })
    }

    /// The same for a body alone, of this model.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_body(self, model: &str, body: &Value, proof: &str) -> Result<(), Refusal> {
        self.check_asked(&Asked { model, body, betas: "", proof })
    }

    fn check_asked(self, asked: &Asked<'_>) -> Result<(), Refusal> {
        match self {
            Vendor::OpenAiChat => openai_chat::check(asked),
            Vendor::OpenAiResponses => openai_responses::check(asked),
            Vendor::Anthropic => anthropic::check(asked),
            Vendor::Google => google::check(asked),
            Vendor::Bedrock => bedrock::check(asked),
            Vendor::Invoke => invoke::check(asked),
            Vendor::Compatible => compatible::check(asked),
            Vendor::Ollama => ollama::check(asked),
        }
    }

    /// The answer to a request that is refused.
    pub fn refuse(self, refusal: &Refusal) -> Answer {
        let Refusal { path, words } = refusal;
        let body = match self {
            Vendor::OpenAiChat | Vendor::OpenAiResponses | Vendor::Compatible => {
                json!({"error": {"message": format!("Invalid '{path}': {words}"), "type": "invalid_request_error",
                                 "param": path, "code": "invalid_value"}})
                .to_string()
            }
            Vendor::Anthropic => messages::error("invalid_request_error", &format!("{path}: {words}")),
            Vendor::Google => gemini::error(400, "INVALID_ARGUMENT", &format!("{path}: {words}")),
            Vendor::Bedrock | Vendor::Invoke => converse::error(&format!("{path}: {words}")),
            Vendor::Ollama => ollama_chat::error(&format!("json: {path}: {words}")),
        };
        Answer::json(body).status(400)
    }
}
