//! What came of a batch of messages, row by row in Anthropic's form while it passes.

use std::collections::VecDeque;
use std::fs::File;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::{Body as _, Frame};
use ostia_dialect::batches::{self, Line, Lines, TooLong, message_result};
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::{Fault, FaultKind};
use ostia_store::StoredBatch;

use crate::batches::{Batches, contents};
use crate::endpoints::batches::{ended, remote_rows};
use crate::inbound::Inbound;
use crate::message::body::{Body, Events, FramePoll};
use crate::message::media::media_type;
use crate::record::Record;
use crate::upstream::BodyFault;

/// Longest answer of a provider's that is changed, in bytes: a list of a thousand batches has half of it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The results of a batch that is over.
///
/// # Errors
/// 404 for a batch that is not the caller's or has none, 409 for one that goes on, and why its provider could not be asked.
pub async fn answer(
    inbound: Inbound<'_>,
    batches: &Batches,
    owner: String,
    id: &str,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let batch = match Box::pin(ended(inbound, batches, owner.clone(), id, record)).await {
        Ok(batch) => batch,
        Err(error) => return error.into_answer(),
    };
    let mut response = match batch.remote.is_some() && batch.faults.is_empty() {
        true => remote_rows(inbound, batches, &batch, None, record).await?.map(|rows| retold([rows])),
        false => Response::new(retold(here(batches, owner, &batch).await?)),
    };
    // As the vendor says it.
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-jsonl"));
    Ok(response)
}

/// The rows that lie here: those that were answered, and all others.
async fn here(batches: &Batches, owner: String, batch: &StoredBatch) -> Result<Vec<Body>, Fault> {
    let names = [batch.output_file.clone(), batch.error_file.clone()];
    let opened = batches.ask(move |tables| {
        let mut files = Vec::new();
        for name in names {
            if let Some(file) = tables.file(&owner, &name)? {
                files.push((File::open(tables.path(&file.id))?, file.bytes));
            }
        }
        Ok(files)
    });
    let files = opened.await?;
    if files.is_empty() {
        return Err(none(batch));
    }
    Ok(files.into_iter().map(|(file, bytes)| contents::body(file, bytes)).collect())
}

/// Anthropic's form has no place for why a batch failed as a whole.
fn none(batch: &StoredBatch) -> Fault {
    match batch.faults.first() {
        Some(fault) => {
            Fault::invalid(format!("The batch failed: {}", fault.message)).with_code(fault.code.as_str())
        }
        None => {
            let message = "The batch has no results: no request was asked, or its files were deleted.";
            Fault::new(FaultKind::NotFound, message).with_code("output_not_found")
        }
    }
}

fn retold(rows: impl IntoIterator<Item = Body>) -> Body {
    let rows = rows.into_iter().collect();
    Body::events(Retold { rows, lines: Lines::of_results(), fault: None, is_broken: false })
}

/// Rows in OpenAI's form on their way, and what they become.
#[derive(Debug)]
struct Retold {
    /// Bodies of rows, one after the other.
    rows: VecDeque<Body>,
    lines: Lines,
    /// Why it broke off.
    fault: Option<Fault>,
    is_broken: bool,
}

/// Why no further row is told.
struct Stop(Fault);

impl From<TooLong> for Stop {
    fn from(TooLong(number): TooLong) -> Stop {
        Stop(Fault::upstream(format!("Line {number} of the batch's results is too long.")))
    }
}

impl Retold {
    /// The rows that end in these bytes; `None`: a body has ended.
    fn take(&mut self, bytes: Option<&Bytes>) -> Result<Vec<u8>, Stop> {
        let mut out = Vec::new();
        let mut each = |line: Line<'_>| -> Result<(), Stop> {
            out.extend_from_slice(&message_result(line.text).map_err(Stop)?);
            Ok(())
        };
        match bytes {
            Some(bytes) => self.lines.push(bytes, &mut each)?,
            None => std::mem::replace(&mut self.lines, Lines::of_results()).finish(&mut each)?,
        }
        Ok(out)
    }

    fn tell(&mut self, bytes: Option<&Bytes>) -> Option<Result<Frame<Bytes>, BodyFault>> {
        match self.take(bytes) {
            Ok(out) => (!out.is_empty()).then(|| Ok(Frame::data(out.into()))),
            Err(Stop(fault)) => {
                (self.fault, self.is_broken) = (Some(fault), true);
                Some(Err(BodyFault::Broken))
            }
        }
    }
}

impl Events for Retold {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        loop {
            if self.is_broken {
                return Poll::Ready(Some(Err(BodyFault::Broken)));
            }
            let Some(rows) = self.rows.front_mut() else { return Poll::Ready(None) };
            let told = match ready!(Pin::new(rows).poll_frame(context)) {
                Some(Ok(frame)) => frame.into_data().ok().and_then(|bytes| self.tell(Some(&bytes))),
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                None => {
                    self.rows.pop_front();
                    self.tell(None)
                }
            };
            if told.is_some() {
                return Poll::Ready(told);
            }
        }
    }

    fn fail(&mut self, fault: Fault) {
        (self.fault, self.is_broken) = (Some(fault), true);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }
}

/// What a provider says of its batches, with the results of each at a path here.
pub fn with_results_here(answer: Response<Body>) -> Response<Body> {
    let is_json = media_type(answer.headers()) == "application/json";
    if !is_json || !answer.status().is_success() || answer.headers().contains_key(header::CONTENT_ENCODING) {
        return answer;
    }
    let mut answer =
        answer.map(|body| Body::events(Readdressed { body, text: Vec::new(), is_changed: true }));
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer
}

/// An answer that is changed once it is whole, or not at all where it is too long.
#[derive(Debug)]
struct Readdressed {
    body: Body,
    text: Vec<u8>,
    /// It is still to be changed.
    is_changed: bool,
}

impl Events for Readdressed {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        while self.is_changed {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
                (self.is_changed, self.body) = (false, Body::Full(None));
                let text = batches::with_results_here(std::mem::take(&mut self.text));
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            };
            let Ok(bytes) = frame?.into_data() else { continue };
            self.text.extend_from_slice(&bytes);
            if self.text.len() > ANSWER_BYTES_MAX {
                self.is_changed = false;
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.text).into()))));
            }
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn fail(&mut self, fault: Fault) {
        self.body.fail(&fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }
}
