//! What came of a batch's rows, on its way from the provider to a client: each row is told in the client's words while it passes.
//!
//! Rows are looked up and told on a thread of their own, because what is known of them is on disk; the provider is read as fast as the
//! client takes what came of it. Where results are in several pages or files, one is asked for when the one before has passed.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use ostia_dialect::batches::{BatchForm, Found, Part, RESULT_DEPTH, Results, ResultsReader, Source, Telling};
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::json::Document;
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{RemoteBatch, StoredBatch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::asked_rows::Reader;
use super::follow::found;
use crate::batches::Batches;
use crate::core::Core;
use crate::errors::attempt_error::AttemptError;
use crate::errors::failure;
use crate::fetch::Fetched;
use crate::inbound::Inbound;
use crate::inbound::caller::Caller;
use crate::message::body::{Body, Events, FramePoll};
use crate::message::inflate::Inflate;
use crate::provider_jobs::Recalled;
use crate::provider_jobs::ask::{self, Coming, Sent};
use crate::record::Record;
use crate::upstream::{BodyFault, UpstreamBody};

/// A part of the results of a batch that is over; `None`: all of them.
///
/// # Errors
/// 404 where there are none, and why the provider could not be asked.
pub async fn answer(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: &StoredBatch,
    part: Option<Part>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let (remote, form, id) = found(batch)?.ok_or_else(missing)?;
    let (own, rows) = (batch.id.clone(), batch.rows);
    let opened = batches.ask(move |tables| Ok(Reader::open(&tables.path(&own), rows)?));
    let asked = opened.await?;
    record.account().call(None);
    let recalled = Recalled::of(inbound, &batch.headers, &remote.provider)?;
    let Inbound { core, caller, files, .. } = inbound;
    let inbound = recalled.inbound(inbound);
    let opened = open(inbound, (remote, form, id), part, record).await?;
    let (reader, coming) = opened.ok_or_else(missing)?;
    let telling = Telling {
        batch: batch.id.clone(),
        provider: remote.provider.clone(),
        strict: remote.strict,
        created_s: batch.times.completed_s.or(batch.times.cancelled_s).unwrap_or(batch.times.created_s),
    };
    let lines = ResultLines { inflate: None, reader, form, part, asked, telling };
    let (core, caller, files) = (core.clone(), caller.clone(), files.clone());
    let further = Further { core, caller, recalled, files, remote: remote.clone() };
    Ok(passing(coming, lines, Rc::new(further)))
}

/// How many rows stand in a part of the results. All of it is read for that.
///
/// # Errors
/// As for [`answer`].
pub async fn count(
    inbound: Inbound<'_>,
    (remote, form, id): (&RemoteBatch, &BatchForm, &str),
    part: Part,
    record: &mut Record,
) -> Result<u64, AttemptError> {
    let Some((mut reader, mut coming)) = open(inbound, (remote, form, id), Some(part), record).await? else {
        return Ok(0);
    };
    let mut rows = 0;
    let mut each = |_: &[u8]| {
        rows += 1;
        Ok(())
    };
    loop {
        while let Some(bytes) = coming.body.bytes().await {
            let mut bytes = bytes.map_err(|fault| failure::of_body(&fault))?;
            if let Some(inflate) = &mut coming.inflate {
                bytes = inflate.push(&bytes).map_err(Fault::from)?;
            }
            reader.push(&bytes, &mut each)?;
        }
        reader.end_source(&mut each)?;
        match reader.next_source() {
            Some(source) => coming = ask::open_further(inbound, &remote.provider, &source).await?,
            None => return Ok(rows),
        }
    }
}

/// Begins to read a part of the results, or all of them. `None`: there are none.
async fn open(
    inbound: Inbound<'_>,
    (remote, form, id): (&RemoteBatch, &BatchForm, &str),
    part: Option<Part>,
    record: &mut Record,
) -> Result<Option<(ResultsReader, Coming)>, AttemptError> {
    let found = Found { id: id.to_owned(), output: remote.output.clone(), errors: remote.errors.clone() };
    let (results, further) = match part {
        Some(part) => ((form.results)(&found, part), None),
        None => form.all_results(&found),
    };
    let mut reader = match results {
        None => return Ok(None),
        Some(Results::Lines(step)) => ResultsReader::lines(step, further),
        Some(Results::Pages(pages)) => ResultsReader::pages(pages, found),
        Some(Results::Files(listing)) => {
            let answer = ask::ask(inbound, &remote.provider, &listing.step, Sent::default(), record).await?;
            ResultsReader::files(&listing, &answer)?
        }
    };
    match reader.next_source() {
        Some(source) => Ok(Some((reader, ask::open(inbound, &remote.provider, &source, record).await?))),
        None => Ok(None),
    }
}

fn missing() -> Fault {
    let message = "The batch has no output: no row was asked, or the provider does not say where it is.";
    Fault::new(FaultKind::NotFound, message).with_code("output_not_found")
}

fn passing(
    Coming { body, inflate, deadline }: Coming,
    lines: ResultLines,
    further: Rc<Further>,
) -> Response<Body> {
    let work = Work::Idle(Box::new(ResultLines { inflate, ..lines }));
    let results = Passing { answer: body, work, further, ending: None, fault: None };
    let mut response = Response::new(Body::events(results));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    if let Some(deadline) = deadline {
        response.extensions_mut().insert(deadline);
    }
    response
}

/// Whoever asks for what follows on the first page or file.
#[derive(Debug)]
struct Further {
    core: Rc<Core>,
    caller: Caller,
    recalled: Recalled,
    files: Rc<Fetched>,
    remote: RemoteBatch,
}

impl Further {
    fn open(self: Rc<Self>, source: Source) -> Opening {
        Opening(Box::pin(async move {
            let inbound = self.recalled.kept(&self.core, &self.caller, &self.files);
            let opened = ask::open_further(inbound, &self.remote.provider, &source).await;
            opened.map_err(|error| error.fault)
        }))
    }
}

/// What follows, being asked for.
struct Opening(Pin<Box<dyn Future<Output = Result<Coming, Fault>>>>);

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

/// Rows that are told in the client's words.
#[derive(Debug)]
struct ResultLines {
    inflate: Option<Inflate>,
    reader: ResultsReader,
    form: &'static BatchForm,
    /// `None`: all of them.
    part: Option<Part>,
    asked: Reader,
    telling: Telling,
}

impl ResultLines {
    /// The rows that end in these bytes; none: the source has no further ones.
    fn take(&mut self, bytes: Option<Bytes>) -> Result<Vec<u8>, Fault> {
        let plain = match (bytes, &mut self.inflate) {
            (Some(bytes), Some(inflate)) => Some(inflate.push(&bytes)?),
            (None, Some(inflate)) => {
                inflate.finish()?;
                None
            }
            (bytes, None) => bytes,
        };
        let (mut reader, mut out) = (std::mem::take(&mut self.reader), Vec::new());
        let mut each = |row: &[u8]| self.tell(row, &mut out);
        let told = match &plain {
            Some(plain) => reader.push(plain, &mut each),
            None => reader.end_source(&mut each),
        };
        self.reader = reader;
        told.map(|()| out)
    }

    fn tell(&self, row: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let document = Document::parse_to(row, RESULT_DEPTH)
            .map_err(|fault| Fault::upstream(format!("A line of the provider's results is {fault}.")))?;
        let result = (self.form.decode_result)(document.root())?;
        if self.part.is_some_and(|part| result.outcome.part() != part) {
            return Ok(());
        }
        let number = result.key.parse().ok();
        let row = match number {
            Some(number) => {
                self.asked.row(number).map_err(|error| unknown().with_detail(error.to_string()))?
            }
            None => None,
        };
        let (number, row) = number.zip(row).ok_or_else(unknown)?;
        out.extend_from_slice(&row.tell(number, &result.outcome, &self.telling));
        Ok(())
    }
}

fn unknown() -> Fault {
    Fault::upstream("A line of the provider's results is of a row that the gateway did not send.")
}

type Told = (Box<ResultLines>, Result<Vec<u8>, Fault>);

/// What is done with what came.
#[derive(Debug)]
enum Work {
    /// More is waited for.
    Idle(Box<ResultLines>),
    /// Rows are told; whether they are the last of their source.
    Busy(JoinHandle<Told>, bool),
    /// The next source is asked for.
    Opening(Box<ResultLines>, Opening),
    Over,
    Broken,
}

/// Results on their way.
#[derive(Debug)]
struct Passing {
    answer: UpstreamBody,
    work: Work,
    further: Rc<Further>,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

impl Passing {
    fn begin(&mut self, bytes: Option<Bytes>) {
        self.work = match std::mem::replace(&mut self.work, Work::Over) {
            Work::Idle(mut lines) => {
                let is_last = bytes.is_none();
                let tell = move || {
                    let told = lines.take(bytes);
                    (lines, told)
                };
                Work::Busy(spawn_blocking(tell), is_last)
            }
            other => other,
        };
    }

    /// Goes on after rows were told: with more of their source, or with the next one.
    fn go_on(&mut self, mut lines: Box<ResultLines>, is_last: bool) {
        self.work = match is_last {
            false => Work::Idle(lines),
            true => match lines.reader.next_source() {
                Some(source) => Work::Opening(lines, self.further.clone().open(source)),
                None => Work::Over,
            },
        };
    }

    /// The next source has begun.
    fn turn(&mut self, opened: Result<Coming, Fault>) {
        let work = std::mem::replace(&mut self.work, Work::Over);
        match (work, opened) {
            (Work::Opening(mut lines, _), Ok(Coming { body, inflate, .. })) => {
                lines.inflate = inflate;
                (self.answer, self.work) = (body, Work::Idle(lines));
            }
            (work, Ok(_)) => self.work = work,
            (_, Err(fault)) => self.break_off(fault),
        }
    }

    fn break_off(&mut self, fault: Fault) {
        (self.work, self.fault) = (Work::Broken, Some(fault));
    }
}

impl Events for Passing {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            if let Some(fault) = self.ending.take() {
                self.break_off(fault);
            }
            match &mut self.work {
                Work::Over => return Poll::Ready(None),
                Work::Broken => return Poll::Ready(Some(Err(BodyFault::Broken))),
                Work::Idle(_) => match ready!(self.answer.poll_bytes(context)) {
                    Some(Ok(bytes)) => self.begin(Some(bytes)),
                    Some(Err(fault)) => self.break_off(failure::of_body(&fault)),
                    None => self.begin(None),
                },
                Work::Opening(_, opening) => {
                    let opened = ready!(opening.0.as_mut().poll(context));
                    self.turn(opened);
                }
                Work::Busy(telling, is_last) => {
                    let is_last = *is_last;
                    let told = ready!(Pin::new(telling).poll(context));
                    let stopped =
                        |_| Fault::new(FaultKind::Server, "The results were not told to their end.");
                    match told.map_err(stopped) {
                        Ok((lines, Ok(out))) => {
                            self.go_on(lines, is_last);
                            if !out.is_empty() {
                                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
                            }
                        }
                        Ok((_, Err(fault))) | Err(fault) => self.break_off(fault),
                    }
                }
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.ending = Some(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }
}
