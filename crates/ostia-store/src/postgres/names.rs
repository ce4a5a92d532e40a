//! By what requests are looked for over all time: when they were, and their numbers.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::client::{Fault, param};
use super::text::clean;
use crate::record::Record;

/// What kind of name it is, as its column has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request's own id, its trace, or a provider's name for one of its attempts.
    Request = 0,
    /// Its session.
    Session = 1,
}

/// Most requests that a name stands for, the newest of them.
const PLACES_MAX: i64 = 10_000;

/// When requests were, and their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) started_ms: Vec<i64>,
    pub(super) numbers: Vec<i64>,
}

/// The requests of these names.
pub(super) async fn find(client: &impl GenericClient, kind: Kind, names: &[&str]) -> Result<Places, Fault> {
    let names: Vec<_> = names.iter().map(|name| clean(name)).collect();
    let kind = kind as i16;
    let rows = client
        .query_typed(
            "SELECT DISTINCT started_ms, number FROM names WHERE kind = $1 AND name = ANY($2) \
             ORDER BY started_ms DESC, number DESC LIMIT $3",
            &[param(&kind, Type::INT2), param(&names, Type::TEXT_ARRAY), param(&PLACES_MAX, Type::INT8)],
        )
        .await?;
    let mut places = Places::default();
    for row in rows {
        places.started_ms.push(row.try_get(0)?);
        places.numbers.push(row.try_get(1)?);
    }
    Ok(places)
}

/// Writes the names of these requests, each with its number.
pub(super) async fn write(
    client: &impl GenericClient,
    records: impl Iterator<Item = (&Record, i64)>,
) -> Result<(), Fault> {
    let (mut names, mut kinds, mut times, mut numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (record, number) in records {
        let of_attempts = record.attempts.iter().filter_map(|attempt| attempt.request_id.as_ref());
        let of_request = [&record.id, &record.trace_id].into_iter().chain(of_attempts);
        let all = of_request.map(|name| (name, Kind::Request));
        for (name, kind) in all.chain(record.session.iter().map(|session| (session, Kind::Session))) {
            names.push(clean(name));
            kinds.push(kind as i16);
            times.push(record.started_ms);
            numbers.push(number);
        }
    }
    let values = [
        param(&names, Type::TEXT_ARRAY),
        param(&kinds, Type::INT2_ARRAY),
        param(&times, Type::INT8_ARRAY),
        param(&numbers, Type::INT8_ARRAY),
    ];
    let insert = "INSERT INTO names (name, kind, started_ms, number) SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    client.execute_typed(insert, &values).await?;
    Ok(())
}
