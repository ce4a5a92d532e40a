//! Requests whose bodies have a text in them. Bodies are compressed, so each is unpacked and looked through: for a short time, and the
//! next page goes on where that was over.

use std::time::{Duration, Instant};

use rusqlite::{Row, params_from_iter};

use super::{Reader, TOLD, Told, told};
use crate::answers::{Found, Needles, ReadError};
use crate::query::{Filter, Page};
use crate::sqlite::conditions;

impl Reader {
    /// As [`crate::Reader::search_for`].
    pub(crate) fn search_for(
        &mut self,
        filter: &Filter,
        text: &str,
        page: Page,
        within: Duration,
    ) -> Result<Found, ReadError> {
        let mut conditions = conditions::of(filter);
        conditions.after(page.after);
        let sql = format!(
            "SELECT {TOLD}, request_packed, response_packed FROM requests \
             JOIN (SELECT request AS of_request, request_packed, response_packed FROM bodies) ON of_request = number {} \
             ORDER BY started_ms DESC, number DESC",
            conditions.text()
        );
        let connection = self.connection()?;
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&conditions.values))?;
        let needles = Needles::of(text);
        let (mut found, began) = (Found::default(), Instant::now());
        let mut last: Option<(i64, i64)> = None;
        while let Some(row) = rows.next()? {
            if found.data.len() == page.size.count() as usize || (last.is_some() && began.elapsed() > within)
            {
                found.next = last.map(Page::told);
                break;
            }
            found.looked_at += 1;
            last = Some((row.get(1)?, row.get(0)?));
            if is_in(row, &needles)? {
                let Told { told, .. } = told(row)?;
                found.data.push(told);
            }
        }
        Ok(found)
    }
}

/// In one of the two bodies of a row.
fn is_in(row: &Row<'_>, needles: &Needles) -> rusqlite::Result<bool> {
    for column in ["request_packed", "response_packed"] {
        if needles.are_in(row.get_ref(column)?.as_blob_or_null()?) {
            return Ok(true);
        }
    }
    Ok(false)
}
