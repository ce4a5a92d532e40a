//! All requests that pass a filter, as lines of JSON: read page by page, each when the client has taken the one before.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use ostia_dialect::Fault;
use ostia_dialect::frame::KeepAlive;
use ostia_store::{Filter, Page, PageSize, ReadError, Reader, Readers};
use serde_json::Value;

use super::ask;
use super::parameters::Parameters;
use crate::message::body::{Body, Events, FramePoll};
use crate::upstream::BodyFault;

/// <https://github.com/ndjson/ndjson-spec>
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-ndjson");
/// Requests of a page, and of one with bodies, which may be a hundred times as large.
const PAGE: u32 = 200;
const PAGE_WITH_BODIES: u32 = 20;
/// How often it is tried again where all who read are busy, and after how long.
const TRIES: u32 = 50;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Begins an export.
///
/// # Errors
/// The first page cannot be read. Where a later one cannot, the answer breaks off.
pub(super) async fn answer(readers: &Readers, parameters: Parameters) -> Result<Response<Body>, Fault> {
    let Parameters { filter, with_bodies, .. } = parameters;
    let size = PageSize::new(if with_bodies { PAGE_WITH_BODIES } else { PAGE }).unwrap_or(PageSize::DEFAULT);
    let pages = Pages { readers: readers.clone(), filter, with_bodies, size };
    let first = pages.clone().read(None).await?;
    let export = Export { pages, ready: Some(first), reading: None, fault: None };
    let mut response = Response::new(Body::events(export));
    response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    Ok(response)
}

/// Lines, and where the next page begins, if there is one.
type Lines = (Bytes, Option<(i64, i64)>);

#[derive(Debug, Clone)]
struct Pages {
    readers: Readers,
    filter: Filter,
    with_bodies: bool,
    size: PageSize,
}

impl Pages {
    /// The page behind this place.
    async fn read(self, after: Option<(i64, i64)>) -> Result<Lines, Fault> {
        let mut tries = 0;
        loop {
            let (filter, page) = (self.filter.clone(), Page { after, size: self.size });
            let with_bodies = self.with_bodies;
            match ask(&self.readers, move |reader| lines(reader, &filter, page, with_bodies)).await {
                Err(fault) if fault.status == 503 && tries < TRIES => tries += 1,
                read => return read,
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
    }
}

fn lines(reader: &mut Reader, filter: &Filter, page: Page, with_bodies: bool) -> Result<Lines, ReadError> {
    let (data, next) = match with_bodies {
        true => reader.list_with_bodies(filter, page)?,
        false => reader.list(filter, page)?,
    };
    let text: String = data.iter().map(|told: &Value| told.to_string() + "\n").collect();
    Ok((text.into(), next.as_deref().and_then(Page::cursor)))
}

/// A page that is being read.
type Reading = Pin<Box<dyn Future<Output = Result<Lines, Fault>>>>;

/// An export under way.
struct Export {
    pages: Pages,
    ready: Option<Lines>,
    reading: Option<Reading>,
    fault: Option<Fault>,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl Events for Export {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> FramePoll {
        if let Some(reading) = &mut self.reading {
            let read = ready!(reading.as_mut().poll(context));
            self.reading = None;
            match read {
                Ok(lines) => self.ready = Some(lines),
                Err(fault) => self.fault = Some(fault),
            }
        }
        if self.fault.is_some() {
            return Poll::Ready(Some(Err(BodyFault::Broken)));
        }
        let Some((lines, next)) = self.ready.take() else { return Poll::Ready(None) };
        self.reading = next.map(|next| -> Reading { Box::pin(self.pages.clone().read(Some(next))) });
        match lines.is_empty() {
            true => Poll::Ready(None),
            false => Poll::Ready(Some(Ok(Frame::data(lines)))),
        }
    }

    fn fail(&mut self, fault: Fault) {
        (self.reading, self.ready, self.fault) = (None, None, Some(fault));
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }

    fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }
}
