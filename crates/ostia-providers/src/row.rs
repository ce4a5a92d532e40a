//! A provider as it is written down.

use crate::settings::SettingRow;
use crate::{Auth, Quirks};
use ostia_dialect::frame::Framing;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor, value::SeqAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;

/// One row of `providers.yaml`, or of `providers:` in a user's configuration: not yet checked.
/// [`Provider::from_row`](crate::Provider::from_row) makes a provider of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Row {
    /// The name for people; the id where absent.
    pub name: Option<String>,
    /// What OpenTelemetry calls it, where that is not the id
    /// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>, `gen_ai.provider.name`).
    pub otel: Option<String>,
    /// What stands before prefix and path, and what a custom host replaces. Absent: the user has to give one. It may have
    /// settings in it.
    pub base_url: Option<String>,
    /// Base URLs where a setting has certain values (with `*` for any part): setting, value, URL.
    pub base_urls: BTreeMap<String, BTreeMap<String, String>>,
    /// What it takes to reach it besides a key, by name.
    pub settings: BTreeMap<String, SettingRow>,
    /// The setting whose value is the model's name, where it has one.
    pub model_setting: Option<String>,
    /// What stands between the base URL (or custom host) and the usual path of an endpoint (`/v1`).
    pub prefix: String,
    /// The same for calls that are handed on unread: what stands at the provider for the `/v1` of the gateway's paths. The
    /// prefix where absent.
    pub pass_prefix: Option<String>,
    /// Beginnings of paths that stand beside the prefix, for calls that are handed on unread (`/api`).
    pub unprefixed: Vec<String>,
    /// Names of [`Api`](ostia_dialect::Api)s; the first conversation dialect is the preferred one.
    pub dialects: Vec<String>,
    /// How a request is signed in.
    pub auth: Auth,
    /// Tokens that are sent as bearers, whatever `auth` says of keys.
    pub oauth: Option<OauthRow>,
    /// Environment variables that usually hold the key; the first that is set wins. One name or a list.
    #[serde(deserialize_with = "one_or_many")]
    pub key_env: Vec<String>,
    /// Headers that every request carries.
    pub headers: BTreeMap<String, String>,
    /// APIs that are at another host of the vendor's, by name. What is not given is as in the row.
    pub hosts: BTreeMap<String, HostRow>,
    /// APIs whose path is not the usual one: the whole path after the base URL (the prefix is not added), with
    /// `{model}` for the model and the names of settings.
    pub paths: BTreeMap<String, PathRow>,
    /// APIs in whose bodies something else stands.
    pub body: BTreeMap<String, BodyEdits>,
    /// APIs that are only for clients of their own dialect: the conversations of others are told in another one.
    pub own_clients: BTreeMap<String, Unless>,
    /// Models that do what one of these APIs is for in a conversation, with `*` for any part: `openai_moderations`, `mistral_ocr`.
    pub by_chat: BTreeMap<String, Vec<String>>,
    /// Differences from OpenAI.
    pub quirks: Quirks,
    /// The vendor's page about its API.
    pub docs: Option<String>,
    /// Why there is nobody at its address any more.
    pub retired: Option<String>,
    /// APIs that the vendor once had, and its page about their end.
    pub ended: BTreeMap<String, String>,
    /// A private server: needs no key, and may be reached over plain http.
    pub local: bool,
    /// Ends of the names of the vendor's own hosts (`bfl.ai`), to which its key may go where it answers a submit with a job at
    /// another of its hosts.
    pub poll_hosts: Vec<String>,
    /// Where its answers name addresses at its own hosts that clients ask next.
    pub addresses: AddressesRow,
    /// Whether it counts what the head of its answers says of a cache that they come from; it does where absent.
    pub answer_cache: Option<bool>,
    /// Other ids that mean this provider.
    pub aliases: Vec<String>,
    /// What is otherwise for some models or values of settings; the first that fits counts.
    pub families: Vec<FamilyRow>,
}

/// Where answers name addresses at the vendor's own hosts that clients ask next, as a row has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressesRow {
    /// Fields of JSON by path: `status_url`, `results[*].urls.get`.
    pub fields: Vec<String>,
    /// Headers: `operation-location`. The `location` of a redirect is one everywhere.
    pub headers: Vec<String>,
    /// Further hosts of the vendor's that clients may be sent to, with the key of the provider: names in which `*` stands for one label
    /// (`api.*.example.com`). They count at the row's own base URL.
    pub hosts: Vec<String>,
    /// Beginnings of paths behind the base URL (`/files`) whose addresses requests name in their bodies: the vendor has to know them.
    pub kept: Vec<String>,
}

/// What is otherwise for some models of a provider, as a row has it. What is not given is as in the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FamilyRow {
    /// Their names, with `*` for any part; none: all.
    pub models: Vec<String>,
    /// It holds only for rows of the provider's own batches.
    pub in_batches: bool,
    /// It holds only where these settings have one of these values (with `*` for any part).
    pub when: BTreeMap<String, Vec<String>>,
    /// What is taken off the beginning of a model's name, with `*` for any part.
    pub strip: String,
    /// What is put there in its place.
    pub prepend: String,
    /// See [`Row`].
    pub base_url: Option<String>,
    /// See [`Row`].
    pub prefix: Option<String>,
    /// See [`Row`].
    pub dialects: Option<Vec<String>>,
    /// See [`Row`].
    pub auth: Option<Auth>,
    /// See [`Row`].
    pub headers: Option<BTreeMap<String, String>>,
    /// See [`Row`].
    pub paths: Option<BTreeMap<String, PathRow>>,
    /// See [`Row`].
    pub body: Option<BTreeMap<String, BodyEdits>>,
    /// See [`Row`].
    pub own_clients: Option<BTreeMap<String, Unless>>,
    /// See [`Row`].
    pub quirks: Option<Quirks>,
}

/// Another host of a vendor's, as a row has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostRow {
    /// What stands before the paths there; that of the row where absent.
    pub base_url: Option<String>,
    /// See [`Row`].
    pub base_urls: BTreeMap<String, BTreeMap<String, String>>,
    /// See [`Row`].
    pub auth: Option<Auth>,
}

/// The path of an API, as a row has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PathRow {
    /// The same for all calls.
    One(String),
    /// By how the answer is wanted.
    ByAnswer(ApiPath),
}

/// The path of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiPath {
    /// For answers in one piece.
    pub whole: String,
    /// For streams; the same where absent.
    pub stream: Option<String>,
    /// How a stream is framed that comes from there, where it is not as everywhere.
    pub framing: Option<RowFraming>,
    /// The query of a client's URL means nothing there.
    pub without_query: bool,
}

/// Framings that a cloud puts around the streams of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFraming {
    /// [`Framing::AwsChunks`]
    AwsChunks,
    /// [`Framing::AwsParts`]
    AwsParts,
}

impl From<RowFraming> for Framing {
    fn from(framing: RowFraming) -> Framing {
        match framing {
            RowFraming::AwsChunks => Framing::AwsChunks,
            RowFraming::AwsParts => Framing::AwsParts,
        }
    }
}

impl ApiPath {
    /// The path for a call like this.
    pub fn of(&self, stream: bool) -> &str {
        self.stream.as_deref().filter(|_| stream).unwrap_or(&self.whole)
    }
}

/// What stands otherwise in the bodies of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodyEdits {
    /// Fields that every body has, with settings in them as in a URL. Where those have no value, there is no field.
    pub set: BTreeMap<String, String>,
    /// Fields that no body has, because something else says the same.
    pub without: Vec<String>,
    /// What is refused there, by path (`tools[*].eager_input_streaming`): left out, and reported.
    pub drop: Vec<String>,
    /// Headers that are lists, and stand as a list in the body there.
    pub lists: BTreeMap<String, HeaderList>,
    /// Headers of clients that mean nothing there.
    pub without_headers: Vec<String>,
}

/// A list that clients send as a header, and that stands in the body at a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderList {
    /// The field of the body.
    pub field: String,
    /// Members that are refused there, with `*` for any part: left out, and reported.
    pub drop: Vec<String>,
    /// Members that have another name there.
    pub rename: BTreeMap<String, String>,
}

/// What makes even a client of an API's own dialect one whose call is told in another, where that says it better.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unless {
    /// Fields at the top of its body.
    pub fields: Vec<String>,
    /// A `type` anywhere in its body, with `*` at the end for any end.
    pub types: Vec<String>,
}

/// Which credentials are OAuth tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OauthRow {
    /// How they begin. Keys do not begin so.
    pub prefix: String,
    /// Headers that a request with one carries: members of lists, beside those that the client sent.
    pub headers: BTreeMap<String, String>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;
    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name or a list of names")
        }
        fn visit_str<E>(self, one: &str) -> Result<Vec<String>, E> {
            Ok(vec![one.to_owned()])
        }
        fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(many))
        }
    }
    deserializer.deserialize_any(OneOrMany)
}
