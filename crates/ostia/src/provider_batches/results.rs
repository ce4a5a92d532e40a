//! What came of a batch's rows, on its way from the provider to a client: each line is told in the client's words while it passes.
//!
//! Lines are looked up and told on a thread of their own, because what is known of their rows is on disk; the provider is read as fast as
//! the client takes what came of it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use ostia_dialect::batches::{BatchForm, Line, Lines, Part, Telling, TooLong};
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::json::Document;
use ostia_dialect::{Fault, FaultKind};
use ostia_store::StoredBatch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::ask::{self, Coming};
use super::asked_rows::Reader;
use super::follow::{found, results_step};
use super::recall::Recalled;
use crate::batches::Batches;
use crate::errors::attempt_error::AttemptError;
use crate::errors::failure;
use crate::inbound::Inbound;
use crate::message::body::{Body, Events, FramePoll};
use crate::message::inflate::Inflate;
use crate::record::Record;
use crate::upstream::{BodyFault, UpstreamBody};

/// How deep a line of results is looked into: to the fields of what came of the row.
const DEPTH: usize = 3;

/// A part of the results of a batch that is over.
///
/// # Errors
/// 404 where there are none, and why the provider could not be asked.
pub async fn answer(
    inbound: Inbound<'_>,
    batches: &Batches,
    batch: &StoredBatch,
    part: Part,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let (remote, form, id) = found(batch)?.ok_or_else(missing)?;
    let step = results_step(form, remote, id, part).ok_or_else(missing)?;
    let (own, rows) = (batch.id.clone(), batch.rows);
    let opened = batches.ask(move |tables| Ok(Reader::open(&tables.path(&own), rows)?));
    let asked = opened.await?;
    record.account().call(None);
    let recalled = Recalled::of(inbound, &batch.headers, &remote.provider)?;
    let coming = ask::open(recalled.inbound(inbound), remote, &step, record).await?;
    let telling = Telling {
        batch: batch.id.clone(),
        provider: remote.provider.clone(),
        strict: remote.strict,
        created_s: batch.times.completed_s.or(batch.times.cancelled_s).unwrap_or(batch.times.created_s),
    };
    let lines = ResultLines { inflate: None, lines: Lines::default(), form, part, asked, telling };
    Ok(passing(coming, lines))
}

fn missing() -> Fault {
    let message = "The batch has no output: no row was asked, or the provider does not say where it is.";
    Fault::new(FaultKind::NotFound, message).with_code("output_not_found")
}

fn passing(Coming { body, inflate, deadline }: Coming, lines: ResultLines) -> Response<Body> {
    let work = Work::Idle(Box::new(ResultLines { inflate, ..lines }));
    let results = Results { answer: body, work, ending: None, fault: None };
    let mut response = Response::new(Body::events(results));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    if let Some(deadline) = deadline {
        response.extensions_mut().insert(deadline);
    }
    response
}

/// Lines that are told in the client's words.
#[derive(Debug)]
struct ResultLines {
    inflate: Option<Inflate>,
    lines: Lines,
    form: &'static BatchForm,
    part: Part,
    asked: Reader,
    telling: Telling,
}

impl ResultLines {
    /// The lines that end in these bytes; none: there are no further bytes.
    fn take(&mut self, bytes: Option<Bytes>) -> Result<Vec<u8>, Fault> {
        let plain = match (&bytes, &mut self.inflate) {
            (Some(bytes), Some(inflate)) => Some(inflate.push(bytes)?),
            (None, Some(inflate)) => {
                inflate.finish()?;
                None
            }
            (_, None) => bytes,
        };
        let (mut lines, mut out) = (std::mem::take(&mut self.lines), Vec::new());
        let mut each = |line: Line<'_>| self.tell(line.text, &mut out).map_err(BadLine);
        let told = match &plain {
            Some(plain) => lines.push(plain, &mut each),
            None => lines.finish(&mut each),
        };
        self.lines = lines;
        told.map(|()| out).map_err(|BadLine(fault)| fault)
    }

    fn tell(&self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let document = Document::parse_to(line, DEPTH)
            .map_err(|fault| Fault::upstream(format!("A line of the provider's results is {fault}.")))?;
        let result = (self.form.decode_result)(document.root())?;
        if result.outcome.part() != self.part {
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

struct BadLine(Fault);

impl From<TooLong> for BadLine {
    fn from(TooLong(number): TooLong) -> BadLine {
        BadLine(Fault::upstream(format!("Line {number} of the provider's results is too long.")))
    }
}

type Told = (Box<ResultLines>, Result<Vec<u8>, Fault>);

/// What is done with what came.
#[derive(Debug)]
enum Work {
    /// More is waited for.
    Idle(Box<ResultLines>),
    /// Lines are told; whether they are the last.
    Busy(JoinHandle<Told>, bool),
    Over,
    Broken,
}

/// Results on their way.
#[derive(Debug)]
struct Results {
    answer: UpstreamBody,
    work: Work,
    /// Why it has to end here.
    ending: Option<Fault>,
    /// Why it broke off.
    fault: Option<Fault>,
}

impl Results {
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

    fn break_off(&mut self, fault: Fault) {
        (self.work, self.fault) = (Work::Broken, Some(fault));
    }
}

impl Events for Results {
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
                Work::Busy(telling, is_last) => {
                    let is_last = *is_last;
                    let told = ready!(Pin::new(telling).poll(context));
                    let stopped =
                        |_| Fault::new(FaultKind::Server, "The results were not told to their end.");
                    match told.map_err(stopped) {
                        Ok((lines, Ok(out))) => {
                            self.work = if is_last { Work::Over } else { Work::Idle(lines) };
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
