//! Sessions: what the requests of a conversation, or of an agent's run, come to.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::newest::PLACE;
use super::sums::{count, counted};
use super::{ByColumn, Chunk, Number, Place, Scan, Text, Wanted};
use crate::answers::{ReadError, Session};
use crate::query::{Filter, Page};

/// Those with the newest requests first, and where the next page begins, if there is one.
pub(crate) fn sessions(
    engine: &mut impl ByColumn,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Session>, Option<String>), ReadError> {
    let wanted = page.size.count() as usize;
    let mut found = newest(engine, filter, page.after, wanted + 1)?;
    let is_more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| is_more).map(|(_, place)| Page::told(*place));
    let sessions = found.into_iter().map(|(id, _)| session(engine, filter, id));
    Ok((sessions.collect::<Result<_, _>>()?, next))
}

/// Sessions by their newest requests, with time and number of each.
fn newest(
    engine: &mut impl ByColumn,
    filter: &Filter,
    after: Option<Place>,
    count: usize,
) -> Result<Vec<(String, Place)>, ReadError> {
    let mut scan = engine.scan(filter, Wanted::of(&PLACE, &[Text::Session]))?;
    let mut all = HashMap::<String, Place>::new();
    // What has a newer request is on an earlier page.
    let is_later = |place: &Place| after.is_none_or(|after| *place < after);
    while let Some(chunk) = scan.next()? {
        add_newest(&chunk, &mut all);
        let mut later: Vec<Place> = all.values().copied().filter(is_later).collect();
        if later.len() >= count {
            let (_, worst, _) = later.select_nth_unstable_by(count - 1, |one, other| other.cmp(one));
            if !scan.reaches(worst.0) {
                break;
            }
        }
    }
    let mut found: Vec<(String, Place)> = all.into_iter().filter(|(_, place)| is_later(place)).collect();
    found.sort_unstable_by_key(|(_, place)| Reverse(*place));
    found.truncate(count);
    Ok(found)
}

/// The newest request of each session among these, where it is newer than those before.
fn add_newest(chunk: &Chunk, all: &mut HashMap<String, Place>) {
    let words = chunk.columns.words(Text::Session);
    let mut newest = words.each(|_| None);
    for row in &chunk.rows {
        let own = &mut newest[chunk.columns.code(Text::Session, *row) as usize];
        *own = (*own).max(Some(chunk.place(*row)));
    }
    for (id, place) in (0..).zip(newest).filter_map(|(code, place)| Some((words.word(code)?, place?))) {
        let own = all.entry(id.to_owned()).or_insert(place);
        *own = place.max(*own);
    }
}

fn session(engine: &mut impl ByColumn, filter: &Filter, id: String) -> Result<Session, ReadError> {
    let filter = Filter { session: Some(id.clone()), ..filter.clone() };
    let mut scan = engine.scan(&filter, counted().with(&Wanted::of(&[], &[Text::Model])))?;
    let mut session = Session::named(id);
    while let Some(Chunk { columns, rows }) = scan.next()? {
        for row in rows {
            let started_ms = columns.number(Number::StartedMs, row).unwrap_or_default();
            session.saw(started_ms, columns.text(Text::Model, row).map(str::to_owned));
            count(&columns, row, &mut session.sums);
        }
    }
    Ok(session)
}
