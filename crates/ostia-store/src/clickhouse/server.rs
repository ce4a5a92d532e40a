//! A ClickHouse server, asked over its HTTP interface (<https://clickhouse.com/docs/interfaces/http>).
//!
//! What a question is about goes as parameters beside its text, which holds nothing that anybody sent. Answers are buffered over
//! there until they are whole, so that one with status 200 is no half of one.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;

use super::row_binary::{Decoder, Encoder};
use super::{Error, TIMEOUT_EXCEEDED};
use crate::answers::ANSWER_WITHIN;
use crate::mask;
use crate::password::Password;

/// How much longer than the server itself, which gives up when an answer has to be there, its word is waited for.
const WORD_WITHIN: Duration = Duration::from_secs(2);
/// The same for what is written, and for tables that are made.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);
/// How hard rows are compressed on their way.
const LEVEL: i32 = 1;
/// Most of a server's words that are told, in characters.
const WORDS_MAX: usize = 300;

/// Makes calls over HTTP to the server that the operator named: the gateway's shell does, past its guard.
pub trait Http: Send + Sync {
    /// Makes a call and waits for the whole answer.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    fn call(&self, call: HttpCall) -> Result<HttpAnswer, String>;
}

/// A call with the method POST.
pub struct HttpCall {
    /// Path and query.
    pub target: String,
    /// Some are secret.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// How long it may take.
    pub within: Duration,
}

/// The whole of an answer.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// A ClickHouse server, and who asks it.
#[derive(Clone)]
pub struct ClickHouse {
    /// Makes the calls.
    pub http: Arc<dyn Http>,
    /// Who asks.
    pub user: String,
    /// The password, if one is needed.
    pub password: Password,
    /// Where the tables are; it has to be there.
    pub database: String,
    /// Where it is, in words for the operator: without the password.
    pub told: String,
}

impl fmt::Debug for HttpCall {
    /// Headers and bodies hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call with {} bytes", self.body.len())
    }
}

impl fmt::Display for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Values of a question. Each stands in its text as `{p0:String}`.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<String>);

impl Parameters {
    pub(super) fn text(&mut self, value: &str) -> String {
        self.add("String", escaped(value))
    }

    pub(super) fn int(&mut self, value: i64) -> String {
        self.add("Int64", value.to_string())
    }

    pub(super) fn float(&mut self, value: f64) -> String {
        self.add("Float64", format!("{value:?}"))
    }

    pub(super) fn texts<'a>(&mut self, values: impl Iterator<Item = &'a str>) -> String {
        let quoted: Vec<String> =
            values.map(|value| format!("'{}'", escaped(value).replace('\'', "\\'"))).collect();
        self.add("Array(String)", format!("[{}]", quoted.join(",")))
    }

    pub(super) fn ints(&mut self, values: impl Iterator<Item = i64>) -> String {
        let values: Vec<String> = values.map(|value| value.to_string()).collect();
        self.add("Array(Int64)", format!("[{}]", values.join(",")))
    }

    fn add(&mut self, kind: &str, value: String) -> String {
        self.0.push(value);
        format!("{{p{}:{kind}}}", self.0.len() - 1)
    }
}

/// As values of parameters are read: like a field of tab-separated lines.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\0' => escaped.push_str("\\0"),
            other => escaped.push(other),
        }
    }
    escaped
}

impl ClickHouse {
    /// All rows of an answer, each read by `one`.
    pub(super) fn rows<T>(
        &self,
        text: &str,
        parameters: &Parameters,
        one: impl FnMut(&mut Decoder<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.rows_within(ANSWER_WITHIN, text, parameters, one)
    }

    /// The same within this time.
    fn rows_within<T>(
        &self,
        within: Duration,
        text: &str,
        parameters: &Parameters,
        mut one: impl FnMut(&mut Decoder<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let answer = self.select(within, text, parameters)?;
        let (mut decoder, mut rows) = (Decoder::new(&answer), Vec::new());
        while !decoder.is_over() {
            rows.push(one(&mut decoder)?);
        }
        Ok(rows)
    }

    /// One number that is asked for.
    pub(super) fn number(&self, text: &str, parameters: &Parameters) -> Result<u64, Error> {
        Decoder::new(&self.select(ANSWER_WITHIN, text, parameters)?).u64()
    }

    fn select(&self, within: Duration, text: &str, parameters: &Parameters) -> Result<Vec<u8>, Error> {
        let mut target = self.target();
        // One row for each request, and of a day's rows only that day's are looked at for it.
        target.push_str(
            "&do_not_merge_across_partitions_select_final=1&use_skip_indexes_if_final=1&join_use_nulls=1",
        );
        let _ = write!(
            target,
            "&max_execution_time={}&cancel_http_readonly_queries_on_client_close=1",
            // In whole seconds; 0 would be no bound.
            within.as_secs().max(1)
        );
        for (number, value) in parameters.0.iter().enumerate() {
            let _ = write!(target, "&param_p{number}=");
            push_encoded(&mut target, value);
        }
        self.call(target, &[], format!("{text} FORMAT RowBinary").into_bytes(), within + WORD_WITHIN)
    }

    /// Writes rows; `into`: a table and its columns.
    pub(super) fn insert(&self, into: &str, rows: &Encoder) -> Result<(), Error> {
        let mut target = self.target();
        // Days of long ago may come in one batch. What comes twice is told apart by its key.
        target.push_str("&async_insert=0&insert_deduplicate=0&max_partitions_per_insert_block=0&query=");
        push_encoded(&mut target, &format!("INSERT INTO {into} FORMAT RowBinary"));
        // Without memory it goes as it is.
        let (body, encoding) = match zstd::bulk::compress(&rows.0, LEVEL) {
            Ok(packed) => (packed, Some(("content-encoding", "zstd"))),
            Err(_) => (rows.0.clone(), None),
        };
        self.call(target, encoding.as_slice(), body, WRITTEN_WITHIN).map(drop)
    }

    /// Has it do something that has no rows.
    pub(super) fn command(&self, text: &str) -> Result<(), Error> {
        self.call(self.target(), &[], text.as_bytes().to_vec(), WRITTEN_WITHIN).map(drop)
    }

    /// Has the user this right to the database?
    pub(super) fn is_granted(&self, right: &str) -> Result<bool, Error> {
        let target = self.target() + "&default_format=RowBinary";
        let database = self.database.replace('\\', "\\\\").replace('`', "\\`");
        let text = format!("CHECK GRANT {right} ON `{database}`.*");
        let answer = self.call(target, &[], text.into_bytes(), ANSWER_WITHIN + WORD_WITHIN)?;
        Ok(Decoder::new(&answer).byte()? != 0)
    }

    fn target(&self) -> String {
        let mut target = "/?wait_end_of_query=1&database=".to_owned();
        push_encoded(&mut target, &self.database);
        target
    }

    fn call(
        &self,
        target: String,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, Error> {
        let password = self.password.now();
        let password = password.as_ref().map_or("", |password| password.expose_secret());
        let own = [("x-clickhouse-user", self.user.as_str()), ("x-clickhouse-key", password)];
        let headers = own.iter().chain(headers).map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer =
            self.http.call(HttpCall { target, headers, body, within }).map_err(Error::Unreachable)?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(refused(status, &answer.body)),
        }
    }
}

/// A server of which something is asked that is to be answered by then.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) server: ClickHouse,
    /// `None`: each question has a time of its own.
    pub(super) due: Option<Instant>,
}

impl Timed {
    /// As [`ClickHouse::rows`].
    pub(super) fn rows<T>(
        &self,
        text: &str,
        parameters: &Parameters,
        one: impl FnMut(&mut Decoder<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.server.rows_within(self.left()?, text, parameters, one)
    }

    /// As [`ClickHouse::number`].
    pub(super) fn number(&self, text: &str, parameters: &Parameters) -> Result<u64, Error> {
        Decoder::new(&self.server.select(self.left()?, text, parameters)?).u64()
    }

    /// How long an answer may take.
    fn left(&self) -> Result<Duration, Error> {
        let left = self.due.map_or(ANSWER_WITHIN, |due| due.saturating_duration_since(Instant::now()));
        match left.is_zero() {
            // As the server says it when it gives up.
            true => Err(Error::Refused { code: TIMEOUT_EXCEEDED, told: "it took too long".to_owned() }),
            false => Ok(left),
        }
    }
}

/// What a server says of something that it will not do: `Code: 60. DB::Exception: Unknown table ...`.
fn refused(status: u16, body: &[u8]) -> Error {
    let words = String::from_utf8_lossy(body);
    let line = words.lines().next().unwrap_or_default();
    let code = line.strip_prefix("Code: ").and_then(|rest| rest.split('.').next()?.parse().ok());
    let told: String = mask::mask_text(line).chars().take(WORDS_MAX).collect();
    match code {
        Some(code) => Error::Refused { code, told },
        None => Error::Unreachable(format!("it answers with status {status}: {told}")),
    }
}

/// Puts a value of a query behind it, percent-encoded.
fn push_encoded(target: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                target.push(char::from(byte))
            }
            _ => {
                let _ = write!(target, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says() {
        let check =
            |status: u16, body: &str, expected: Error| assert_eq!(refused(status, body.as_bytes()), expected);
        let told = "Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)";
        let expected = Error::Refused { code: 516, told: told.to_owned() };
        check(403, &format!("{told}\n\nIf you use ClickHouse Cloud"), expected);
        check(502, "<html>", Error::Unreachable("it answers with status 502: <html>".to_owned()));
        check(404, "", Error::Unreachable("it answers with status 404: ".to_owned()));
    }

    #[test]
    fn values_beside_the_text() {
        let mut parameters = Parameters::default();
        assert_eq!(parameters.text("a\tb\\c'"), "{p0:String}");
        assert_eq!(parameters.texts(["it's", "a\\b"].into_iter()), "{p1:Array(String)}");
        assert_eq!(parameters.ints([1, -2].into_iter()), "{p2:Array(Int64)}");
        assert_eq!(parameters.0[0], "a\\tb\\\\c'");
        assert_eq!(parameters.0[1..], ["['it\\'s','a\\\\b']", "[1,-2]"]);
        let mut target = String::new();
        push_encoded(&mut target, "a b&c=ü%");
        assert_eq!(target, "a%20b%26c%3D%C3%BC%25");
    }
}
