//! Requests whose bodies have a text in them. Bodies are compressed, so each is unpacked and looked through: for a short time, and the
//! next page goes on where that was over.

use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use rusqlite::{Row, params_from_iter};
use serde_json::Value;

use super::{ReadError, Reader, TOLD, Told, told};
use crate::body::unpacked;
use crate::query::{Conditions, Filter, Page};

/// How long one answer looks. An index of all words would make the file two to three times as large, and take the writer longer than
/// all else that it does, for a question that is asked now and then.
const LOOKS_WITHIN: Duration = Duration::from_millis(250);

/// What was found in a part of what is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The newest first.
    pub data: Vec<Value>,
    /// Where to go on, if not all was looked through.
    pub next: Option<String>,
    /// How many requests were looked at that have bodies.
    pub looked_at: u64,
}

impl Reader {
    /// The newest requests that pass the filter and have this text in one of their bodies, whatever its case (of ASCII's letters).
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn search(&mut self, filter: &Filter, text: &str, page: Page) -> Result<Found, ReadError> {
        self.search_for(filter, text, page, LOOKS_WITHIN)
    }

    pub(crate) fn search_for(
        &mut self,
        filter: &Filter,
        text: &str,
        page: Page,
        within: Duration,
    ) -> Result<Found, ReadError> {
        let mut conditions = Conditions::of(filter);
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
                found.next = last.map(|(started_ms, number)| format!("{started_ms}-{number}"));
                break;
            }
            found.looked_at += 1;
            last = Some((row.get(1)?, row.get(0)?));
            if needles.are_in(row)? {
                let Told { told, .. } = told(row)?;
                found.data.push(told);
            }
        }
        Ok(found)
    }
}

/// A text as it may stand in a body: as it is, and as JSON writes it.
struct Needles {
    plain: Finder<'static>,
    json: Finder<'static>,
}

impl Needles {
    fn of(text: &str) -> Needles {
        let lower = text.to_ascii_lowercase();
        let quoted = Value::from(lower.as_str()).to_string();
        let json = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
        // One that begins with a quote is written with a backslash before it.
        let json = if lower.starts_with('"') { &quoted[1..quoted.len() - 1] } else { json };
        Needles { plain: Finder::new(&lower).into_owned(), json: Finder::new(json).into_owned() }
    }

    /// In one of the two bodies of a row.
    fn are_in(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        for column in ["request_packed", "response_packed"] {
            let packed = row.get_ref(column)?.as_blob_or_null()?;
            let Some(mut bytes) = packed.and_then(unpacked) else { continue };
            bytes.make_ascii_lowercase();
            if self.plain.find(&bytes).is_some() || self.json.find(&bytes).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
