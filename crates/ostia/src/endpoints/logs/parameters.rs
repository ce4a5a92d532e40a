//! What may be asked for, as it stands in a query.

pub mod table;

use std::time::{Duration, SystemTime};

use ostia_dialect::Fault;
use ostia_store::{Column, Filter, Grouping, POINTS_MAX, Page, PageSize, STATUS_CLASSES, StepError, Steps};
use serde_json::Value;

use super::now_ms;
use crate::inbound::query;
use crate::inbound::route::KeptPath;
use table::{CENTS_MAX, DOLLARS_MAX, Meaning, NUMBER_MAX, PAGES_MAX, SCORES, is_summed};

/// Longest value of a parameter, in bytes.
const VALUE_BYTES_MAX: usize = 1024;
/// A dollar in the unit that costs are filtered by.
const NANO: f64 = 1e9;
/// Shortest text that is looked for, in bytes: a shorter one stands everywhere.
const TEXT_BYTES_MIN: usize = 3;
/// Most names of a list.
const CHOICES_MAX: usize = 100;
/// Groups of a page where nobody says.
const GROUPS_DEFAULT: u32 = 50;
/// What a summary covers where nobody says.
const SUMMARY_TIME: Duration = Duration::from_secs(86_400);

/// What is asked for.
#[derive(Debug)]
pub(super) struct Parameters {
    pub(super) filter: Filter,
    pub(super) page: Page,
    pub(super) by: Grouping,
    pub(super) now_ms: i64,
    /// Of a series.
    pub(super) steps: Option<Steps>,
    step_ms: Option<i64>,
    /// Of groups: the page, from 0, and how many a page has.
    pub(super) group_page: (u32, u32),
    /// What is to stand in a body.
    pub(super) text: Option<String>,
    /// Of an export: with bodies.
    pub(super) with_bodies: bool,
}

impl Parameters {
    /// Reads a query.
    ///
    /// # Errors
    /// 400 for a parameter that there is not, and for a value that is none.
    pub(super) fn read(query: &str, path: &KeptPath<'_>) -> Result<Parameters, Fault> {
        // Forms write a space so, and SDKs send their queries as forms.
        let query = query.replace('+', "%20");
        let fields = query::fields(&query).map(query::Field::name_and_value);
        let fields: Option<Vec<_>> = fields.collect();
        let fields = fields.ok_or_else(|| Fault::invalid("The query is no UTF-8."))?;
        Parameters::of(fields.iter().map(|(name, value)| (&**name, &**value)), path)
    }

    /// Reads the same as names and values.
    ///
    /// # Errors
    /// As [`Parameters::read`].
    pub(super) fn of<'f>(
        fields: impl Iterator<Item = (&'f str, &'f str)>,
        path: &KeptPath<'_>,
    ) -> Result<Parameters, Fault> {
        let mut read = Parameters {
            filter: Filter::default(),
            page: Page { after: None, size: PageSize::DEFAULT },
            by: Grouping::None,
            now_ms: now_ms(),
            steps: None,
            step_ms: None,
            group_page: (0, GROUPS_DEFAULT),
            text: None,
            with_bodies: false,
        };
        for (name, value) in fields {
            if value.len() > VALUE_BYTES_MAX {
                return Err(wrong(name, "is too long"));
            }
            read.parameter(name, value, path)?;
        }
        if is_summed(path) && read.filter.from_ms.is_none() {
            let to_ms = read.filter.to_ms.unwrap_or(read.now_ms);
            read.filter.from_ms = Some(to_ms.saturating_sub(SUMMARY_TIME.as_millis() as i64).max(0));
        }
        if read.filter.from_ms.zip(read.filter.to_ms).is_some_and(|(from, to)| from >= to) {
            return Err(wrong("from", "is not before `to`"));
        }
        if matches!(path, KeptPath::Series | KeptPath::Graph(_)) {
            read.steps = Some(read.cut()?);
        }
        Ok(read)
    }

    /// The time in steps.
    fn cut(&self) -> Result<Steps, Fault> {
        let (from_ms, to_ms) =
            (self.filter.from_ms.unwrap_or_default(), self.filter.to_ms.unwrap_or(self.now_ms));
        if from_ms > to_ms {
            return Err(wrong("from", "is in the future"));
        }
        Steps::of(from_ms, to_ms, self.step_ms, self.now_ms).map_err(|error| match error {
            StepError::NoWholeMinutes => wrong("step", "must be seconds that are whole minutes, like 300"),
            StepError::NoWholeHours => wrong(
                "step",
                "must be seconds that are whole hours, like 3600, for what is more than 8 days ago",
            ),
            StepError::TooMany => {
                wrong("step", &format!("makes more than {POINTS_MAX} points: make it longer"))
            }
        })
    }

    fn parameter(&mut self, name: &str, value: &str, path: &KeptPath<'_>) -> Result<(), Fault> {
        let Some(parameter) = table::named(name, path) else { return Err(unknown_at(name, path)) };
        match parameter.meaning {
            Meaning::Limit => {
                let size = value.parse().ok().and_then(PageSize::new);
                let told = || wrong(name, &format!("must be a number from 1 to {}", PageSize::MAX));
                self.page.size = size.ok_or_else(told)?;
            }
            Meaning::After => {
                let cursor = Page::cursor(value);
                self.page.after =
                    Some(cursor.ok_or_else(|| wrong(name, "must be the `next` of another page"))?);
            }
            Meaning::CurrentPage => {
                let page = value.parse().ok().filter(|page| *page <= PAGES_MAX);
                self.group_page.0 =
                    page.ok_or_else(|| wrong(name, &format!("must be a number from 0 to {PAGES_MAX}")))?;
            }
            Meaning::PageSize => {
                let size = value.parse().ok().filter(|size| (1..=PageSize::MAX).contains(size));
                let told = || wrong(name, &format!("must be a number from 1 to {}", PageSize::MAX));
                self.group_page.1 = size.ok_or_else(told)?;
            }
            Meaning::GroupBy => {
                self.by =
                    Grouping::named(value).ok_or_else(|| wrong(name, "must be provider, model or key"))?;
            }
            Meaning::Text => {
                let told = || wrong(name, &format!("must be {TEXT_BYTES_MIN} to {VALUE_BYTES_MAX} bytes"));
                let text = Some(value.to_owned()).filter(|text| text.len() >= TEXT_BYTES_MIN);
                self.text = Some(text.ok_or_else(told)?);
            }
            Meaning::Bodies => {
                self.with_bodies = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(wrong(name, "must be true or false")),
                };
            }
            Meaning::Step => self.step_ms = Some(number(name, value)?.saturating_mul(1000)),
            meaning => filter(&mut self.filter, self.now_ms, meaning, (name, value))?,
        }
        Ok(())
    }
}

/// Reads what says which requests are meant.
fn filter(
    filter: &mut Filter,
    now_ms: i64,
    meaning: Meaning,
    (name, value): (&str, &str),
) -> Result<(), Fault> {
    let text = || {
        let some = Some(value.to_owned()).filter(|text| !text.is_empty());
        some.map(Some).ok_or_else(|| wrong(name, "is empty"))
    };
    match meaning {
        Meaning::From => filter.from_ms = Some(moment(name, value)?),
        Meaning::To => filter.to_ms = Some(moment(name, value)?),
        Meaning::Since => {
            let time = age_ms(value).ok_or_else(|| wrong(name, "must be a time like 15m, 12h or 7d"))?;
            filter.from_ms = Some(now_ms.saturating_sub(time));
        }
        Meaning::Status if name == "status_code" && value.contains(',') => {
            let statuses = listed(name, value)?;
            statuses.iter().try_for_each(|one| status(name, one).map(drop))?;
            filter.choices.push(statuses.into_iter().map(|one| vec![(Column::Status, one)]).collect());
        }
        Meaning::Status => filter.status = Some(status(name, value)?),
        Meaning::Providers => filter.choices.push(of_one(Column::Provider, listed(name, value)?)),
        Meaning::Keys => filter.choices.push(of_one(Column::Key, listed(name, value)?)),
        Meaning::ProviderModels => filter.choices.push(provider_models(name, value)?),
        Meaning::FeedbackMin => filter.feedback.0 = Some(score(name, value)?),
        Meaning::FeedbackMax => filter.feedback.1 = Some(score(name, value)?),
        Meaning::PromptTokensMin => filter.prompt_tokens.0 = Some(number(name, value)?),
        Meaning::PromptTokensMax => filter.prompt_tokens.1 = Some(number(name, value)?),
        Meaning::CompletionTokensMin => filter.completion_tokens.0 = Some(number(name, value)?),
        Meaning::CompletionTokensMax => filter.completion_tokens.1 = Some(number(name, value)?),
        Meaning::Provider => filter.provider = text()?,
        Meaning::Model => filter.model = text()?,
        Meaning::Key => filter.key = text()?,
        Meaning::Operation => filter.operation = text()?,
        Meaning::Session => filter.session = text()?,
        Meaning::Trace => filter.trace = text()?,
        Meaning::Metadata => filter.metadata.extend(metadata(name, value)?),
        Meaning::CostMin => filter.cost_nano.0 = Some(dollars(name, value)?),
        Meaning::CostMax => filter.cost_nano.1 = Some(dollars(name, value)?),
        Meaning::CentsMin => filter.cost_nano.0 = Some(cents(name, value)?),
        Meaning::CentsMax => filter.cost_nano.1 = Some(cents(name, value)?),
        Meaning::LatencyMin => filter.duration_ms.0 = Some(number(name, value)?),
        Meaning::LatencyMax => filter.duration_ms.1 = Some(number(name, value)?),
        Meaning::TokensMin => filter.tokens.0 = Some(number(name, value)?),
        Meaning::TokensMax => filter.tokens.1 = Some(number(name, value)?),
        // There is only one. The others are none of a filter.
        Meaning::Workspace
        | Meaning::Limit
        | Meaning::After
        | Meaning::Text
        | Meaning::Bodies
        | Meaning::CurrentPage
        | Meaning::PageSize
        | Meaning::GroupBy
        | Meaning::Step => {}
    }
    Ok(())
}

/// What Portkey finds records by, and this gateway does not.
const UNKNOWN_HERE: [&str; 3] = ["configs", "prompt_slug", "span_id"];
/// Another one, which records do tell.
const CACHE_STATUS: &str = "cache_status";

/// A parameter that there is not at this path.
fn unknown_at(name: &str, path: &KeptPath<'_>) -> Fault {
    let known: Vec<&str> = table::of(path).map(|parameter| parameter.names[0]).collect();
    match known.is_empty() {
        true => unknown(name, "it takes none"),
        false if UNKNOWN_HERE.contains(&name) => {
            wrong(name, "is nothing that records can be found by; leave it out")
        }
        false if name == CACHE_STATUS => wrong(
            name,
            "is told of each request, under `cache`, and is nothing that records can be found by: no column has it; leave it out",
        ),
        false => unknown(name, &format!("there are {}", known.join(", "))),
    }
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(name)
}

fn unknown(name: &str, known: &str) -> Fault {
    Fault::invalid(format!("There is no parameter `{name}` here; {known}.")).with_param(name)
}

fn number(name: &str, value: &str) -> Result<i64, Fault> {
    let number = value.parse::<i64>().ok().filter(|number| (0..=NUMBER_MAX).contains(number));
    number.ok_or_else(|| wrong(name, "must be a whole number of at least 0"))
}

/// Names with commas between them.
fn listed(name: &str, value: &str) -> Result<Vec<String>, Fault> {
    let names: Vec<String> =
        value.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    match names.len() {
        1..=CHOICES_MAX => Ok(names),
        _ => Err(wrong(name, &format!("must be 1 to {CHOICES_MAX} names with commas between them"))),
    }
}

fn of_one(column: Column, names: Vec<String>) -> Vec<Vec<(Column, String)>> {
    names.into_iter().map(|name| vec![(column, name)]).collect()
}

/// `openai__gpt-5,groq__llama`: provider and model, two underscores between them.
fn provider_models(name: &str, value: &str) -> Result<Vec<Vec<(Column, String)>>, Fault> {
    let pair = |one: String| {
        let (provider, model) =
            one.split_once("__").ok_or_else(|| wrong(name, "must be like openai__gpt-5,groq__llama"))?;
        Ok(vec![(Column::Provider, provider.to_owned()), (Column::Model, model.to_owned())])
    };
    listed(name, value)?.into_iter().map(pair).collect()
}

/// A value of feedback times its weight.
fn score(name: &str, value: &str) -> Result<f64, Fault> {
    let score = value.parse::<f64>().ok().filter(|score| (SCORES.0 as f64..=SCORES.1 as f64).contains(score));
    score.ok_or_else(|| wrong(name, "must be a number from -10 to 10"))
}

fn cents(name: &str, value: &str) -> Result<i64, Fault> {
    let cents = value.parse::<f64>().ok().filter(|cents| (0.0..=CENTS_MAX as f64).contains(cents));
    cents
        .map(|cents| (cents * NANO / 100.0).round() as i64)
        .ok_or_else(|| wrong(name, "must be cents, like 0.5"))
}

fn dollars(name: &str, value: &str) -> Result<i64, Fault> {
    let dollars = value.parse::<f64>().ok().filter(|dollars| (0.0..=DOLLARS_MAX as f64).contains(dollars));
    dollars
        .map(|dollars| (dollars * NANO).round() as i64)
        .ok_or_else(|| wrong(name, "must be dollars, like 0.05"))
}

/// A moment: as RFC 3339 has it, a day, or milliseconds since 1970.
fn moment(name: &str, value: &str) -> Result<i64, Fault> {
    let (local, offset_ms) = without_offset(value);
    let day = || humantime::parse_rfc3339_weak(&format!("{value}T00:00:00Z"));
    let told = humantime::parse_rfc3339_weak(local).or_else(|_| day()).ok();
    let told = told.and_then(|moment| moment.duration_since(SystemTime::UNIX_EPOCH).ok());
    let told = told.and_then(|since| i64::try_from(since.as_millis()).ok()?.checked_sub(offset_ms));
    let told = told.filter(|ms| *ms >= 0);
    let told = told.or_else(|| value.parse().ok().filter(|ms: &i64| (0..=i64::MAX / 2).contains(ms)));
    told.ok_or_else(|| {
        wrong(name, "must be a time like 2026-11-29T08:00:00Z or 2026-11-29, or milliseconds since 1970")
    })
}

/// A moment without what its clock is ahead of UTC (`+02:00`), and that, in milliseconds. A plus that nobody encoded has become a
/// space on its way.
fn without_offset(value: &str) -> (&str, i64) {
    let at = value.len().saturating_sub(6);
    let Some((local, offset)) = value.split_at_checked(at).filter(|(local, _)| local.contains(':')) else {
        return (value, 0);
    };
    let sign = match offset.as_bytes().first() {
        Some(b'+' | b' ') => 1,
        Some(b'-') => -1,
        _ => return (value, 0),
    };
    let two = |at: std::ops::Range<usize>| {
        let digits = offset.get(at).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits?.parse::<i64>().ok()
    };
    match (two(1..3), offset.get(3..4), two(4..6)) {
        (Some(hours @ ..24), Some(":"), Some(minutes @ ..60)) => {
            (local, sign * (hours * 60 + minutes) * 60_000)
        }
        _ => (value, 0),
    }
}

/// `15m`, `12h`, `7d` in milliseconds.
pub fn age_ms(text: &str) -> Option<i64> {
    let time = humantime::parse_duration(text).ok().filter(|time| !time.is_zero())?;
    i64::try_from(time.as_millis()).ok()
}

/// Reads a query that may only say `since`: a time in milliseconds.
///
/// # Errors
/// 400 for any other parameter, and for what is no time.
pub fn since(query: &str) -> Result<Option<i64>, Fault> {
    let mut since = None;
    for field in query::fields(query) {
        let (name, value) = field.name_and_value().ok_or_else(|| Fault::invalid("The query is no UTF-8."))?;
        if name != "since" {
            return Err(unknown(&name, "there is since"));
        }
        since = Some(age_ms(&value).ok_or_else(|| wrong(&name, "must be a time like 15m, 12h or 7d"))?);
    }
    Ok(since)
}

/// Sees to it that a query says nothing.
///
/// # Errors
/// 400 for any parameter.
pub fn none(query: &str) -> Result<(), Fault> {
    match query::fields(query).next() {
        None => Ok(()),
        Some(field) => {
            let name = field.name_and_value().map(|(name, _)| name).unwrap_or_default();
            Err(unknown(&name, "it takes none"))
        }
    }
}

/// A status, the first digit of one, or a kind of answers.
///
/// # Errors
/// 400 for what is none; `name`: what it stands in.
pub fn status(name: &str, value: &str) -> Result<String, Fault> {
    let digits = value.strip_suffix("xx").unwrap_or(value);
    let is_number = digits.parse::<u16>().is_ok_and(|number| match digits.len() {
        1 => (1..=5).contains(&number) && digits.len() < value.len(),
        _ => (100..=599).contains(&number) && digits.len() == value.len(),
    });
    match is_number || STATUS_CLASSES.contains(&value) {
        true => Ok(value.to_owned()),
        false => Err(wrong(name, "must be success, error, client_left, a status like 404, or 4xx")),
    }
}

fn metadata(name: &str, value: &str) -> Result<Vec<(String, String)>, Fault> {
    let told = || wrong(name, r#"must be an object of texts, like {"team":"red"}"#);
    let Ok(Value::Object(fields)) = serde_json::from_str(value) else { return Err(told()) };
    let field = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(_) | Value::Bool(_) => Ok((name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(told()),
    };
    fields.into_iter().map(field).collect()
}

/// A moment as it is told.
pub(super) fn rfc3339(ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(ms).unwrap_or_default());
    // The last moment that has such a form is in the year 9999.
    let last = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since.min(last)).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::table::Form;
    use super::*;
    use crate::inbound::route::{Graph, GroupPath};

    fn read(query: &str) -> Result<Parameters, Fault> {
        Parameters::read(query, &KeptPath::List)
    }

    #[test]
    fn every_parameter() {
        let all = "from=2026-11-29&to=2026-11-29T08:00:00.5Z&status=4xx&provider=a%20b&model=m&key=k&operation=o&\
                   metadata=%7B%22team%22%3A%22red%22%7D&trace=t&session=s&cost_min=0.05&cost_max=1&latency_min=1&latency_max=2&\
                   tokens_min=3&tokens_max=4&prompt_token_min=5&prompt_tokens_max=6&completion_tokens_min=7&\
                   completion_token_max=8&weighted_feedback_min=-1.5&feedback_max=10&virtual_keys=a,+b&api_key_ids=c&\
                   ai_org_model=p__m__1&status_code=404,500&workspace_slug=w&limit=5&after=6-7";
        let Parameters { filter, page, .. } = read(all).unwrap();
        let expected = Filter {
            from_ms: Some(1_795_910_400_000),
            to_ms: Some(1_795_939_200_500),
            status: Some("4xx".into()),
            provider: Some("a b".into()),
            model: Some("m".into()),
            key: Some("k".into()),
            operation: Some("o".into()),
            metadata: vec![("team".into(), "red".into())],
            trace: Some("t".into()),
            session: Some("s".into()),
            cost_nano: (Some(50_000_000), Some(1_000_000_000)),
            duration_ms: (Some(1), Some(2)),
            tokens: (Some(3), Some(4)),
            prompt_tokens: (Some(5), Some(6)),
            completion_tokens: (Some(7), Some(8)),
            feedback: (Some(-1.5), Some(10.0)),
            choices: vec![
                vec![vec![(Column::Provider, "a".into())], vec![(Column::Provider, "b".into())]],
                vec![vec![(Column::Key, "c".into())]],
                vec![vec![(Column::Provider, "p".into()), (Column::Model, "m__1".into())]],
                vec![vec![(Column::Status, "404".into())], vec![(Column::Status, "500".into())]],
            ],
        };
        assert_eq!(filter, expected);
        assert_eq!((page.after, page.size), (Some((6, 7)), PageSize::new(5).unwrap()));
        let since = read("since=15m").unwrap();
        assert_eq!(since.filter.from_ms, Some(since.now_ms - 900_000));
    }

    #[test]
    fn every_parameter_wrong_once() {
        for query in [
            "from=soon",
            "to=-1",
            "since=0s",
            "since=x",
            "status=6xx",
            "status=99",
            "status=44x",
            "status=good",
            "provider=",
            "model=",
            "key=",
            "operation=",
            "metadata=x",
            "metadata=%7B%22a%22%3A%5B%5D%7D",
            "trace=",
            "session=",
            "cost_min=-1",
            "cost_max=NaN",
            "latency_min=1.5",
            "latency_max=-1",
            "tokens_min=x",
            "tokens_max=99999999999999999999",
            "prompt_tokens_min=x",
            "prompt_token_max=-1",
            "completion_tokens_min=x",
            "completion_token_max=x",
            "feedback_min=-11",
            "weighted_feedback_max=x",
            "virtual_keys=,",
            "api_key_ids=",
            "ai_org_model=openai",
            "status_code=200,x",
            "configs=c",
            "prompt_slug=p",
            "span_id=s",
            "cache_status=hit",
            "current_page=1",
            "text=ab",
            "bodies=true",
            "limit=0",
            "limit=501",
            "after=x",
            "group_by=model",
            "colour=red",
            "from=2&to=1",
        ] {
            let fault = read(query).unwrap_err();
            let name = query.split('=').next().unwrap();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(name)), "{query}: {fault}");
        }
        assert_eq!(read("provider=%ff").unwrap_err().status, 400);
        let one = Parameters::read("limit=1", &KeptPath::One("x")).unwrap_err();
        assert_eq!(one.param.as_deref(), Some("limit"));
        assert!(Parameters::read("group_by=model", &KeptPath::Summary).is_ok());
        assert_eq!(
            Parameters::read("step=60", &KeptPath::Summary).unwrap_err().param.as_deref(),
            Some("step")
        );
    }

    /// A value of this form.
    fn value(form: Form) -> String {
        match form {
            Form::Text => "404".into(),
            Form::Moment => "2020-01-01".into(),
            Form::Age => "15m".into(),
            Form::Whole(least, most) => (3600.max(least)).min(most).to_string(),
            Form::Number(..) => "1.5".into(),
            Form::Flag => "true".into(),
            Form::OneOf(all) => all[0].into(),
            Form::Names => "a__b,c__d".into(),
            Form::Object => r#"{"a":"b"}"#.into(),
        }
    }

    #[test]
    fn every_row_of_the_table_is_taken_where_it_may_stand() {
        for path in [
            KeptPath::List,
            KeptPath::Sessions,
            KeptPath::Export,
            KeptPath::Summary,
            KeptPath::Series,
            KeptPath::Cache,
            KeptPath::CacheSummary,
            KeptPath::Graph(Graph::Cost),
            KeptPath::Group(GroupPath::Users),
            KeptPath::One("x"),
        ] {
            for row in &table::PARAMETERS {
                for name in row.names {
                    let value = if *name == "after" { "1-2".to_owned() } else { value(row.form) };
                    let value =
                        percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
                    let read = Parameters::read(&format!("{name}={value}"), &path);
                    let may_stand = table::named(name, &path).is_some();
                    assert_eq!(read.is_ok(), may_stand, "{name}={value} at {path:?}: {read:?}");
                }
            }
        }
    }

    #[test]
    fn exports() {
        let read = |query: &str| Parameters::read(query, &KeptPath::Export);
        assert!(read("bodies=true&status=error&since=1h").unwrap().with_bodies);
        for query in ["bodies=yes", "limit=1", "after=1-2", "text=abc"] {
            assert_eq!(read(query).unwrap_err().param.as_deref(), query.split('=').next(), "{query}");
        }
    }

    #[test]
    fn portkeys_parameters() {
        let group = KeptPath::Group(GroupPath::Users);
        let read = |query: &str| Parameters::read(query, &group);
        let told = read("cost_min=0.5&current_page=2&page_size=7").unwrap();
        assert_eq!((told.filter.cost_nano.0, told.group_page), (Some(5_000_000), (2, 7)), "cents");
        for query in [
            "cost_max=-1",
            "cost_min=x",
            "current_page=-1",
            "page_size=0",
            "page_size=501",
            "limit=1",
            "group_by=key",
        ] {
            let fault = read(query).unwrap_err();
            assert_eq!(fault.param.as_deref(), query.split('=').next(), "{query}: {fault}");
        }
    }

    #[test]
    fn moments() {
        let check =
            |text: &str, expected: Option<i64>| assert_eq!(moment("from", text).ok(), expected, "{text}");
        let noon = 1_795_953_600_000;
        for text in [
            "2026-11-29T12:00:00Z",
            "2026-11-29 12:00:00",
            "2026-11-29T12:00:00.000000+00:00",
            "2026-11-29T14:30:00+02:30",
            "2026-11-29T14:30:00 02:30",
            "2026-11-29T04:00:00-08:00",
            "1795953600000",
        ] {
            check(text, Some(noon));
        }
        check("2026-11-29", Some(noon - 43_200_000));
        for text in [
            "",
            "+02:00",
            "2026-11-29T12:00:00+24:00",
            "2026-11-29T12:00:00+1:000",
            "1970-01-01T00:00:00+01:00",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn steps_of_a_series() {
        let series = |query: &str| Parameters::read(query, &KeptPath::Series);
        let day = series("").unwrap().steps.unwrap();
        assert_eq!((day.step_ms, day.count()), (900_000, 97));
        assert_eq!(series("since=1h&step=120&group_by=key").unwrap().steps.unwrap().step_ms, 120_000);
        for query in [
            "step=0",
            "step=61",
            "step=x",
            "step=60&since=7d",
            "step=60&from=2020-01-01&to=2020-01-01T01:00:00Z",
            "from=9999-01-01",
            "group_by=colour",
            "limit=1",
        ] {
            let fault = series(query).unwrap_err();
            let name = query.split('=').next().unwrap();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(name)), "{query}: {fault}");
        }
    }
}
