//! Answers that are made while nobody waits (`background`), and their events for whoever asks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::BodyExt as _;
use ostia_dialect::frame::KeepAlive;
use ostia_dialect::json::Document;
use ostia_dialect::openai_responses::{error, response};
use ostia_dialect::{Fault, FaultKind, RenderOptions, fault};
use tokio::task::AbortHandle;

use super::{ResponseStore, Saved, StoreHandle, What};
use crate::errors::reply;
use crate::message::body::{Body, Events, FramePoll};
use crate::message::fields;
use crate::owner::Owner;
use crate::upstream::BodyFault;

/// Most bytes of events that are held for one answer. Later ones are not, and a replay ends there with an error.
const LOG_BYTES_MAX: usize = 16 << 20;
/// Most answers that are made at once while nobody waits, over all callers.
const RUNNING_MAX: usize = 1024;
/// What an event weighs besides its text, in bytes.
const EVENT_BYTES: usize = 48;
/// Most bytes of an answer that was not stored on its way: an error of the provider's.
const ERROR_BYTES_MAX: usize = 1 << 20;

/// How the last event of a stream begins that told its own fault.
const FAILED: &[u8] = b"event: response.failed\n";

/// An answer in the making, or made.
#[derive(Debug)]
pub struct BackgroundResponse {
    responses: ResponseStore,
    owner: Owner,
    id: String,
    render: RenderOptions,
    streams: bool,
    log: Mutex<Log>,
    task: OnceLock<AbortHandle>,
    cancelled: AtomicBool,
    counted: AtomicBool,
}

/// The events so far. The event at `n` has the sequence number `n`.
#[derive(Debug, Default)]
struct Log {
    events: VecDeque<Bytes>,
    bytes: usize,
    is_over: bool,
    is_cut: bool,
    waiting: Vec<Waker>,
}

impl Log {
    /// Holds one more event, where there is room for it in this log and among all of them.
    fn push(&mut self, event: Bytes, responses: &ResponseStore) {
        let bytes = event.len() + EVENT_BYTES;
        let all = responses.log_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.is_cut || self.bytes + bytes > LOG_BYTES_MAX || all > responses.log_bytes_max {
            responses.log_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.is_cut = true;
        } else {
            self.bytes += bytes;
            self.events.push_back(event);
        }
        self.wake();
    }

    /// Tells a fault, unless the stream has told it itself.
    fn fail(&mut self, fault: &Fault, responses: &ResponseStore) {
        if !self.events.back().is_some_and(|event| event.starts_with(FAILED)) {
            self.push(error::encode_event(fault, self.events.len() as u64).into(), responses);
        }
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl StoreHandle {
    /// Remembers that an answer is in the making.
    ///
    /// # Errors
    /// 429 where too many are.
    pub fn begin(&self, streams: bool) -> Result<Arc<BackgroundResponse>, Fault> {
        if self.responses.running.fetch_add(1, Ordering::Relaxed) >= RUNNING_MAX {
            self.responses.running.fetch_sub(1, Ordering::Relaxed);
            let message = format!("{RUNNING_MAX} answers are being made in the background: try again later.");
            return Err(Fault::new(FaultKind::RateLimit, message).with_code("background_limit"));
        }
        let running = Arc::new(BackgroundResponse {
            responses: self.responses.clone(),
            owner: self.owner,
            id: self.id.clone(),
            render: self.render.clone(),
            streams,
            log: Mutex::default(),
            task: OnceLock::new(),
            cancelled: AtomicBool::new(false),
            counted: AtomicBool::new(true),
        });
        let body = response::pending(&self.render, "in_progress").into();
        let (input, root) = (self.input.detached(), self.root.clone());
        let saved = Saved { input, root, body, running: Some(running.clone()) };
        self.responses.insert(self.owner, &self.id, What::Answer(saved));
        Ok(running)
    }
}

impl Drop for BackgroundResponse {
    fn drop(&mut self) {
        self.end_counting();
        self.responses.log_bytes.fetch_sub(self.log().bytes, Ordering::Relaxed);
    }
}

impl BackgroundResponse {
    /// What the client gets at once: the object, or the events as they come.
    pub fn answer(self: Arc<BackgroundResponse>, task: AbortHandle) -> Response<Body> {
        let _ = self.task.set(task);
        if self.streams { self.replay(0) } else { reply::json(response::pending(&self.render, "queued")) }
    }

    /// Reads an answer to its end for those who may ask for it.
    pub async fn follow(&self, answer: Result<Response<Body>, Fault>) {
        let ended = match answer {
            Ok(answer) if answer.status().is_success() => self.read(answer.into_body()).await,
            Ok(answer) => Err(refusal(answer).await),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = ended {
            self.end_with(response::failed(&fault, &self.render));
            if self.streams {
                self.log().fail(&fault, &self.responses);
            }
        }
        self.end_counting();
        let mut log = self.log();
        log.is_over = true;
        log.wake();
    }

    /// Nobody works at it any more.
    fn end_counting(&self) {
        if self.counted.swap(false, Ordering::Relaxed) {
            self.responses.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    async fn read(&self, mut body: Body) -> Result<(), Fault> {
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|fault| crate::errors::failure::of_body(&fault))?;
            let Ok(bytes) = frame.into_data() else { continue };
            if !self.streams {
                continue;
            }
            rest.extend_from_slice(&bytes);
            // Our own encoder ends each event with an empty line.
            while let Some(end) = memchr::memmem::find(&rest, b"\n\n") {
                let event: Vec<u8> = rest.drain(..end + 2).collect();
                // A sign of life is no event: events are counted.
                if event.starts_with(b":") {
                    continue;
                }
                self.log().push(event.into(), &self.responses);
            }
        }
        Ok(())
    }

    /// Stops the work; what is there stays.
    pub fn cancel(&self) -> Bytes {
        self.cancelled.store(true, Ordering::SeqCst);
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.end_counting();
        let body = Bytes::from(response::pending(&self.render, "cancelled"));
        self.end_with(body.to_vec());
        let mut log = self.log();
        log.is_over = true;
        log.wake();
        body
    }

    /// Has the client taken it back?
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Did the client ask for events?
    pub fn streams(&self) -> bool {
        self.streams
    }

    fn end_with(&self, body: Vec<u8>) {
        self.responses.change(self.owner, &self.id, |what| match what {
            What::Answer(saved) => Some(What::Answer(Saved { body: body.into(), ..saved.clone() })),
            What::Conversation(_) => None,
        });
    }

    /// The events from this number on, those to come included.
    pub fn replay(self: Arc<BackgroundResponse>, from: usize) -> Response<Body> {
        let mut response = Response::new(Body::events(Replay { running: self, next: from, ending: None }));
        let media = HeaderValue::from_static("text/event-stream; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        fields::mark_stream(response.headers_mut());
        response
    }

    /// Nothing that is done under the lock can fail half-way, so a poisoned one is as good.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fault in an answer that is none.
pub async fn refusal(answer: Response<Body>) -> Fault {
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let mut text = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(bytes) = frame.into_data()
            && text.len() + bytes.len() <= ERROR_BYTES_MAX
        {
            text.extend_from_slice(&bytes);
        }
    }
    fault::from_answer(status, &text)
}

/// A reader of an answer's events.
#[derive(Debug)]
pub struct Replay {
    running: Arc<BackgroundResponse>,
    next: usize,
    /// Why it has to end here, although more may come.
    ending: Option<Fault>,
}

impl Events for Replay {
    /// The next event, when it is there.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        let mut log = self.running.log();
        if let Some(fault) = self.ending.take() {
            self.next = usize::MAX;
            log.is_cut = true;
            let event = error::encode_event(&fault, log.events.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(event.into()))));
        }
        if let Some(event) = log.events.get(self.next) {
            self.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(event.clone()))));
        }
        if log.is_cut {
            return Poll::Ready(Some(Err(BodyFault::Broken)));
        }
        if log.is_over {
            return Poll::Ready(None);
        }
        if !log.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            log.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn fail(&mut self, fault: Fault) {
        self.ending = Some(fault);
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        Some(KeepAlive::Comment)
    }
}

/// Is a Response object still in the making?
pub fn is_open(body: &[u8]) -> bool {
    Document::parse_to(body, 1).is_ok_and(|document| {
        document
            .root()
            .str("status")
            .is_some_and(|status| matches!(status.as_ref(), "queued" | "in_progress"))
    })
}
