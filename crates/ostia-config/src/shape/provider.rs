//! An entry of `providers:`. All but the first six fields are those of a row of `ostia-providers`.

use ostia_dialect::{Api, MediaKind, OPENAI_FEATURES};
use ostia_routing::keys::KEYS_MAX;

use super::Field;
use super::Shape::{self, *};
use crate::providers::WEIGHT_MAX;

/// One entry.
pub(crate) static PROVIDER: Shape = Fields(FIELDS, &[]);

static FIELDS: &[Field] = &[
    (
        "api_key",
        Either(&[Secret, ListOf(1, KEYS_MAX, &KEY)]),
        "The gateway's own credential: ${NAME}, file:/path, or the key itself. Or a list of several, to share the requests",
    ),
    (
        "credentials",
        Map(&Secret),
        "What it takes to sign in at a cloud, by name: aws_role_arn, vertex_service_account_json, azure_entra_client_id ...",
    ),
    ("models", List(&Text), "What GET /v1/models lists for it. Nothing else is restricted by it"),
    ("tls", Fields(TLS, &[]), "Whom to trust there, and which certificate to show"),
    (
        "proxy",
        Secret,
        "The proxy on the way there (http://NAME:PASSWORD@HOST:PORT, https, socks5, socks5h), or none. Default: upstream.proxy",
    ),
    (
        "http2",
        Either(&[Bool, Words(|| vec!["prior_knowledge"])]),
        "Speak HTTP/2 where its server chooses it; prior_knowledge: also without TLS. Default: upstream.http2",
    ),
    ("name", Text, "Name for people"),
    ("base_url", Text, "What stands before every path: https://host/path"),
    (
        "settings",
        Map(&Either(&[Text, Fields(SETTING, &[])])),
        "What it takes besides a key (region, resource): a value by name, or all about a setting of your own",
    ),
    ("base_urls", Map(&Map(&Text)), "Base URLs by the value of a setting: {region: {global: https://...}}"),
    ("model_setting", Text, "The setting whose value is the model's name, where it has one"),
    ("prefix", Text, "What stands between base URL and the usual paths: /v1"),
    ("pass_prefix", Text, "The same for paths that are handed on unread. Default: prefix"),
    ("unprefixed", List(&Text), "Beginnings of such paths that stand beside the prefix: [/api]"),
    ("dialects", List(&DIALECT), "The APIs that it has, best first"),
    ("auth", AUTHS, "Where the key goes. Default: bearer"),
    ("oauth", Fields(OAUTH, &["prefix"]), "Credentials that are tokens and go as bearers"),
    (
        "by_chat",
        Map(&List(&Text)),
        "APIs to models that do in a conversation what these are for: {openai_moderations: [gpt-4o-mini]}",
    ),
    ("key_env", Either(&[Private, List(&Private)]), "Environment variables that hold the key"),
    ("headers", Map(&Private), "Headers that every request to it carries"),
    (
        "hosts",
        Map(&Fields(HOST, &[])),
        "Dialect to another host of the vendor's, where it is not at base_url: {s3_objects: {base_url: https://...}}",
    ),
    (
        "paths",
        Map(&Either(&[Text, Fields(PATH, &["whole"])])),
        "Dialect to path after the base URL, with {model} for the model and {name} for settings",
    ),
    ("body", Map(&Fields(BODY, &[])), "Dialect to what stands otherwise in its bodies"),
    (
        "own_clients",
        Map(&Fields(UNLESS, &[])),
        "Dialects that are only for clients who speak them; what others say is told in another one",
    ),
    ("quirks", Fields(QUIRKS, &[]), "Differences from OpenAI"),
    ("docs", Text, "The vendor's page about its API"),
    ("otel", Text, "What OpenTelemetry calls it (gen_ai.provider.name). Default: the id"),
    ("retired", Text, "Why nobody is at its address any more: calls are refused with it"),
    (
        "ended",
        Map(&Text),
        "Dialects that the vendor once had, and its page about their end: calls are refused with it",
    ),
    ("local", Bool, "A private server: needs no key, may be plain http, may have a private address"),
    (
        "poll_hosts",
        List(&Text),
        "Ends of the vendor's own host names, where its jobs may be asked for with its key: [example.com]",
    ),
    (
        "addresses",
        Fields(ADDRESSES, &[]),
        "Where its answers name addresses at its own hosts, which clients are told as the gateway's",
    ),
    (
        "answer_cache",
        Bool,
        "Believe its answers where their head says that they come from a cache, and book these at no cost. Default: true",
    ),
    ("aliases", List(&Text), "Other ids that mean this provider"),
    (
        "families",
        List(&Fields(FAMILY, &[])),
        "What is otherwise for some models or settings; the first that fits",
    ),
];

static KEY: Shape = Either(&[Secret, Fields(KEY_FIELDS, &["key"])]);

static KEY_FIELDS: &[Field] = &[
    ("key", Secret, "The key: ${NAME}, file:/path, or the key itself"),
    ("weight", Count(1, WEIGHT_MAX), "Its share of the requests, in comparison with the others. Default: 1"),
];

static SETTING: &[Field] = &[
    ("value", Text, "The value"),
    ("env", List(&Private), "Environment variables that may hold it"),
    ("default", Text, "The value where nobody gives one"),
    ("header", Text, "The header's name behind x-ostia-, where it is not the setting's"),
    (
        "kind",
        Words(|| vec!["text", "label", "url"]),
        "Any text, a part of a host's name, or the whole base URL",
    ),
    ("optional", Bool, "A call may go without it"),
    ("own_credential", Bool, "A client may choose it only for a credential of its own"),
    ("about", Text, "What it is, for people"),
];

static HOST: &[Field] = &[
    ("base_url", Text, "What stands before the paths there. Default: that of the provider"),
    ("base_urls", Map(&Map(&Text)), "As above"),
    ("auth", AUTHS, "As above"),
];

static ADDRESSES: &[Field] = &[
    ("fields", List(&Text), "Fields of JSON, by path: status_url, results[*].urls.get"),
    ("headers", List(&Text), "Headers: operation-location. The location of a redirect is one everywhere"),
    ("hosts", List(&Text), "Its further hosts, to which its key may go, * for one label: api.*.example.com"),
    (
        "kept",
        List(&Text),
        "Beginnings of paths whose addresses stay, because requests name them in their bodies: /files",
    ),
];

static PATH: &[Field] = &[
    ("whole", Text, "For answers in one piece"),
    ("stream", Text, "For streams; the same where left out"),
    ("framing", Words(|| vec!["aws_chunks", "aws_parts"]), "How streams come that are not as everywhere"),
    ("without_query", Bool, "The query of a client's URL is not sent"),
];

static BODY: &[Field] = &[
    ("set", Map(&Text), "Fields that every body has"),
    ("without", List(&Text), "Fields that no body has"),
    ("drop", List(&Text), "What is refused there, by path: service_tier, tools[*].strict"),
    (
        "lists",
        Map(&Fields(LIST, &["field"])),
        "Headers whose lists stand in the body there: {anthropic-beta: {field: anthropic_beta}}",
    ),
    ("without_headers", List(&Text), "Headers of clients that mean nothing there"),
];

static LIST: &[Field] = &[
    ("field", Text, "The field of the body"),
    ("drop", List(&Text), "Members that are refused there, with * for any part"),
    ("rename", Map(&Text), "Members that have another name there"),
];

static UNLESS: &[Field] = &[
    ("fields", List(&Text), "Fields at the top of a body that another dialect says better"),
    ("types", List(&Text), "The same of a type anywhere in it, with * for any end"),
];

static FAMILY: &[Field] = &[
    ("models", List(&Text), "Their names, with * for any part"),
    ("in_batches", Bool, "Only for rows of the provider's own batches"),
    ("when", Map(&List(&Text)), "Only where a setting has one of these values"),
    ("strip", Text, "What is taken off the beginning of a model's name"),
    ("prepend", Text, "What is put there in its place"),
    ("base_url", Text, "As above"),
    ("prefix", Text, "As above"),
    ("dialects", List(&DIALECT), "As above"),
    ("auth", AUTHS, "As above"),
    ("headers", Map(&Private), "As above"),
    ("paths", Map(&Either(&[Text, Fields(PATH, &["whole"])])), "As above"),
    ("body", Map(&Fields(BODY, &[])), "As above"),
    ("own_clients", Map(&Fields(UNLESS, &[])), "As above"),
    ("quirks", Fields(QUIRKS, &[]), "As above"),
];

const AUTHS: Shape =
    Either(&[Words(|| vec!["bearer", "none", "google", "azure", "ibm", "oracle"]), Fields(AUTH, &[])]);

static TLS: &[Field] = &[
    ("ca", Text, "A file (PEM) with further certificate authorities to trust. Default: upstream.tls.ca"),
    ("system_roots", Bool, "Trust what the system trusts. Default: upstream.tls.system_roots"),
    ("cert", Text, "A file (PEM) with the client certificate, and those that lead to its authority"),
    ("key", Text, "A file (PEM) with its private key"),
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
    ("key_header", Text, "The header of keys that are given in place of AWS's. Default: they go as bearers"),
    (
        "token",
        Fields(AWS_TOKEN, &["host", "action", "prefix"]),
        "The service is shown a token that the keys sign, in place of a signature of each request",
    ),
];

static AWS_TOKEN: &[Field] = &[
    ("host", Text, "The host of the signed address: sagemaker.amazonaws.com"),
    ("action", Text, "The action that it asks for: CallWithBearerToken"),
    ("prefix", Text, "What stands before it: sagemaker-api-key-"),
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
    ("rename_words", Map(&Text), "The same where their value is a text: {tool_choice: tool_choice_option}"),
    ("drop", List(&Text), "Fields that it answers with an error: logit_bias, messages[].name"),
    ("reasoning_field", Text, "The field in which it takes the reasoning of earlier turns back"),
    (
        "takes",
        Either(&[Words(|| vec!["all"]), List(&FEATURE)]),
        "What of OpenAI's own it takes: all, or some",
    ),
    ("content_parts", Bool, "The content of a message may be a list of parts"),
    ("text_content", Bool, "The content of every message must be a text"),
    (
        "tells_charge",
        Bool,
        "What its count of tokens says that a call costs is in US dollars, and all that is charged",
    ),
    ("repair", Bool, "Its answers break typed clients, so they are decoded and written anew"),
    (
        "media_urls",
        List(&MEDIA_KIND),
        "Kinds of media that it fetches from addresses of the web; others are sent as bytes",
    ),
    ("limits", Fields(LIMITS, &[]), "Where it takes more or less than OpenAI does"),
];

static MEDIA_KIND: Shape = Words(|| MediaKind::ALL.map(MediaKind::name).to_vec());

static FEATURE: Shape = Words(|| OPENAI_FEATURES.to_vec());

static LIMITS: &[Field] = &[
    ("tool_ids", Fields(NAMES, &["characters", "chars"]), "How ids of calls are spelled"),
    ("tool_names", Fields(NAMES, &["characters", "chars"]), "How names of tools are spelled"),
    ("tools", COUNT, "Most tools, or unlimited"),
    ("stops", COUNT, "Most stop sequences, or unlimited"),
    ("temperature", Pair(&Number(0.0, 100.0)), "Least and most: [0, 1.5]"),
    ("top_p", Pair(&Number(0.0, 100.0)), "Least and most: [0, 1]"),
    ("user_chars_max", Whole(1, u64::MAX), "Most characters of user"),
    ("inputs", Whole(1, u64::MAX), "Most inputs of one call of embeddings; a longer list becomes several"),
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
