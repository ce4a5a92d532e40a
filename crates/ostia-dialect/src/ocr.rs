//! OCR: documents and images to Markdown, page by page, over every vendor's way to ask for it.
//!
//! Clients speak Mistral's form, which clouds have too: there it is relayed. Others have jobs of their own, and a model that sees can
//! be asked in a conversation. What those do not give (images of a page, places of words, annotations) is not made up.

mod azure;
mod by_chat;
mod mistral;
#[cfg(test)]
mod tests;
mod translator;

pub use azure::JOB as AZURE_JOB;
pub use by_chat::BY_CHAT;
pub use translator::TRANSLATOR;

use crate::json::Json;

/// A document that is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The upstream's model id; empty where the client names none.
    pub model: String,
    /// Where the document is: an address, or its bytes as a data URL.
    pub url: String,
    /// It is one image.
    pub is_image: bool,
    /// What the client calls it.
    pub name: Option<String>,
    /// Which pages, from 0; all where there are none.
    pub pages: Vec<u64>,
    /// Other fields: name and value, in the order they came.
    pub extra: Vec<(String, Json)>,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The model that read; empty where it was not said.
    pub model: String,
    /// The pages, in their order.
    pub pages: Vec<Page>,
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its number, from 0.
    pub index: u64,
    /// What stands on it.
    pub markdown: String,
}
