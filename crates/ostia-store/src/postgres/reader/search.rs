//! Requests whose bodies have a text in them. Bodies are unpacked and looked through here, some at a time.

use std::time::{Duration, Instant};

use super::scope::Scope;
use super::{Reader, query, told_columns, told_row};
use crate::query::{Filter, Page};
use crate::reader::{Found, Needles, ReadError};

/// Requests that are fetched at once.
const ROWS: usize = 50;

impl Reader {
    pub(crate) fn search_for(
        &mut self,
        filter: &Filter,
        text: &str,
        page: Page,
        within: Duration,
    ) -> Result<Found, ReadError> {
        let needles = Needles::of(text);
        self.on(async |client| {
            let began = Instant::now();
            let mut found = Found::default();
            let mut last = page.after;
            let scope = Scope::of(client, filter, page.after).await?;
            for (conditions, (from_ms, to_ms)) in scope.conditions(filter).zip(scope.times()) {
                loop {
                    let mut conditions = conditions.clone();
                    conditions.after(last);
                    let text = format!(
                        "SELECT {}, request_packed, response_packed FROM requests JOIN (SELECT started_ms AS body_ms, \
                         number AS body_number, request_packed, response_packed FROM bodies \
                         WHERE started_ms >= {from_ms} AND started_ms < {to_ms}) AS packed \
                         ON body_ms = started_ms AND body_number = number {} \
                         ORDER BY started_ms DESC, number DESC LIMIT {ROWS}",
                        told_columns(),
                        conditions.text()
                    );
                    let rows = query(client, &text, &conditions.values).await?;
                    for row in &rows {
                        let is_enough = found.data.len() == page.size.count() as usize;
                        if is_enough || (found.looked_at > 0 && began.elapsed() > within) {
                            found.next = last.map(|(started_ms, number)| format!("{started_ms}-{number}"));
                            return Ok(found);
                        }
                        found.looked_at += 1;
                        let told = told_row(row)?;
                        last = Some((told.started_ms, told.number));
                        if needles.are_in(row.try_get(5)?) || needles.are_in(row.try_get(6)?) {
                            found.data.push(told.told);
                        }
                    }
                    if rows.len() < ROWS {
                        break;
                    }
                }
            }
            Ok(found)
        })
    }
}
