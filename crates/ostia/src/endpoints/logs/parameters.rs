//! What may be asked for, as it stands in a query.

use std::time::{Duration, SystemTime};

use ostia_dialect::Fault;
use ostia_store::{Filter, Grouping, POINTS_MAX, Page, PageSize, STATUS_CLASSES, StepError, Steps};
use serde_json::Value;

use super::now_ms;
use crate::inbound::query;
use crate::inbound::route::KeptPath;

/// Longest value of a parameter, in bytes.
const VALUE_BYTES_MAX: usize = 1024;
/// A dollar in the unit that costs are filtered by.
const NANO: f64 = 1e9;
/// Which requests are meant, wherever many are.
const FILTERS: &str = "from, to, since, status, provider, model, key, operation, metadata, trace, session, cost_min, cost_max, \
                       latency_min, latency_max, tokens_min, tokens_max";
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
}

impl Parameters {
    /// Reads a query.
    ///
    /// # Errors
    /// 400 for a parameter that there is not, and for a value that is none.
    pub(super) fn read(query: &str, path: &KeptPath<'_>) -> Result<Parameters, Fault> {
        let mut read = Parameters {
            filter: Filter::default(),
            page: Page { after: None, size: PageSize::DEFAULT },
            by: Grouping::None,
            now_ms: now_ms(),
            steps: None,
            step_ms: None,
        };
        // Forms write a space so, and SDKs send their queries as forms.
        let query = query.replace('+', "%20");
        for field in query::fields(&query) {
            let (name, value) =
                field.name_and_value().ok_or_else(|| Fault::invalid("The query is no UTF-8."))?;
            if value.len() > VALUE_BYTES_MAX {
                return Err(wrong(&name, "is too long"));
            }
            read.parameter(&name, &value, path)?;
        }
        if is_summed(path) && read.filter.from_ms.is_none() {
            let to_ms = read.filter.to_ms.unwrap_or(read.now_ms);
            read.filter.from_ms = Some(to_ms.saturating_sub(SUMMARY_TIME.as_millis() as i64).max(0));
        }
        if read.filter.from_ms.zip(read.filter.to_ms).is_some_and(|(from, to)| from >= to) {
            return Err(wrong("from", "is not before `to`"));
        }
        if *path == KeptPath::Series {
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
        let (is_list, is_summary) = (matches!(path, KeptPath::List | KeptPath::Sessions), is_summed(path));
        match name {
            "limit" if is_list => {
                let size = value.parse().ok().and_then(PageSize::new);
                let told = || wrong(name, &format!("must be a number from 1 to {}", PageSize::MAX));
                self.page.size = size.ok_or_else(told)?;
            }
            "after" if is_list => {
                let cursor = Page::cursor(value);
                self.page.after =
                    Some(cursor.ok_or_else(|| wrong(name, "must be the `next` of another page"))?);
            }
            "group_by" if is_summary => {
                self.by =
                    Grouping::named(value).ok_or_else(|| wrong(name, "must be provider, model or key"))?;
            }
            "step" if *path == KeptPath::Series => {
                self.step_ms = Some(number(name, value)?.saturating_mul(1000))
            }
            _ if is_list || is_summary => return self.filter(name, value),
            _ => return Err(unknown(name, "it takes none")),
        }
        Ok(())
    }

    fn filter(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let filter = &mut self.filter;
        let text =
            || Some(value.to_owned()).filter(|text| !text.is_empty()).ok_or_else(|| wrong(name, "is empty"));
        match name {
            // The names behind are Portkey's.
            "from" | "time_of_generation_min" => filter.from_ms = Some(moment(name, value)?),
            "to" | "time_of_generation_max" => filter.to_ms = Some(moment(name, value)?),
            "since" => {
                let time = age_ms(value).ok_or_else(|| wrong(name, "must be a time like 15m, 12h or 7d"))?;
                filter.from_ms = Some(self.now_ms.saturating_sub(time));
            }
            "status" | "status_code" => filter.status = Some(status(name, value)?),
            "provider" => filter.provider = Some(text()?),
            "model" => filter.model = Some(text()?),
            "key" => filter.key = Some(text()?),
            "operation" => filter.operation = Some(text()?),
            "session" => filter.session = Some(text()?),
            "metadata" => filter.metadata.extend(metadata(name, value)?),
            "trace" | "trace_id" => filter.trace = Some(text()?),
            "cost_min" => filter.cost_nano.0 = Some(dollars(name, value)?),
            "cost_max" => filter.cost_nano.1 = Some(dollars(name, value)?),
            "latency_min" => filter.duration_ms.0 = Some(number(name, value)?),
            "latency_max" => filter.duration_ms.1 = Some(number(name, value)?),
            "tokens_min" | "total_units_min" => filter.tokens.0 = Some(number(name, value)?),
            "tokens_max" | "total_units_max" => filter.tokens.1 = Some(number(name, value)?),
            _ => return Err(unknown(name, &format!("there are {FILTERS}"))),
        }
        Ok(())
    }
}

/// Is it added up what is there?
fn is_summed(path: &KeptPath<'_>) -> bool {
    matches!(path, KeptPath::Summary | KeptPath::Series)
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::invalid(format!("Invalid `{name}`: {what}.")).with_param(name)
}

fn unknown(name: &str, known: &str) -> Fault {
    Fault::invalid(format!("There is no parameter `{name}` here; {known}.")).with_param(name)
}

fn number(name: &str, value: &str) -> Result<i64, Fault> {
    let number = value.parse::<i64>().ok().filter(|number| (0..=i64::MAX / 1000).contains(number));
    number.ok_or_else(|| wrong(name, "must be a whole number of at least 0"))
}

fn dollars(name: &str, value: &str) -> Result<i64, Fault> {
    let dollars = value.parse::<f64>().ok().filter(|dollars| (0.0..1e9).contains(dollars));
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
    use super::*;

    fn read(query: &str) -> Result<Parameters, Fault> {
        Parameters::read(query, &KeptPath::List)
    }

    #[test]
    fn every_parameter() {
        let all = "from=2026-11-29&to=2026-11-29T08:00:00.5Z&status=4xx&provider=a%20b&model=m&key=k&operation=o&\
                   metadata=%7B%22team%22%3A%22red%22%7D&trace=t&session=s&cost_min=0.05&cost_max=1&latency_min=1&latency_max=2&\
                   tokens_min=3&tokens_max=4&limit=5&after=6-7";
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
