//! Sessions: what the requests of a conversation, or of an agent's run, come to.

use std::collections::HashSet;

use tokio_postgres::Client;

use super::scope::Scope;
use super::{Reader, query, sums};
use crate::answers::{COUNTED, ReadError, Session};
use crate::postgres::client::Fault;
use crate::query::{Filter, Page};

/// Time and number of a request.
type Place = (i64, i64);

/// Requests that are fetched at once.
const ROWS: usize = 500;

impl Reader {
    pub(crate) fn sessions(
        &mut self,
        filter: &Filter,
        page: Page,
    ) -> Result<(Vec<Session>, Option<String>), ReadError> {
        let wanted = page.size.count() as usize;
        self.on(async |client| {
            let mut found = newest(client, filter, page, wanted + 1).await?;
            let is_more = found.len() > wanted;
            found.truncate(wanted);
            let next = found.last().filter(|_| is_more).map(|(_, place)| Page::told(*place));
            let mut sessions = Vec::new();
            for (id, _) in found {
                sessions.push(session(client, filter, id).await?);
            }
            Ok((sessions, next))
        })
    }
}

/// Sessions by their newest requests, with time and number of each.
async fn newest(
    client: &Client,
    filter: &Filter,
    page: Page,
    count: usize,
) -> Result<Vec<(String, Place)>, Fault> {
    match page.after {
        None => of_newest_requests(client, filter, count).await,
        Some(after) => of_all_requests(client, filter, after, count).await,
    }
}

/// Those of the first page. Requests are gone through from the newest one on, so that only as many are looked at as the page needs.
async fn of_newest_requests(
    client: &Client,
    filter: &Filter,
    count: usize,
) -> Result<Vec<(String, Place)>, Fault> {
    let (mut seen, mut found, mut last) = (HashSet::new(), Vec::new(), None);
    for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
        loop {
            let mut conditions = conditions.clone();
            conditions.after(last);
            let text = format!(
                "SELECT session, started_ms, number FROM requests {} ORDER BY started_ms DESC, number DESC LIMIT {ROWS}",
                conditions.and_text("session IS NOT NULL")
            );
            let rows = query(client, &text, &conditions.values).await?;
            for row in &rows {
                let (id, place): (String, Place) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
                last = Some(place);
                if seen.insert(id.clone()) {
                    found.push((id, place));
                }
                if found.len() == count {
                    return Ok(found);
                }
            }
            if rows.len() < ROWS {
                break;
            }
        }
    }
    Ok(found)
}

/// Those of a later page: a session whose newest request is not behind the last of the page before was on that, or on one before it.
async fn of_all_requests(
    client: &Client,
    filter: &Filter,
    after: Place,
    count: usize,
) -> Result<Vec<(String, Place)>, Fault> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for conditions in Scope::of(client, filter, None).await?.conditions(filter) {
        // The newest request of each: what is compared is its time, and its number where there are several.
        let text = format!(
            "SELECT session, newest[1], newest[2] FROM (SELECT session, max(ARRAY[started_ms, number]) AS newest FROM requests {} \
             GROUP BY 1) AS sessions ORDER BY sessions.newest DESC",
            conditions.and_text("session IS NOT NULL")
        );
        sums::each(client, &text, &conditions.values, |row| {
            let (id, place): (&str, Place) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            if !seen.contains(id) {
                seen.insert(id.to_owned());
                if place < after && found.len() < count {
                    found.push((id.to_owned(), place));
                }
            }
            Ok(())
        })
        .await?;
        if found.len() == count {
            break;
        }
    }
    Ok(found)
}

fn of_session(filter: &Filter, id: &str) -> Filter {
    Filter { session: Some(id.to_owned()), ..filter.clone() }
}

async fn session(client: &Client, filter: &Filter, id: String) -> Result<Session, Fault> {
    let filter = of_session(filter, &id);
    let mut session = Session::named(id);
    for conditions in Scope::of(client, &filter, None).await?.conditions(&filter) {
        let text = format!("SELECT started_ms, model, {COUNTED} FROM requests {}", conditions.text());
        sums::each(client, &text, &conditions.values, |row| {
            session.saw(row.try_get(0)?, row.try_get(1)?);
            sums::count(row, 2, &mut session.sums)
        })
        .await?;
    }
    Ok(session)
}
