//! Threads that read, so that nobody who serves requests waits for the engine; and what may be asked, whatever the engine.

mod caches;

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answers::{
    ANSWER_WITHIN, Fact, FeedbackTally, Found, GroupBy, GroupRow, LOOKS_WITHIN, Listed, ReadError, Session,
    Tally,
};
use crate::clickhouse;
use crate::columns;
use crate::engine::Place;
use crate::query::{Filter, Page};
use crate::spans::Joined;
use crate::steps::Steps;
use crate::summary::{Group, Grouping, Series};
use crate::{postgres, sqlite};

/// Threads that read.
const THREADS: usize = 2;
/// Questions that wait for one of them.
const WAITING_MAX: usize = 32;

type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// Those who read.
#[derive(Clone)]
pub struct Readers(SyncSender<Question>);

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

/// Too many questions wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl Readers {
    /// Starts the threads. Nothing need be kept there yet.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(place: &Place) -> std::io::Result<Readers> {
        let (sender, questions) = sync_channel::<Question>(WAITING_MAX);
        let questions = Arc::new(Mutex::new(questions));
        for number in 1..=THREADS {
            let (mut reader, questions) = (Reader::of(place), questions.clone());
            let name = format!("ostia-reads-{number}");
            thread::Builder::new().name(name).spawn(move || {
                while let Some(question) = next(&questions) {
                    reader.set_due(Some(Instant::now() + ANSWER_WITHIN));
                    question(&mut reader);
                }
            })?;
        }
        Ok(Readers(sender))
    }

    /// Has one of them answer this, which then tells whoever waits.
    ///
    /// # Errors
    /// Too many others wait.
    pub fn ask(&self, question: impl FnOnce(&mut Reader) + Send + 'static) -> Result<(), Busy> {
        self.0.try_send(Box::new(question)).map_err(|_| Busy)
    }
}

fn next(questions: &Mutex<Receiver<Question>>) -> Option<Question> {
    questions.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Who reads. Each engine answers the same questions with the same meaning.
#[derive(Debug)]
pub enum Reader {
    /// One file of SQLite's.
    Sqlite(sqlite::Reader),
    /// A server of PostgreSQL's.
    Postgres(postgres::Reader),
    /// A server of ClickHouse's.
    ClickHouse(clickhouse::Reader),
}

impl Reader {
    /// Of what is kept there.
    pub fn of(place: &Place) -> Reader {
        match place {
            Place::File(path) => Reader::Sqlite(sqlite::Reader::new(path)),
            Place::Postgres(server) => Reader::Postgres(postgres::Reader::new(server.clone())),
            Place::ClickHouse(server) => Reader::ClickHouse(clickhouse::Reader::new(server.clone())),
        }
    }

    /// When the answer to all that is asked from now on has to be there.
    pub(crate) fn set_due(&mut self, due: Option<Instant>) {
        match self {
            Reader::Sqlite(own) => own.set_due(due),
            Reader::Postgres(own) => own.set_due(due),
            Reader::ClickHouse(own) => own.set_due(due),
        }
    }

    /// The newest requests that pass the filter; and where the next page begins, if there is one.
    ///
    /// # Errors
    /// What is kept cannot be read, or not in time.
    pub fn list(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        match self {
            Reader::Sqlite(own) => own.list(filter, page),
            Reader::Postgres(own) => own.list(filter, page),
            Reader::ClickHouse(own) => own.list(filter, page),
        }
    }

    /// The same with their bodies, as far as they are kept.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn list_with_bodies(&mut self, filter: &Filter, page: Page) -> Result<Listed, ReadError> {
        match self {
            Reader::Sqlite(own) => own.list_with_bodies(filter, page),
            Reader::Postgres(own) => own.list_with_bodies(filter, page),
            Reader::ClickHouse(own) => own.list_with_bodies(filter, page),
        }
    }

    /// Requests that pass the filter and were written behind this number, and the last number.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn newer(&mut self, filter: &Filter, number: i64, most: u32) -> Result<(Vec<Value>, i64), ReadError> {
        match self {
            Reader::Sqlite(own) => own.newer(filter, number, most),
            Reader::Postgres(own) => own.newer(filter, number, most),
            Reader::ClickHouse(own) => own.newer(filter, number, most),
        }
    }

    /// How many requests pass the filter; no more than `most` are counted.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        match self {
            Reader::Sqlite(own) => own.count(filter, most),
            Reader::Postgres(own) => own.count(filter, most),
            Reader::ClickHouse(own) => own.count(filter, most),
        }
    }

    /// The number of the newest request.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn last_number(&mut self) -> Result<i64, ReadError> {
        match self {
            Reader::Sqlite(own) => own.last_number(),
            Reader::Postgres(own) => own.last_number(),
            Reader::ClickHouse(own) => own.last_number(),
        }
    }

    /// One request with its bodies, by its own name.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn one(&mut self, id: &str) -> Result<Option<Value>, ReadError> {
        match self {
            Reader::Sqlite(own) => own.one(id),
            Reader::Postgres(own) => own.one(id),
            Reader::ClickHouse(own) => own.one(id),
        }
    }

    /// What applications told of this trace by themselves.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn joined(&mut self, trace_id: &str) -> Result<Joined, ReadError> {
        match self {
            Reader::Sqlite(own) => own.joined(trace_id),
            Reader::Postgres(own) => own.joined(trace_id),
            Reader::ClickHouse(own) => own.joined(trace_id),
        }
    }

    /// The requests of a trace, the oldest first.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn trace(&mut self, trace_id: &str) -> Result<Vec<Value>, ReadError> {
        match self {
            Reader::Sqlite(own) => own.trace(trace_id),
            Reader::Postgres(own) => own.trace(trace_id),
            Reader::ClickHouse(own) => own.trace(trace_id),
        }
    }

    /// The newest requests that pass the filter and have this text in one of their bodies, whatever its case (of ASCII's letters).
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn search(&mut self, filter: &Filter, text: &str, page: Page) -> Result<Found, ReadError> {
        self.search_for(filter, text, page, LOOKS_WITHIN)
    }

    /// The same within this time, and at least one request.
    pub(crate) fn search_for(
        &mut self,
        filter: &Filter,
        text: &str,
        page: Page,
        within: Duration,
    ) -> Result<Found, ReadError> {
        match self {
            Reader::Sqlite(own) => own.search_for(filter, text, page, within),
            Reader::Postgres(own) => own.search_for(filter, text, page, within),
            Reader::ClickHouse(own) => own.search_for(filter, text, page, within),
        }
    }

    /// The sessions that requests which pass the filter are part of, the one with the newest request first, each with those of its
    /// requests; and where the next page begins, if there is one.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn sessions(
        &mut self,
        filter: &Filter,
        page: Page,
    ) -> Result<(Vec<Session>, Option<String>), ReadError> {
        match self {
            Reader::Sqlite(own) => columns::sessions(own, filter, page),
            Reader::Postgres(own) => columns::sessions(own, filter, page),
            Reader::ClickHouse(own) => own.sessions(filter, page),
        }
    }

    /// What the requests that pass the filter come to, the most requests first; and the time that was summed up, which begins and
    /// ends with a minute or an hour where sums are kept for what is asked.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn sums(
        &mut self,
        filter: &Filter,
        by: Grouping,
        now_ms: i64,
    ) -> Result<((i64, i64), Vec<Group>), ReadError> {
        match self {
            Reader::Sqlite(own) => columns::sums(own, filter, by, now_ms),
            Reader::Postgres(own) => columns::sums(own, filter, by, now_ms),
            Reader::ClickHouse(own) => own.sums(filter, by, now_ms),
        }
    }

    /// The same step by step: a line for each name, the most requests first, and one for what is left of them.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn series(&mut self, filter: &Filter, by: Grouping, steps: &Steps) -> Result<Series, ReadError> {
        match self {
            Reader::Sqlite(own) => columns::series(own, filter, by, steps),
            Reader::Postgres(own) => columns::series(own, filter, by, steps),
            Reader::ClickHouse(own) => own.series(filter, by, steps),
        }
    }

    /// Requests that pass the filter by this fact and step.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn tally(&mut self, filter: &Filter, steps: &Steps, fact: Fact) -> Result<Vec<Tally>, ReadError> {
        match self {
            Reader::Sqlite(own) => columns::tally(own, filter, steps, fact),
            Reader::Postgres(own) => columns::tally(own, filter, steps, fact),
            Reader::ClickHouse(own) => own.tally(filter, steps, fact),
        }
    }

    /// Requests that pass the filter put together, the largest groups first: how many groups there are, and the page behind the
    /// first `skip` of them.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn groups(
        &mut self,
        filter: &Filter,
        by: &GroupBy,
        page: (u32, u32),
    ) -> Result<(u64, Vec<GroupRow>), ReadError> {
        match self {
            Reader::Sqlite(own) => columns::groups(own, filter, by, page),
            Reader::Postgres(own) => columns::groups(own, filter, &postgres::cleaned_group(by), page),
            Reader::ClickHouse(own) => own.groups(filter, by, page),
        }
    }

    /// What was thought in this time of traces whose requests pass the filter.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn feedback(&mut self, filter: &Filter, steps: &Steps) -> Result<Vec<FeedbackTally>, ReadError> {
        match self {
            Reader::Sqlite(own) => own.feedback(filter, steps),
            Reader::Postgres(own) => own.feedback(filter, steps),
            Reader::ClickHouse(own) => own.feedback(filter, steps),
        }
    }
}
