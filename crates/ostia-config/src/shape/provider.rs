//! An entry of `providers:`. All but the first two fields are those of a row of `ostia-providers`.

use ostia_dialect::{Api, OPENAI_FEATURES};

use super::Field;
use super::Shape::{self, *};

/// One entry.
pub(crate) static PROVIDER: Shape = Fields(FIELDS, &[]);

static FIELDS: &[Field] = &[
    ("api_key", Secret, "The gateway's own credential: ${NAME}, file:/path, or the key itself"),
    ("models", List(&Text), "What GET /v1/models lists for it. Nothing else is restricted by it"),
    ("name", Text, "Name for people"),
    ("base_url", Text, "What stands before every path: https://host/path"),
    ("prefix", Text, "What stands between base URL and the usual paths: /v1"),
    ("pass_prefix", Text, "The same for paths that are handed on unread. Default: prefix"),
    ("unprefixed", List(&Text), "Beginnings of such paths that stand beside the prefix: [/api]"),
    ("dialects", List(&DIALECT), "The APIs that it has, best first"),
    (
        "auth",
        Either(&[Words(|| vec!["bearer", "none", "google", "azure"]), Fields(AUTH, &[])]),
        "Where the key goes. Default: bearer",
    ),
    ("oauth", Fields(OAUTH, &["prefix"]), "Credentials that are tokens and go as bearers"),
    ("key_env", Either(&[Private, List(&Private)]), "Environment variables that hold the key"),
    ("headers", Map(&Private), "Headers that every request to it carries"),
    ("paths", Map(&Text), "Dialect to path after the base URL, with {model} for the model"),
    ("quirks", Fields(QUIRKS, &[]), "Differences from OpenAI"),
    ("docs", Text, "The vendor's page about its API"),
    ("local", Bool, "A private server: needs no key, may be plain http, may have a private address"),
    ("aliases", List(&Text), "Other ids that mean this provider"),
];

static DIALECT: Shape = Words(|| Api::ALL.map(Api::name).to_vec());

static AUTH: &[Field] = &[
    ("scheme", Text, "Authorization: SCHEME KEY"),
    ("header", Text, "The header that holds the key"),
    ("query", Text, "The parameter of the query that holds the key"),
    ("aws", Fields(AWS, &["service"]), "AWS: the request is signed (Signature Version 4)"),
];

static AWS: &[Field] = &[
    ("service", Text, "The name of the service in signatures: bedrock"),
    ("content_sha256", Bool, "The hash of the body goes along: x-amz-content-sha256"),
    ("raw_path", Bool, "Paths count as they are sent, as S3 takes them"),
];

static OAUTH: &[Field] = &[
    ("prefix", Text, "How tokens begin. Keys do not begin so"),
    ("headers", Map(&Private), "Headers with members that a request with a token carries"),
];

static QUIRKS: &[Field] = &[
    ("fits_models", Bool, "It makes requests fit its models by itself"),
    ("plain_models", Bool, "No name of its models has a slash"),
    (
        "max_tokens",
        Words(|| vec!["max_tokens", "max_completion_tokens"]),
        "The only name of the output limit that it takes",
    ),
    ("system_role", Words(|| vec!["system"]), "The role of messages of role developer"),
    ("rename", Map(&Text), "Top-level fields with another name: {seed: random_seed}"),
    ("drop", List(&Text), "Fields that it answers with an error: logit_bias, messages[].name"),
    ("reasoning_field", Text, "The field in which it takes the reasoning of earlier turns back"),
    (
        "takes",
        Either(&[Words(|| vec!["all"]), List(&FEATURE)]),
        "What of OpenAI's own it takes: all, or some",
    ),
    ("content_parts", Bool, "The content of a message may be a list of parts"),
    ("repair", Bool, "Its answers break typed clients, so they are decoded and written anew"),
    ("limits", Fields(LIMITS, &[]), "Where it takes more or less than OpenAI does"),
];

static FEATURE: Shape = Words(|| OPENAI_FEATURES.to_vec());

static LIMITS: &[Field] = &[
    ("tool_ids", Fields(NAMES, &["characters", "chars"]), "How ids of calls are spelled"),
    ("tool_names", Fields(NAMES, &["characters", "chars"]), "How names of tools are spelled"),
    ("tools", COUNT, "Most tools, or unlimited"),
    ("stops", COUNT, "Most stop sequences, or unlimited"),
    ("temperature", Pair(&Number(0.0, 100.0)), "Least and most: [0, 1.5]"),
    ("top_p", Pair(&Number(0.0, 100.0)), "Least and most: [0, 1]"),
    ("user_chars_max", Whole(1, u64::MAX), "Most characters of user"),
];

const COUNT: Shape = Either(&[Whole(1, u64::MAX), Words(|| vec!["unlimited"])]);

static NAMES: &[Field] = &[
    (
        "characters",
        Words(|| vec!["alphanumeric", "underscore", "dash", "dot_colon", "any"]),
        "Which characters, each with those before it",
    ),
    ("letter_first", Bool, "A letter or _ has to be first"),
    ("chars", Pair(&Whole(1, u64::MAX)), "Fewest and most characters"),
];
