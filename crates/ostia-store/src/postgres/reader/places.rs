//! Requests by time and number.

use tokio_postgres::{Client, Row};

use super::query;
use super::scope::slices;
use crate::columns::Place;
use crate::conditions::Conditions;
use crate::postgres::client::Fault;
use crate::postgres::partitions::day_of;

/// Columns of those that are there still and meet the conditions, some days at a time, those of each in this order.
pub(super) async fn at(
    client: &Client,
    (columns, order): (&str, &str),
    places: &[Place],
    conditions: &Conditions,
) -> Result<Vec<Row>, Fault> {
    let mut days: Vec<i64> = places.iter().map(|(started_ms, _)| day_of(*started_ms)).collect();
    days.sort_unstable_by(|one, other| other.cmp(one));
    days.dedup();
    let mut rows = Vec::new();
    for (from_ms, to_ms) in slices(&days, (i64::MIN, i64::MAX)) {
        let own = places.iter().filter(|(started_ms, _)| (from_ms..to_ms).contains(started_ms));
        let (times, numbers): (Vec<i64>, Vec<i64>) = own.copied().unzip();
        let mut conditions = conditions.clone();
        conditions.some("started_ms >= ?", Some(from_ms));
        conditions.some("started_ms < ?", Some(to_ms));
        // Were it known how many there are, all requests would be gone through for some thousands.
        let text = format!(
            "SELECT {columns} FROM (SELECT * FROM requests {}) AS requests \
             JOIN unnest((SELECT ?::bigint[]), (SELECT ?::bigint[])) AS place (at_ms, at_number) \
             ON started_ms = at_ms AND number = at_number {order}",
            conditions.text()
        );
        let mut values = conditions.values;
        values.extend([array(&times).as_str().into(), array(&numbers).as_str().into()]);
        rows.extend(query(client, &text, &values).await?);
    }
    Ok(rows)
}

/// Numbers as PostgreSQL writes an array of them.
pub(super) fn array(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}
