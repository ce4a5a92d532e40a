//! Sessions: what the requests of a conversation, or of an agent's run, come to.

use std::collections::{HashMap, HashSet};

use super::conditions::Conditions;
use super::row_binary::Decoder;
use super::server::Parameters;
use super::sums::{Columns, Counted};
use super::{Error, Reader};
use crate::answers::{MODELS_MAX, ReadError, Session, Table, Time};
use crate::query::{Filter, Page};

/// Sessions that are asked for in one question: their names may take a fifth of a kilobyte each, three times as much in its address,
/// and that may have 64 KiB.
const AT_ONCE: usize = 50;

/// A session, and time and number of its newest request.
type Newest = (String, (i64, i64));

impl Reader {
    pub(crate) fn sessions(
        &self,
        filter: &Filter,
        page: Page,
    ) -> Result<(Vec<Session>, Option<String>), ReadError> {
        let wanted = page.size.count() as usize;
        let mut found = self.newest_sessions(filter, page, wanted + 1)?;
        let is_more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| is_more).map(|(_, place)| Page::told(*place));
        let parts = found.chunks(AT_ONCE).map(|part| self.told_sessions(filter, part));
        let sessions = parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        Ok((sessions, next))
    }

    /// Sessions by their newest requests: those of the first page among the latest requests; those of a later one by the newest request
    /// of each session, because one whose newest request is not behind the last of the page before was on that, or on one before it.
    fn newest_sessions(&self, filter: &Filter, page: Page, count: usize) -> Result<Vec<Newest>, Error> {
        if let Some(after) = page.after {
            return self.sessions_behind(filter, after, count);
        }
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for time in self.pieces(filter, None)? {
            // Of those that were found already there may be as many among the newest of this time.
            let mut sessions = self.latest_sessions(filter, time, count + found.len())?;
            sessions.retain(|(id, _)| seen.insert(id.clone()));
            found.extend(sessions);
            if found.len() >= count {
                break;
            }
        }
        found.truncate(count);
        Ok(found)
    }

    /// The sessions with the newest requests of this time.
    fn latest_sessions(&self, filter: &Filter, time: Time, count: usize) -> Result<Vec<Newest>, Error> {
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::of(filter, &mut parameters);
        conditions.time(time, &mut parameters);
        self.newest_of(conditions, "", count, &parameters)
    }

    /// The sessions whose newest requests are behind this place.
    fn sessions_behind(
        &self,
        filter: &Filter,
        after: (i64, i64),
        count: usize,
    ) -> Result<Vec<Newest>, Error> {
        let mut parameters = Parameters::default();
        let conditions = Conditions::of(filter, &mut parameters);
        let (started_ms, number) = (parameters.int(after.0), parameters.int(after.1));
        let having = format!("HAVING newest < ({started_ms}, {number})");
        self.newest_of(conditions, &having, count, &parameters)
    }

    fn newest_of(
        &self,
        mut conditions: Conditions,
        having: &str,
        count: usize,
        parameters: &Parameters,
    ) -> Result<Vec<Newest>, Error> {
        conditions.and("session IS NOT NULL");
        let text = format!(
            "SELECT assumeNotNull(session) AS name, max((started_ms, number)) AS newest FROM ostia_records FINAL {} \
             GROUP BY name {having} ORDER BY newest DESC LIMIT {count}",
            conditions.text()
        );
        self.server.rows(&text, parameters, |row| Ok((row.text()?, (row.i64()?, row.i64()?))))
    }

    /// What these come to, in this order.
    fn told_sessions(&self, filter: &Filter, found: &[Newest]) -> Result<Vec<Session>, Error> {
        let ids = || found.iter().map(|(id, _)| id.as_str());
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::of(filter, &mut parameters);
        conditions.in_sessions(ids(), &mut parameters);
        let text = format!(
            "SELECT assumeNotNull(session) AS name, min(started_ms), max(started_ms), \
             groupUniqArrayIf({MODELS_MAX})(toString(ifNull(model, '')), model IS NOT NULL) FROM ostia_records FINAL {} GROUP BY name",
            conditions.text()
        );
        let session = |row: &mut Decoder<'_>| {
            let (id, first_ms, last_ms) = (row.text()?, row.i64()?, row.i64()?);
            let models = row.list(Decoder::text)?.into_iter().collect();
            Ok((id.clone(), Session { id, first_ms, last_ms, models, ..Session::default() }))
        };
        let mut sessions: HashMap<String, Session> =
            self.server.rows(&text, &parameters, session)?.into_iter().collect();
        let name = "assumeNotNull(session)".to_owned();
        let columns = Columns { of_request: name.clone(), of_attempt: name, start: "toInt64(0)".to_owned() };
        let counted = Counted::with_attempts(conditions);
        let (table, _) = self.table(&counted, &columns, &parameters, Table::default())?;
        for group in table.groups() {
            if let Some(session) = sessions.get_mut(&group.name) {
                session.sums = group.sums;
            }
        }
        Ok(found.iter().filter_map(|(id, _)| sessions.remove(id)).collect())
    }
}
