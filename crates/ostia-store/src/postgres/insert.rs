//! A batch of records: written in one transaction with all that they come to, or not at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::client::{Fault, Param, param};
use super::documents::{self, Keys};
use super::partitions::day_of;
use super::rollup::Rows;
use super::text::clean;
use super::{WRITE_LOCK, lock, names, partitions, rollup};
use crate::facts::{Facts, costs};
use crate::record::Record;
use crate::rollup::{Rollup, signed};

/// Records as they are written: all that needs no server is done before it is asked.
pub(super) struct Batch<'r> {
    lines: Vec<Line<'r>>,
}

/// A record, and what stands in its columns.
struct Line<'r> {
    record: &'r Record,
    document: String,
    facts: Facts<'r>,
    costs: Option<String>,
    metadata: Option<String>,
    /// Of the request and of the answer, compressed.
    bodies: [Option<Vec<u8>>; 2],
}

impl Batch<'_> {
    pub(super) fn of(records: &[Record]) -> Batch<'_> {
        let mut seen = HashSet::new();
        let first = records.iter().filter(|record| seen.insert(&record.id));
        Batch { lines: first.map(Line::of).collect() }
    }
}

impl Line<'_> {
    fn of(record: &Record) -> Line<'_> {
        let metadata: BTreeMap<_, _> =
            record.metadata.iter().map(|(name, value)| (clean(name), clean(value))).collect();
        Line {
            record,
            document: serde_json::to_string(record).unwrap_or_default(),
            facts: Facts::of(record),
            costs: costs(record),
            metadata: (!metadata.is_empty()).then(|| serde_json::to_string(&metadata).unwrap_or_default()),
            bodies: [record.request.packed(), record.response.packed()],
        }
    }

    fn body_bytes(&self) -> i64 {
        self.bodies.iter().flatten().map(|packed| packed.len() as i64).sum()
    }
}

/// Writes them. Those that are there already are left out, and are not added up again.
pub(super) async fn write(client: &mut Client, batch: &Batch<'_>) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    lock(&transaction, WRITE_LOCK).await?;
    let mut days: Vec<i64> = batch.lines.iter().map(|line| day_of(line.record.started_ms)).collect();
    days.sort_unstable();
    days.dedup();
    let days = partitions::ensure(&transaction, &days).await?;
    let has_bodies = |line: &Line<'_>| days.get(&day_of(line.record.started_ms)).copied().unwrap_or_default();
    let numbers = write_requests(&transaction, batch, &has_bodies).await?;
    let number = |line: &&Line<'_>| numbers.get(line.record.id.as_str()).copied();
    let added: Vec<(&Line<'_>, i64)> =
        batch.lines.iter().filter_map(|line| Some((line, number(&line)?))).collect();
    if added.is_empty() {
        return Ok(transaction.commit().await?);
    }
    names::write(&transaction, added.iter().map(|(line, number)| (line.record, *number))).await?;
    write_documents(&transaction, &added).await?;
    write_bodies(&transaction, added.iter().filter(|(line, _)| has_bodies(line))).await?;
    write_days(&transaction, &added, &has_bodies).await?;
    rollup::add(&transaction, sums(added.iter().map(|(line, _)| line.record))).await?;
    Ok(transaction.commit().await?)
}

/// What they come to.
fn sums<'r>(records: impl Iterator<Item = &'r Record>) -> Rows {
    let mut rollup = Rollup::default();
    records.for_each(|record| rollup.count(record));
    let mut rows = Rows::new();
    rollup.rows().iter().for_each(|(row, sums)| rows.entry(rollup::cleaned(row)).or_default().plus(sums));
    rows
}

/// A column of `requests`, and how it comes from a line.
enum Column {
    Text(for<'l> fn(&'l Line<'_>) -> Option<Cow<'l, str>>),
    Number(fn(&Line<'_>) -> Option<i64>),
}

use Column::{Number, Text};

static COLUMNS: [(&str, Column); 25] = [
    ("id", Text(|line| Some(clean(&line.record.id)))),
    ("started_ms", Number(|line| Some(line.record.started_ms))),
    ("trace_id", Text(|line| Some(clean(&line.record.trace_id)))),
    ("session", Text(|line| line.record.session.as_deref().map(clean))),
    ("operation", Text(|line| line.record.operation.as_deref().map(clean))),
    ("key", Text(|line| line.record.key.as_deref().map(clean))),
    ("provider", Text(|line| line.facts.provider.map(clean))),
    ("model", Text(|line| line.facts.model.map(clean))),
    ("status", Number(|line| Some(line.record.status.into()))),
    ("\"end\"", Text(|line| Some(clean(&line.record.end)))),
    ("duration_us", Number(|line| Some(signed(line.record.duration_us)))),
    ("first_token_us", Number(|line| line.record.first_token_us.map(signed))),
    ("tokens", Number(|line| line.facts.tokens)),
    ("cost_nano", Number(|line| line.facts.cost_nano)),
    ("prompt_tokens", Number(|line| Some(signed(line.facts.sums.prompt_tokens)))),
    ("completion_tokens", Number(|line| Some(signed(line.facts.sums.completion_tokens)))),
    ("cached_tokens", Number(|line| Some(signed(line.facts.sums.cached_tokens)))),
    ("reasoning_tokens", Number(|line| Some(signed(line.facts.sums.reasoning_tokens)))),
    ("attempts", Number(|line| Some(signed(line.facts.sums.attempts)))),
    ("failed_attempts", Number(|line| Some(signed(line.facts.sums.failed_attempts)))),
    ("retries", Number(|line| Some(line.facts.retries))),
    ("fell_back", Number(|line| Some(line.facts.fell_back.into()))),
    ("unpriced", Number(|line| Some(signed(line.facts.sums.unpriced)))),
    ("costs", Text(|line| line.costs.as_deref().map(Cow::from))),
    ("metadata", Text(|line| line.metadata.as_deref().map(Cow::from))),
];

/// The numbers of those that were not there, by their ids.
async fn write_requests<'b>(
    transaction: &Transaction<'_>,
    batch: &'b Batch<'_>,
    has_bodies: &impl Fn(&Line<'_>) -> bool,
) -> Result<HashMap<&'b str, i64>, Fault> {
    let lines = &batch.lines;
    let mut values: Vec<(Box<dyn ToSql + Sync + '_>, Type)> = COLUMNS
        .iter()
        .map(|(_, column)| -> (Box<dyn ToSql + Sync + '_>, Type) {
            match column {
                Text(of) => (Box::new(lines.iter().map(of).collect::<Vec<_>>()), Type::TEXT_ARRAY),
                Number(of) => (Box::new(lines.iter().map(of).collect::<Vec<_>>()), Type::INT8_ARRAY),
            }
        })
        .collect();
    for state in [|record: &Record| record.request.state(), |record: &Record| record.response.state()] {
        let of = |line: &Line<'_>| told_state(state(line.record), has_bodies(line));
        values.push((Box::new(lines.iter().map(of).collect::<Vec<_>>()), Type::TEXT_ARRAY));
    }
    let params: Vec<Param<'_>> = values.iter().map(|(value, of)| param(&**value, of.clone())).collect();
    let rows = transaction.query_typed(&insert_text(), &params).await?;
    let mut numbers: HashMap<String, i64> = HashMap::new();
    for row in &rows {
        numbers.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let number =
        |line: &'b Line<'_>| Some((line.record.id.as_str(), *numbers.get(clean(&line.record.id).as_ref())?));
    Ok(lines.iter().filter_map(number).collect())
}

/// What became of a body. That of a day whose bodies are gone is as old as they are.
fn told_state(state: &'static str, has_bodies: bool) -> &'static str {
    match state {
        "kept" | "cut" if !has_bodies => "aged_out",
        state => state,
    }
}

fn insert_text() -> String {
    let mut names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    names.extend(["request_state", "response_state"]);
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let names = names.join(", ");
    format!(
        "INSERT INTO requests ({names}) SELECT {} FROM unnest({}) AS new ({names}) \
         ON CONFLICT DO NOTHING RETURNING id, number",
        names.replace("metadata", "metadata::jsonb"),
        places.join(", ")
    )
}

async fn write_documents(transaction: &Transaction<'_>, lines: &[(&Line<'_>, i64)]) -> Result<(), Fault> {
    let mut keys = Keys::default();
    lines.iter().for_each(|(line, number)| keys.push(line.record.started_ms, *number));
    let texts: Vec<&str> = lines.iter().map(|(line, _)| line.document.as_str()).collect();
    documents::write(transaction, &keys, &texts).await
}

async fn write_bodies<'l>(
    transaction: &Transaction<'_>,
    lines: impl Iterator<Item = &'l (&'l Line<'l>, i64)>,
) -> Result<(), Fault> {
    let kept: Vec<_> = lines.filter(|(line, _)| line.bodies.iter().any(Option::is_some)).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let times: Vec<i64> = kept.iter().map(|(line, _)| line.record.started_ms).collect();
    let numbers: Vec<i64> = kept.iter().map(|(_, number)| *number).collect();
    let [requests, responses] =
        [0, 1].map(|at| kept.iter().map(|(line, _)| line.bodies[at].as_deref()).collect::<Vec<_>>());
    let values = [
        param(&times, Type::INT8_ARRAY),
        param(&numbers, Type::INT8_ARRAY),
        param(&requests, Type::BYTEA_ARRAY),
        param(&responses, Type::BYTEA_ARRAY),
    ];
    let text = "INSERT INTO bodies (started_ms, number, request_packed, response_packed) \
                SELECT * FROM unnest($1, $2, $3, $4)";
    transaction.execute_typed(text, &values).await?;
    Ok(())
}

/// Counts them in their days.
async fn write_days(
    transaction: &Transaction<'_>,
    lines: &[(&Line<'_>, i64)],
    has_bodies: &impl Fn(&Line<'_>) -> bool,
) -> Result<(), Fault> {
    // Requests, bytes of documents and of bodies, the last number.
    let mut days: BTreeMap<i64, [i64; 4]> = BTreeMap::new();
    for (line, number) in lines {
        let day = days.entry(day_of(line.record.started_ms)).or_default();
        day[0] += 1;
        day[1] += line.document.len() as i64;
        day[2] += if has_bodies(line) { line.body_bytes() } else { 0 };
        day[3] = day[3].max(*number);
    }
    let starts: Vec<i64> = days.keys().copied().collect();
    let counts = [0, 1, 2, 3].map(|at| days.values().map(|day| day[at]).collect::<Vec<i64>>());
    let values: Vec<Param<'_>> =
        [&starts].into_iter().chain(&counts).map(|column| param(column, Type::INT8_ARRAY)).collect();
    let text = "UPDATE days SET requests = days.requests + new.requests, \
                document_bytes = days.document_bytes + new.document_bytes, \
                body_bytes = days.body_bytes + new.body_bytes, last_number = greatest(days.last_number, new.last_number) \
                FROM unnest($1, $2, $3, $4, $5) AS new (day_ms, requests, document_bytes, body_bytes, last_number) \
                WHERE days.day_ms = new.day_ms";
    transaction.execute_typed(text, &values).await?;
    Ok(())
}
