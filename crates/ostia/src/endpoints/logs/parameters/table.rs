//! Every parameter that a query may have: its names, where it may stand, and what it means. The OpenAPI document tells the same rows.

use crate::inbound::route::{ExportPath, KeptPath};

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, and others that mean the same: Portkey's.
    pub names: &'static [&'static str],
    /// Of what its value is.
    pub form: Form,
    /// What it means, for whoever reads the document.
    pub about: &'static str,
    /// Where it may stand.
    at: At,
    /// What is done with its value.
    pub(super) meaning: Meaning,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A moment.
    Moment,
    /// A time, like `15m`.
    Age,
    /// A whole number, at least and at most.
    Whole(i64, i64),
    /// A number, at least and at most.
    Number(i64, i64),
    /// `true` or `false`.
    Flag,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Names, with commas between them.
    Names,
    /// An object of texts, as JSON.
    Object,
}

/// Where a parameter may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Wherever many requests are meant.
    Many,
    /// In lists that have pages with a cursor.
    Lists,
    /// In the list of requests.
    Requests,
    /// In an export.
    Export,
    /// In Portkey's groups.
    Groups,
    /// In all of Portkey's analytics and exports, where money is in cents.
    Portkeys,
    /// Where sums can be told apart.
    Sums,
    /// In a series.
    Series,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    From,
    To,
    Since,
    Status,
    Provider,
    Model,
    Key,
    Operation,
    Metadata,
    Trace,
    Session,
    CostMin,
    CostMax,
    CentsMin,
    CentsMax,
    LatencyMin,
    LatencyMax,
    TokensMin,
    TokensMax,
    PromptTokensMin,
    PromptTokensMax,
    CompletionTokensMin,
    CompletionTokensMax,
    FeedbackMin,
    FeedbackMax,
    Providers,
    Keys,
    ProviderModels,
    Workspace,
    Limit,
    After,
    Text,
    Bodies,
    CurrentPage,
    PageSize,
    GroupBy,
    Step,
}

/// Largest whole number that is taken: a thousand of them still fit.
pub(super) const NUMBER_MAX: i64 = i64::MAX / 1000;
/// Most dollars, and most cents.
pub(super) const DOLLARS_MAX: i64 = 1_000_000_000;
pub(super) const CENTS_MAX: i64 = 100 * DOLLARS_MAX;
/// The last page of groups that may be asked for.
pub(super) const PAGES_MAX: u32 = 100_000;
/// What feedback may be.
pub(super) const SCORES: (i64, i64) = (-10, 10);
const COUNT: Form = Form::Whole(0, NUMBER_MAX);
const SCORE: Form = Form::Number(SCORES.0, SCORES.1);
/// What sums may be told apart by.
pub(super) const GROUPINGS: &[&str] = &["provider", "model", "key"];

const fn row(
    names: &'static [&'static str],
    form: Form,
    at: At,
    meaning: Meaning,
    about: &'static str,
) -> Parameter {
    Parameter { names, form, about, at, meaning }
}

/// All of them. Of two with one name the first that may stand at a path counts there.
pub static PARAMETERS: [Parameter; 37] = [
    row(
        &["from", "time_of_generation_min"],
        Form::Moment,
        At::Many,
        Meaning::From,
        "Not before this moment.",
    ),
    row(&["to", "time_of_generation_max"], Form::Moment, At::Many, Meaning::To, "Before this moment."),
    row(&["since"], Form::Age, At::Many, Meaning::Since, "Not longer ago than this, like 15m, 12h or 7d."),
    row(
        &["status", "status_code"],
        Form::Text,
        At::Many,
        Meaning::Status,
        "How they ended: success, error, client_left, a status like 404, or 4xx. Several statuses have commas between them, under \
         the name status_code.",
    ),
    row(&["provider"], Form::Text, At::Many, Meaning::Provider, "Who answered."),
    row(&["model", "ai_model"], Form::Text, At::Many, Meaning::Model, "The model that was asked for."),
    row(&["key"], Form::Text, At::Many, Meaning::Key, "The name of the gateway's key that was shown."),
    row(
        &["operation"],
        Form::Text,
        At::Many,
        Meaning::Operation,
        "The API that was called, like openai_chat.",
    ),
    row(&["metadata"], Form::Object, At::Many, Meaning::Metadata, "Words of the client's own: all of them."),
    row(
        &["trace", "trace_id"],
        Form::Text,
        At::Many,
        Meaning::Trace,
        "The trace, the request itself, or the provider's name for one of its attempts.",
    ),
    row(&["session"], Form::Text, At::Many, Meaning::Session, "The conversation, or the agent's run."),
    row(
        &["cost_min"],
        Form::Number(0, CENTS_MAX),
        At::Portkeys,
        Meaning::CentsMin,
        "At least this cost, in cents.",
    ),
    row(
        &["cost_max"],
        Form::Number(0, CENTS_MAX),
        At::Portkeys,
        Meaning::CentsMax,
        "At most this cost, in cents.",
    ),
    row(
        &["cost_min"],
        Form::Number(0, DOLLARS_MAX),
        At::Many,
        Meaning::CostMin,
        "At least this cost, in dollars.",
    ),
    row(
        &["cost_max"],
        Form::Number(0, DOLLARS_MAX),
        At::Many,
        Meaning::CostMax,
        "At most this cost, in dollars.",
    ),
    row(&["latency_min"], COUNT, At::Many, Meaning::LatencyMin, "At least this long, in milliseconds."),
    row(&["latency_max"], COUNT, At::Many, Meaning::LatencyMax, "At most this long, in milliseconds."),
    row(
        &["tokens_min", "total_units_min"],
        COUNT,
        At::Many,
        Meaning::TokensMin,
        "At least so many tokens, read and written together.",
    ),
    row(
        &["tokens_max", "total_units_max"],
        COUNT,
        At::Many,
        Meaning::TokensMax,
        "At most so many tokens, read and written together.",
    ),
    row(
        &["prompt_tokens_min", "prompt_token_min"],
        COUNT,
        At::Many,
        Meaning::PromptTokensMin,
        "At least so many tokens read.",
    ),
    row(
        &["prompt_tokens_max", "prompt_token_max"],
        COUNT,
        At::Many,
        Meaning::PromptTokensMax,
        "At most so many tokens read.",
    ),
    row(
        &["completion_tokens_min", "completion_token_min"],
        COUNT,
        At::Many,
        Meaning::CompletionTokensMin,
        "At least so many tokens written.",
    ),
    row(
        &["completion_tokens_max", "completion_token_max"],
        COUNT,
        At::Many,
        Meaning::CompletionTokensMax,
        "At most so many tokens written.",
    ),
    row(
        &["feedback_min", "weighted_feedback_min"],
        SCORE,
        At::Many,
        Meaning::FeedbackMin,
        "What was thought of its trace, value times weight on average: at least this.",
    ),
    row(
        &["feedback_max", "weighted_feedback_max"],
        SCORE,
        At::Many,
        Meaning::FeedbackMax,
        "The same: at most this.",
    ),
    row(&["virtual_keys"], Form::Names, At::Many, Meaning::Providers, "Providers, one of which answered."),
    row(
        &["api_key_ids"],
        Form::Names,
        At::Many,
        Meaning::Keys,
        "Names of the gateway's keys, one of which was shown.",
    ),
    row(
        &["ai_org_model"],
        Form::Names,
        At::Many,
        Meaning::ProviderModels,
        "Providers and models, like openai__gpt-5,groq__llama.",
    ),
    row(
        &["workspace_slug"],
        Form::Text,
        At::Many,
        Meaning::Workspace,
        "Has no effect: there is only this gateway.",
    ),
    row(
        &["limit"],
        Form::Whole(1, 500),
        At::Lists,
        Meaning::Limit,
        "How many a page has; 50 where nobody says.",
    ),
    row(
        &["after"],
        Form::Text,
        At::Lists,
        Meaning::After,
        "Where the page begins: the `next` of the page before.",
    ),
    row(
        &["text"],
        Form::Text,
        At::Requests,
        Meaning::Text,
        "What stands in a body, at least 3 bytes, whatever the case of ASCII's letters.",
    ),
    row(&["bodies"], Form::Flag, At::Export, Meaning::Bodies, "With the bodies, as far as they are kept."),
    row(
        &["current_page"],
        Form::Whole(0, PAGES_MAX as i64),
        At::Groups,
        Meaning::CurrentPage,
        "Which page; the first is 0.",
    ),
    row(&["page_size"], Form::Whole(1, 500), At::Groups, Meaning::PageSize, "How many groups a page has."),
    row(&["group_by"], Form::OneOf(GROUPINGS), At::Sums, Meaning::GroupBy, "What is told apart."),
    row(
        &["step"],
        Form::Whole(60, NUMBER_MAX),
        At::Series,
        Meaning::Step,
        "How long a step is, in seconds: whole minutes, whole hours for what is more than 8 days ago.",
    ),
];

/// The parameters that may stand at this path.
pub fn of(path: &KeptPath<'_>) -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.iter().filter(move |parameter| parameter.at.is_at(path))
}

/// The one of this name that may stand there.
pub(super) fn named(name: &str, path: &KeptPath<'_>) -> Option<&'static Parameter> {
    of(path).find(|parameter| parameter.names.contains(&name))
}

impl At {
    fn is_at(self, path: &KeptPath<'_>) -> bool {
        match self {
            At::Many => is_many(path),
            At::Lists => matches!(path, KeptPath::List | KeptPath::Sessions),
            At::Requests => *path == KeptPath::List,
            At::Export => *path == KeptPath::Export,
            At::Groups => matches!(path, KeptPath::Group(_)),
            At::Portkeys => is_portkeys(path) || is_job(path),
            At::Sums => matches!(path, KeptPath::Summary | KeptPath::Series),
            At::Series => *path == KeptPath::Series,
        }
    }
}

/// Are many requests meant, which may be chosen?
fn is_many(path: &KeptPath<'_>) -> bool {
    matches!(path, KeptPath::List | KeptPath::Sessions | KeptPath::Export) || is_job(path) || is_summed(path)
}

/// Is it an export as a job?
fn is_job(path: &KeptPath<'_>) -> bool {
    matches!(path, KeptPath::Exports(ExportPath::Create | ExportPath::Change(_)))
}

/// Is it one of Portkey's analytics?
fn is_portkeys(path: &KeptPath<'_>) -> bool {
    matches!(path, KeptPath::Graph(_) | KeptPath::Group(_) | KeptPath::CacheSummary)
}

/// Is it added up what is there?
pub(super) fn is_summed(path: &KeptPath<'_>) -> bool {
    matches!(path, KeptPath::Summary | KeptPath::Series | KeptPath::Cache) || is_portkeys(path)
}
