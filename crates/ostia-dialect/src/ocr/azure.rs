//! Azure's Document Intelligence (<https://learn.microsoft.com/rest/api/aiservices/document-models/analyze-document>): a job of one of
//! its models (`prebuilt-layout`, `prebuilt-read`), with the text as Markdown in one piece and pages as spans of it.

use std::ops::RangeInclusive;

use super::{Page, Request, Response};
use crate::api::job::{Job, Place};
use crate::json::{Node, Writer};
use crate::{Fault, FaultKind};

/// How the result is come by (<https://learn.microsoft.com/rest/api/aiservices/document-models/get-analyze-result>).
pub static JOB: Job = Job {
    status: Place::Header("operation-location"),
    state: "status",
    done: &["succeeded"],
    failed: &[("failed", FaultKind::Server), ("canceled", FaultKind::Server), ("skipped", FaultKind::Server)],
    reasons: &[&["error", "innererror", "message"], &["error", "message"]],
    result: None,
    stream: None,
    cancel: None,
    told_at_submit: None,
    every_ms: 1000,
};

/// Markdown, with spans that count characters as we do.
const QUERY: &str = "outputContentFormat=markdown&stringIndexType=unicodeCodePoint";

/// The query that goes with a request.
pub(super) fn query(request: &Request) -> String {
    let mut query = QUERY.to_owned();
    for (at, run) in runs(&request.pages).iter().enumerate() {
        query.push_str(if at == 0 { "&pages=" } else { "," });
        let (first, last) = (run.start().saturating_add(1), run.end().saturating_add(1));
        query.push_str(&first.to_string());
        if last > first {
            query.push_str(&format!("-{last}"));
        }
    }
    query
}

/// Pages that follow one another, in the order in which they are asked for: thousands of single numbers are too long for a query.
fn runs(pages: &[u64]) -> Vec<RangeInclusive<u64>> {
    let mut runs: Vec<RangeInclusive<u64>> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some(run) if run.end().checked_add(1) == Some(*page) => *run = *run.start()..=*page,
            _ => runs.push(*page..=*page),
        }
    }
    runs
}

/// The body: an address, or the bytes.
pub(super) fn encode(request: &Request) -> Result<Vec<u8>, Fault> {
    let bytes = match request.url.strip_prefix("data:") {
        None => None,
        Some(data) => Some(data.split_once(";base64,").map(|(_, bytes)| bytes).ok_or_else(|| {
            Fault::invalid("Invalid `document`: a data URL must be data:TYPE;base64,BYTES.")
                .with_param("document")
        })?),
    };
    let mut body = Writer::with_capacity(request.url.len() + 64);
    body.object(|w| match bytes {
        Some(bytes) => w.field_str("base64Source", bytes),
        None => w.field_str("urlSource", &request.url),
    });
    Ok(body.into_bytes())
}

/// Reads `analyzeResult`.
pub(super) fn decode(root: Node<'_>) -> Option<Response> {
    let result = root.some("analyzeResult")?;
    let content: Vec<char> = result.str("content")?.chars().collect();
    let pages = result.some("pages").filter(Node::is_array)?;
    Some(Response {
        model: result.str("modelId").unwrap_or_default().into_owned(),
        pages: pages.items().map(|page| read(page, &content)).collect::<Option<_>>()?,
    })
}

fn read(page: Node<'_>, content: &[char]) -> Option<Page> {
    let mut markdown = String::new();
    let spans = page.some("spans");
    for span in spans.iter().flat_map(|spans| spans.items()) {
        let from = usize::try_from(span.u64("offset")?).ok()?;
        let to = from.checked_add(usize::try_from(span.u64("length")?).ok()?)?;
        markdown.extend(content.get(from..to)?);
    }
    Some(Page {
        index: page.u64("pageNumber")?.checked_sub(1)?,
        markdown: markdown.replace("<!-- PageBreak -->", "").trim().to_owned(),
    })
}
