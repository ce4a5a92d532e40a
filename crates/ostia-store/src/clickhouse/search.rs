//! Requests whose bodies have a text in them: the server looks, at some requests at a time, for a short time; the next page goes on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::pages::{KEYS_MAX, Key, keyed};
use super::server::Parameters;
use super::{Error, Reader};
use crate::answers::{Found, Needles, ReadError, plain};
use crate::query::{Filter, Page};

/// How many requests are looked at in the first question, and how many times more in each next one.
const FIRST_LOOK: usize = 32;
const MORE: usize = 4;
/// Bodies were kept of it.
const HAS_BODIES: &str = "request_state IN ('kept', 'cut') OR response_state IN ('kept', 'cut')";

impl Reader {
    pub(crate) fn search_for(
        &self,
        filter: &Filter,
        text: &str,
        page: Page,
        within: Duration,
    ) -> Result<Found, ReadError> {
        let (mut keys, mut found, mut last) = (Vec::new(), Found::default(), page.after);
        let Some(filter) = self.with_bodies(filter)? else { return Ok(found) };
        let (began, wanted) = (Instant::now(), page.size.count() as usize);
        let mut look = FIRST_LOOK;
        loop {
            // One is looked at however late it is.
            let count = if began.elapsed() >= within { 1 } else { look };
            let seen = self.newest(&filter, Some(HAS_BODIES), last, count)?;
            let is_end = seen.len() < count;
            let matches = self.matches(&seen, text)?;
            for key in seen {
                if keys.len() == wanted {
                    break;
                }
                last = Some((key.started_ms, key.number));
                // What was kept of it may be gone.
                let Some(is_match) = matches.get(&key.id) else { continue };
                found.looked_at += 1;
                if *is_match {
                    keys.push(key);
                }
            }
            if keys.len() < wanted && is_end {
                break;
            }
            if keys.len() == wanted || began.elapsed() >= within {
                let is_more = !self.newest(&filter, Some(HAS_BODIES), last, 1)?.is_empty();
                found.next = last.filter(|_| is_more).map(Page::told);
                break;
            }
            look = (look * MORE).min(KEYS_MAX);
        }
        found.data = plain(self.told(&keys)?);
        Ok(found)
    }

    /// The same of the time of which there are bodies; `None`: there are none.
    fn with_bodies(&self, filter: &Filter) -> Result<Option<Filter>, Error> {
        let text = "SELECT count(), min(started_ms) FROM ostia_bodies";
        let rows = self.server.rows(text, &Parameters::default(), |row| Ok((row.u64()?, row.i64()?)))?;
        let first_ms = rows.first().filter(|(count, _)| *count > 0).map(|(_, first_ms)| *first_ms);
        let from_ms = |first_ms: i64| filter.from_ms.map_or(first_ms, |ms| ms.max(first_ms));
        Ok(first_ms.map(|first_ms| Filter { from_ms: Some(from_ms(first_ms)), ..filter.clone() }))
    }

    /// Of those of these that have bodies, whether the text is in one of them: as it is, or as JSON writes it, whatever the case of
    /// ASCII's letters.
    fn matches(&self, keys: &[Key], text: &str) -> Result<HashMap<String, bool>, Error> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let mut parameters = Parameters::default();
        let keyed = keyed(keys.iter(), &mut parameters);
        let needles = Needles::texts(text).map(|needle| parameters.text(&needle));
        let finds = |column: &str| {
            needles
                .each_ref()
                .map(|needle| format!("positionCaseInsensitive(ifNull({column}, ''), {needle}) > 0"))
                .join(" OR ")
        };
        let text = format!(
            "SELECT id, {} OR {} FROM ostia_bodies WHERE {keyed} LIMIT 1 BY id",
            finds("request"),
            finds("response")
        );
        let rows = self.server.rows(&text, &parameters, |row| Ok((row.text()?, row.byte()? > 0)))?;
        Ok(rows.into_iter().collect())
    }
}
