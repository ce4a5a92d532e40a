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

/// Sessions by their newest requests, with time and number of each. Requests are gone through from the newest one on, so that only as
/// many are looked at as the page needs.
async fn newest(
    client: &Client,
    filter: &Filter,
    page: Page,
    count: usize,
) -> Result<Vec<(String, Place)>, Fault> {
    let (mut seen, mut found, mut last) = (HashSet::new(), Vec::new(), page.after);
    for conditions in Scope::of(client, filter, page.after).await?.conditions(filter) {
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
                if !seen.insert(id.clone()) {
                    continue;
                }
                let is_told = match page.after {
                    Some(after) => is_on_earlier_page(client, filter, &id, after).await?,
                    None => false,
                };
                if !is_told {
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

fn of_session(filter: &Filter, id: &str) -> Filter {
    Filter { session: Some(id.to_owned()), ..filter.clone() }
}

/// Has it a request that is newer than the last one of the page before?
async fn is_on_earlier_page(client: &Client, filter: &Filter, id: &str, after: Place) -> Result<bool, Fault> {
    let filter = of_session(filter, id);
    let since =
        Filter { from_ms: Some(filter.from_ms.map_or(after.0, |from_ms| from_ms.max(after.0))), ..filter };
    for mut conditions in Scope::of(client, &since, None).await?.conditions(&since) {
        conditions.not_after(after);
        let text = format!("SELECT 1 FROM requests {} LIMIT 1", conditions.text());
        if !query(client, &text, &conditions.values).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
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
