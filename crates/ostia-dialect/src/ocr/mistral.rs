//! Mistral's form (<https://docs.mistral.ai/api/endpoint/ocr>), for clients.

use super::{Request, Response};
use crate::Fault;
use crate::json::{Document, Json, Node, Writer};

/// Fields with a place in the request. All others are passed on or named as dropped, unless they are false or null: then they ask for nothing.
const KNOWN: [&str; 3] = ["model", "document", "pages"];
/// Most pages that a request may name.
const PAGES_MAX: usize = 2000;

/// Reads a client's request.
///
/// # Errors
/// 400 that names the field.
pub(super) fn decode_request(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let model = root.some("model").map(|model| model.expect_str()).transpose()?;
    let (url, is_image, name) = read(root.expect("document")?)?;
    let asks = |value: &Node<'_>| !value.is_null() && value.as_bool() != Some(false);
    let extra = root.fields().filter(|(name, value)| !KNOWN.contains(&name.as_ref()) && asks(value));
    Ok(Request {
        model: model.unwrap_or_default().into_owned(),
        url,
        is_image,
        name,
        pages: root.some("pages").map(pages).transpose()?.unwrap_or_default(),
        extra: extra.map(|(name, value)| (name.into_owned(), Json::of(value))).collect(),
    })
}

/// Where the document is, whether it is an image, and its name.
fn read(document: Node<'_>) -> Result<(String, bool, Option<String>), Fault> {
    document.expect_fields()?;
    let name = document.str("document_name").map(|name| name.into_owned());
    let kind = document.some("type").map(|kind| kind.expect_str()).transpose()?;
    match kind.as_deref() {
        Some("image_url") => image(document).map(|url| (url, true, name)),
        None if document.some("image_url").is_some() => image(document).map(|url| (url, true, name)),
        Some("document_url") | None => {
            let url = address(document.expect("document_url")?)?;
            Ok((url, false, name))
        }
        Some("file") => Err(document.invalid(
            "a file by its id lies with one vendor, and this provider cannot read it there: give a `document_url`, an \
             address or a data URL",
        )),
        Some(_) => Err(document.invalid("must be of type `document_url` or `image_url`")),
    }
}

/// An address, or an object that holds one.
fn image(document: Node<'_>) -> Result<String, Fault> {
    let image = document.expect("image_url")?;
    match image.is_object() {
        true => address(image.expect("url")?),
        false => address(image),
    }
}

fn address(node: Node<'_>) -> Result<String, Fault> {
    let url = node.expect_str()?;
    let is_known = ["http://", "https://", "data:"].iter().any(|start| url.starts_with(start));
    match is_known {
        true => Ok(url.into_owned()),
        false => Err(node.invalid("must be an address that begins with https://, or a data URL")),
    }
}

/// A number, a list of numbers, or a text of numbers and ranges (`0-2,5`).
fn pages(node: Node<'_>) -> Result<Vec<u64>, Fault> {
    let mut pages = Vec::new();
    if let Some(text) = node.as_str() {
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                text.trim()
                    .parse::<u64>()
                    .map_err(|_| node.invalid("must be pages from 0 on, such as \"0-2,5\""))
            };
            let (from, to) = (number(from)?, number(to)?);
            if to < from || to - from >= PAGES_MAX as u64 {
                return Err(
                    node.invalid(format!("must be ranges of at most {PAGES_MAX} pages, the lower one first"))
                );
            }
            if pages.len() > PAGES_MAX {
                break;
            }
            pages.extend(from..=to);
        }
    } else if node.is_array() {
        pages = node.items().map(|page| page.expect_u64()).collect::<Result<_, _>>()?;
    } else {
        pages.push(node.expect_u64()?);
    }
    match pages.len() <= PAGES_MAX {
        true => Ok(pages),
        false => Err(node.invalid(format!("must be at most {PAGES_MAX} pages"))),
    }
}

/// Writes the answer for a client.
pub(super) fn encode_response(request: &Request, response: &Response) -> Vec<u8> {
    let mut body = Writer::with_capacity(1024);
    body.object(|w| {
        w.field_array("pages", |w| {
            for page in &response.pages {
                w.object(|w| {
                    w.field_u64("index", page.index);
                    w.field_str("markdown", &page.markdown);
                    w.field_array("images", |_| {});
                    // The vendor tells them in pixels at a resolution, which nobody else has.
                    w.key("dimensions").null();
                });
            }
        });
        w.field_str("model", if response.model.is_empty() { &request.model } else { &response.model });
        w.field_object("usage_info", |w| {
            w.field_u64("pages_processed", response.pages.len() as u64);
            w.key("doc_size_bytes").null();
        });
    });
    body.into_bytes()
}
