//! How an OpenAI-compatible provider differs from OpenAI.
//!
//! Without quirks a provider is taken at its word: requests are sent and answers relayed as OpenAI's. Each field
//! says one difference, what sends or reads it has to do, and is there because a vendor's page or a recording shows
//! it; the rows in `providers.yaml` cite which. Quirks concern the APIs in OpenAI's formats; other dialects are
//! only spoken as their own vendor speaks them.

mod adapt;
mod limits;

pub use adapt::adapt;
pub use limits::Limits;

use ostia_dialect::{EncodeOptions, MediaKind, OPENAI_FEATURES};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The differences of one provider. All fields default to "as OpenAI".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Request: the provider makes requests fit its models by itself, so that relayed ones are not repaired where their model
    /// would refuse a field ([`ostia_dialect::rules`]).
    pub fits_models: bool,
    /// Of every API: no name of its models has a slash, so that one in `anthropic/claude-sonnet-4-5` ends the name of another provider.
    pub plain_models: bool,
    /// Request, chat: the only name under which the vendor takes the output limit. The other name is sent as this
    /// one, in relayed requests too; where both are there, the vendor's own name stays and the other goes.
    /// Absent: both are understood; relayed requests are not touched, translated ones say `max_completion_tokens`.
    pub max_tokens: Option<MaxTokens>,
    /// Request, chat: the role that messages of role `developer` are sent with, for vendors that refuse it.
    pub system_role: Option<SystemRole>,
    /// Request, any API in OpenAI's format: top-level fields with another name here, OpenAI's name to the
    /// vendor's (`seed: random_seed`). Where both are there, the vendor's own name stays and the other goes.
    pub rename: BTreeMap<String, String>,
    /// The same of fields whose value is a text: `tool_choice: tool_choice_option`, which holds `auto`, while the choice of a tool
    /// keeps its name.
    pub rename_words: BTreeMap<String, String>,
    /// Request, chat: fields that the vendor answers with an error, by name at the top (`logit_bias`) or in every
    /// message (`messages[].name`). They are left out and reported as dropped. `stream_options` here also means that
    /// the gateway must not add it to learn the usage (such vendors send the usage without being asked).
    pub drop: Vec<String>,
    /// Request, chat: the field of an assistant message in which the vendor takes the reasoning of earlier turns
    /// back. Absent: it is not sent back. For the way here nothing has to be said: `reasoning_content` and
    /// `reasoning` are read in every answer, and this field, should it be another.
    pub reasoning_field: Option<String>,
    /// Request, chat and Responses: what of OpenAI's own the vendor takes, by the names of [`ostia_dialect::OPENAI_FEATURES`], or
    /// `all`. What is not named here is not sent by translation, and reported as dropped or said in another way. Relayed requests
    /// are not touched; a Responses request with tools that clients run and that are no functions is told anew.
    #[serde(deserialize_with = "all_or_some")]
    pub takes: Takes,
    /// Request and answer, chat: `content` may be a list of parts, in messages and in deltas: `text`, `reference`,
    /// and `thinking` with its text in a list of its own. Reasoning in the history is sent back as such a part.
    pub content_parts: bool,
    /// Request, chat: every message must have a `content` that is a text. A list of texts alone becomes one, with line ends between
    /// them, and one that is `null` or missing an empty one.
    pub text_content: bool,
    /// Answer, chat: what comes breaks clients that expect OpenAI's format (content that is no string, finish
    /// reasons that are not in the set, empty objects for absent things), so answers to a Chat Completions client
    /// are decoded and encoded anew instead of being relayed byte for byte. Costs unknown fields and time; so only
    /// where a typed client fails otherwise.
    pub repair: bool,
    /// Request, any conversation: the kinds of media (`image`, `audio`, `video`, `document`) that the vendor fetches from
    /// addresses of the web. All others are fetched here, and sent as bytes, in relayed requests too. Absent: relayed requests are
    /// not touched, and translated ones go by the table of their dialect ([`ostia_dialect::limits::MediaForms`]).
    #[serde(deserialize_with = "kinds_of_media")]
    pub media_urls: Option<Vec<MediaKind>>,
    /// Request, translated: what this vendor takes, where that is more or less than OpenAI takes.
    pub limits: Limits,
}

/// What of OpenAI's own Chat Completions a vendor takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// All of it.
    All,
    /// These of [`ostia_dialect::OPENAI_FEATURES`].
    Some(Vec<String>),
}

impl Default for Takes {
    fn default() -> Takes {
        Takes::Some(Vec::new())
    }
}

fn all_or_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Takes, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Word::deserialize(deserializer)? {
        Word::One(word) if word == "all" => Takes::All,
        Word::One(word) => Takes::Some(vec![word]),
        Word::Many(words) => Takes::Some(words),
    })
}

fn kinds_of_media<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<MediaKind>>, D::Error> {
    let kind = |word: String| {
        let known = MediaKind::ALL.into_iter().find(|kind| kind.name() == word);
        known
            .ok_or_else(|| D::Error::custom(format!("{word:?} must be one of image, audio, video, document")))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(kind).collect::<Result<_, _>>().map(Some)
}

/// The two names of the output limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokens {
    /// OpenAI's first name, which most compatible servers know.
    MaxTokens,
    /// OpenAI's present name.
    MaxCompletionTokens,
}

/// Roles that can stand for `developer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemRole {
    /// `system`, OpenAI's name before reasoning models.
    System,
}

impl MaxTokens {
    /// The field's name in the request.
    pub fn name(self) -> &'static str {
        match self {
            MaxTokens::MaxTokens => "max_tokens",
            MaxTokens::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

impl Quirks {
    /// Have requests in OpenAI's format to be edited?
    pub fn edits(&self) -> bool {
        self.max_tokens.is_some()
            || self.system_role.is_some()
            || !self.rename.is_empty()
            || !self.rename_words.is_empty()
            || !self.drop.is_empty()
            || self.text_content
            || self.limits.tool_ids.is_some()
    }

    /// Does the vendor take this one of [`ostia_dialect::OPENAI_FEATURES`]?
    pub fn takes(&self, feature: &str) -> bool {
        match &self.takes {
            Takes::All => true,
            Takes::Some(features) => features.iter().any(|name| name == feature),
        }
    }

    /// What they say of requests that are written anew in OpenAI's format.
    pub fn encode_options(&self) -> EncodeOptions {
        EncodeOptions {
            reasoning_field: self.reasoning_field.clone(),
            reasoning_parts: self.content_parts,
            usage_unasked: self.drop.iter().any(|field| field == "stream_options"),
            takes: match &self.takes {
                Takes::All => None,
                Takes::Some(features) => Some(features.clone()),
            },
            limits: self.limits.overrides(),
            media_urls: self.media_urls.clone(),
        }
    }

    /// What is wrong with them: the field, and what.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (from, to) in self.rename.iter().chain(&self.rename_words) {
            if from == to || from.is_empty() || to.is_empty() {
                problems.push((format!("rename.{from}"), "must be two different names".to_owned()));
            }
            if self.drop.contains(from) {
                let what = "is in drop as well; say one of the two".to_owned();
                problems.push((format!("rename.{from}"), what));
            }
        }
        if let Takes::Some(features) = &self.takes {
            let unknown = features.iter().filter(|feature| !OPENAI_FEATURES.contains(&feature.as_str()));
            let all = OPENAI_FEATURES.join(", ");
            let what = |feature| format!("{feature:?} must be all, or some of {all}");
            problems.extend(unknown.map(|feature| ("takes".to_owned(), what(feature))));
        }
        for field in &self.drop {
            let name = field.strip_prefix("messages[].").unwrap_or(field);
            if name.is_empty() || name.contains(['[', ']', '.', '/', ' ']) {
                let what = format!("{field:?} must be a field's name, or messages[]. and a field's name");
                problems.push(("drop".to_owned(), what));
            }
        }
        let of_limits = self.limits.problems().into_iter();
        problems.extend(of_limits.map(|(field, what)| (format!("limits.{field}"), what)));
        problems
    }
}
