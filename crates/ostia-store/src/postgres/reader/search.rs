//! Requests whose bodies have a text in them. Bodies are unpacked and looked through here, some at a time.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, Row};

use super::scope::Scope;
use super::{Reader, query, told_columns, told_rows};
use crate::answers::{Found, Needles, ReadError};
use crate::conditions::Conditions;
use crate::postgres::client::Fault;
use crate::query::{Filter, Page};

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
            let (found, last, began) = (Found::default(), page.after, Instant::now());
            let mut search = Search { needles: &needles, page, within, began, last, found };
            let scope = Scope::of(client, filter, page.after).await?;
            for (conditions, time) in scope.conditions(filter).zip(scope.times()) {
                if search.goes_through(client, &conditions, *time).await? {
                    break;
                }
            }
            Ok(search.found)
        })
    }
}

/// A search under way.
struct Search<'n> {
    needles: &'n Needles,
    page: Page,
    within: Duration,
    began: Instant,
    /// Time and number of the request that was looked at last.
    last: Option<(i64, i64)>,
    found: Found,
}

impl Search<'_> {
    /// Goes through the requests of a time. Is that enough?
    async fn goes_through(
        &mut self,
        client: &Client,
        conditions: &Conditions,
        time: (i64, i64),
    ) -> Result<bool, Fault> {
        loop {
            let rows = self.rows(client, conditions, time).await?;
            let (is_last, mut matching) = (rows.len() < ROWS, Vec::new());
            let mut is_enough = false;
            for row in rows {
                is_enough = self.is_enough(matching.len());
                if is_enough {
                    self.found.next = self.last.map(Page::told);
                    break;
                }
                if self.look_at(&row)? {
                    matching.push(row);
                }
            }
            let told = told_rows(client, &matching).await?;
            self.found.data.extend(told.into_iter().map(|row| row.told));
            if is_enough || is_last {
                return Ok(is_enough);
            }
        }
    }

    async fn rows(
        &self,
        client: &Client,
        conditions: &Conditions,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Vec<Row>, Fault> {
        let mut conditions = conditions.clone();
        conditions.after(self.last);
        let text = format!(
            "SELECT {}, request_packed, response_packed FROM requests JOIN (SELECT started_ms AS body_ms, \
             number AS body_number, request_packed, response_packed FROM bodies \
             WHERE started_ms >= {from_ms} AND started_ms < {to_ms}) AS packed \
             ON body_ms = started_ms AND body_number = number {} \
             ORDER BY started_ms DESC, number DESC LIMIT {ROWS}",
            told_columns(),
            conditions.text()
        );
        query(client, &text, &conditions.values).await
    }

    /// With so many more that were found and are not told yet.
    fn is_enough(&self, more: usize) -> bool {
        let is_full = self.found.data.len() + more == self.page.size.count() as usize;
        is_full || self.found.looked_at > 0 && self.began.elapsed() > self.within
    }

    /// Is the text in one of its bodies?
    fn look_at(&mut self, row: &Row) -> Result<bool, Fault> {
        self.found.looked_at += 1;
        self.last = Some((row.try_get(1)?, row.try_get(0)?));
        Ok(self.needles.are_in(row.try_get(5)?) || self.needles.are_in(row.try_get(6)?))
    }
}
