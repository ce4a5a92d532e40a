//! Sessions: what the requests of a conversation, or of an agent's run, come to.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::Reader;
use super::sums;
use crate::answers::{COUNTED, ReadError, Session};
use crate::query::{Filter, Page};
use crate::sqlite::conditions;

/// Time and number of a request.
type Place = (i64, i64);

impl Reader {
    pub(crate) fn sessions(
        &mut self,
        filter: &Filter,
        page: Page,
    ) -> Result<(Vec<Session>, Option<String>), ReadError> {
        let connection = self.connection()?;
        let wanted = page.size.count() as usize;
        let mut found = newest(connection, filter, page, wanted + 1)?;
        let is_more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| is_more).map(|(_, place)| Page::told(*place));
        let sessions = found.into_iter().map(|(id, _)| session(connection, filter, id));
        Ok((sessions.collect::<Result<_, _>>()?, next))
    }
}

/// Sessions by their newest requests, with time and number of each. Requests are gone through from the newest one on, so that only as
/// many are looked at as the page needs.
fn newest(
    connection: &Connection,
    filter: &Filter,
    page: Page,
    count: usize,
) -> Result<Vec<(String, Place)>, ReadError> {
    let mut conditions = conditions::of(filter);
    conditions.and("session IS NOT NULL");
    conditions.after(page.after);
    let text = format!(
        "SELECT session, started_ms, number FROM requests {} ORDER BY started_ms DESC, number DESC",
        conditions.text()
    );
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(&conditions.values))?;
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        if !seen.insert(id.clone()) {
            continue;
        }
        let is_told = match page.after {
            Some(after) => is_on_earlier_page(connection, filter, &id, after)?,
            None => false,
        };
        if !is_told {
            found.push((id, (row.get(1)?, row.get(2)?)));
        }
        if found.len() == count {
            break;
        }
    }
    Ok(found)
}

/// Has it a request that is newer than the last one of the page before?
fn is_on_earlier_page(
    connection: &Connection,
    filter: &Filter,
    id: &str,
    after: Place,
) -> rusqlite::Result<bool> {
    let of_session = Filter { session: Some(id.to_owned()), ..filter.clone() };
    let mut conditions = conditions::of(&of_session);
    conditions.not_after(after);
    let text = format!("SELECT 1 FROM requests {} LIMIT 1", conditions.text());
    let mut select = connection.prepare_cached(&text)?;
    let newer = select.query_row(params_from_iter(&conditions.values), |_| Ok(())).optional()?;
    Ok(newer.is_some())
}

fn session(connection: &Connection, filter: &Filter, id: String) -> Result<Session, ReadError> {
    let conditions = conditions::of(&Filter { session: Some(id.clone()), ..filter.clone() });
    let text = format!("SELECT started_ms, model, {COUNTED} FROM requests {}", conditions.text());
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(&conditions.values))?;
    let mut session = Session::named(id);
    while let Some(row) = rows.next()? {
        session.saw(row.get(0)?, row.get(1)?);
        sums::count(row, 2, &mut session.sums)?;
    }
    Ok(session)
}
