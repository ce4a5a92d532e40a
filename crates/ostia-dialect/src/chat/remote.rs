//! Media that stand elsewhere: at an address, or with a vendor under an id.
//!
//! What a vendor fetches by itself goes on as an address ([`MediaForms`]). The rest has to be fetched before the request is
//! written, by whoever can: here is only said which addresses those are, and what was fetched takes their place. A file that lies
//! with one vendor means nothing to another, so that is refused.

pub use crate::media::Remote;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::chat::limits::{Limits, MediaForms};
use crate::json::{Document, Node};
use crate::media::kind_of_mime;
use crate::{
    Block, ClientDialect, Content, Dialect, EncodeOptions, Fault, File, Files, Media, MediaKind, Request,
    Role, Source, Unfetched,
};

/// What addresses begin with that can be fetched by anybody, in small letters.
const WEB: [&str; 2] = ["https://", "http://"];
/// Where Google keeps the files of its Gemini API. Nobody else can read them
/// (<https://ai.google.dev/gemini-api/docs/files>).
const GOOGLE_FILES: [&str; 2] = ["https://generativelanguage.googleapis.com/", "files/"];
/// How places of files in clouds begin, and whose they are.
const CLOUDS: [(&str, &str); 2] = [("gs://", "Google"), ("s3://", "Amazon")];
/// How ids of files at OpenAI begin (<https://platform.openai.com/docs/api-reference/files/object>).
const OPENAI_FILES: &str = "file-";
/// Fields of clients' bodies that name files.
const FIELDS: [&str; 7] = ["url", "image_url", "file_url", "file_id", "fileUri", "file_uri", "file_data"];

/// A medium that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsayable {
    /// Its address or id, as the client wrote it.
    pub source: String,
    /// What is wrong with it.
    pub why: String,
    /// For the operator.
    pub detail: Option<String>,
}

impl Unsayable {
    /// The fault that blames its place in the client's body.
    pub fn fault(self, body: &Document<'_>) -> Fault {
        let fault = match place(body.root(), &self.source) {
            Some(node) => node.invalid(&self.why),
            None => Fault::invalid(&self.why),
        };
        let fault = fault.with_code("file_unusable");
        self.detail.into_iter().fold(fault, Fault::with_detail)
    }
}

/// The field that says this; fields that name files go before all others.
fn place<'d>(root: Node<'d>, text: &str) -> Option<Node<'d>> {
    let is_it = |node: &Node<'d>| node.as_str().is_some_and(|value| value == text);
    let mut other = None;
    let mut open = vec![(Cow::Borrowed(""), root)];
    while let Some((name, node)) = open.pop() {
        if is_it(&node) && FIELDS.contains(&name.as_ref()) {
            return Some(node);
        }
        other = other.or_else(|| is_it(&node).then_some(node));
        let inner = node.fields().chain(node.items().map(|item| (Cow::Borrowed(""), item)));
        let from = open.len();
        open.extend(inner);
        // The first one is looked at first.
        open[from..].reverse();
    }
    other
}

/// Puts what was fetched in the place of its address, and gives what has yet to be fetched, each address once: nothing, if the
/// request can be written for this upstream.
///
/// # Errors
/// A file that was not to be had, is of the wrong type, or lies with another vendor.
pub fn inline(
    request: &mut Request,
    upstream: Dialect,
    options: &EncodeOptions,
    files: &Files,
) -> Result<Vec<Remote>, Unsayable> {
    let forms = Forms::of(upstream, request.client, options);
    let mut missing: Vec<Remote> = Vec::new();
    for message in &mut request.messages {
        // What the operator and the model show is not looked at by anybody.
        if !matches!(message.role, Role::User | Role::Tool) {
            continue;
        }
        for medium in message.blocks.iter_mut().flat_map(media) {
            match forms.way(medium)? {
                Way::AsItIs => {}
                Way::Fetch(url) => match files.get(url) {
                    Some(file) => put(medium, file)?,
                    None if missing.iter().any(|remote| remote.url == *url) => {}
                    None => missing.push(Remote { url: url.clone(), kind: medium.kind }),
                },
            }
        }
    }
    Ok(missing)
}

/// Would anything have to be fetched?
pub fn is_in(request: &Request, upstream: Dialect, options: &EncodeOptions) -> bool {
    let forms = Forms::of(upstream, request.client, options);
    let messages = request.messages.iter().filter(|message| matches!(message.role, Role::User | Role::Tool));
    let mut all = messages.flat_map(|message| &message.blocks).flat_map(|block| match &block.content {
        Content::ToolResult { content, .. } => content.as_slice(),
        _ => std::slice::from_ref(block),
    });
    all.any(|block| match &block.content {
        Content::Media(medium) => matches!(forms.way(medium), Ok(Way::Fetch(_))),
        _ => false,
    })
}

/// The media of a block: its own, or those of a result.
fn media<'b>(block: &'b mut Block) -> Vec<&'b mut Media> {
    let inner = |block: &'b mut Block| match &mut block.content {
        Content::Media(medium) => Some(medium),
        _ => None,
    };
    match &mut block.content {
        Content::Media(medium) => vec![medium],
        Content::ToolResult { content, .. } => content.iter_mut().filter_map(inner).collect(),
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::ToolCall { .. }
        | Content::Foreign { .. } => Vec::new(),
    }
}

/// What an upstream takes, for a client of some dialect.
struct Forms<'o> {
    takes: MediaForms,
    by_address: &'o [MediaKind],
    upstream: Dialect,
    client: Option<ClientDialect>,
}

/// What becomes of a medium.
enum Way<'m> {
    AsItIs,
    Fetch(&'m String),
}

impl<'o> Forms<'o> {
    fn of(upstream: Dialect, client: Option<ClientDialect>, options: &'o EncodeOptions) -> Forms<'o> {
        let takes = Limits::of(upstream).media.takes;
        let by_address = options.media_urls.as_deref().unwrap_or(takes.by_address);
        Forms { takes, by_address, upstream, client }
    }

    fn way<'m>(&self, medium: &'m Media) -> Result<Way<'m>, Unsayable> {
        match &medium.source {
            Source::Base64(_) | Source::Text(_) => Ok(Way::AsItIs),
            Source::FileId(id) => self.check_id(id),
            Source::Url(url) => self.way_of_address(medium.kind, url),
        }
    }

    fn way_of_address<'m>(&self, kind: MediaKind, url: &'m String) -> Result<Way<'m>, Unsayable> {
        let begins = |starts: &[&str]| {
            starts
                .iter()
                .any(|start| url.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)))
        };
        let is_web = begins(&WEB);
        if begins(&GOOGLE_FILES[..1]) && self.upstream != Dialect::GeminiGenerate {
            return Err(elsewhere(url, "Google"));
        }
        // Of which kinds a vendor fetches matters on the web alone.
        let is_taken = begins(self.takes.schemes) && (!is_web || self.by_address.contains(&kind));
        // Where no form of it is taken, the encoder tells that it is left out.
        if is_taken || !self.takes.as_bytes.contains(&kind) {
            return Ok(Way::AsItIs);
        }
        match CLOUDS.iter().find(|(scheme, _)| begins(&[*scheme])) {
            Some((_, cloud)) => Err(elsewhere(url, cloud)),
            None if is_web => Ok(Way::Fetch(url)),
            // A scheme of the upstream's own, perhaps.
            None => Ok(Way::AsItIs),
        }
    }

    /// An id is that of a file at one vendor.
    fn check_id<'m>(&self, id: &str) -> Result<Way<'m>, Unsayable> {
        let is_own = |owner: ClientDialect| match self.upstream {
            Dialect::OpenaiChat | Dialect::OpenaiResponses => {
                matches!(owner, ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses)
            }
            upstream => owner.dialect() == upstream,
        };
        let owner = self.owner(id);
        match owner {
            Some(owner) if is_own(owner) => Ok(Way::AsItIs),
            Some(ClientDialect::AnthropicMessages) => Err(elsewhere(id, "Anthropic")),
            Some(ClientDialect::GeminiGenerate) => Err(elsewhere(id, "Google")),
            Some(ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses) => Err(elsewhere(id, "OpenAI")),
            None if self.takes.by_id => Ok(Way::AsItIs),
            None => Err(elsewhere(id, "another vendor")),
        }
    }

    /// Whose file an id names: it is spelled so, or the client speaks the dialect of a vendor that nobody copies files of. Clients
    /// of OpenAI's formats ask everybody.
    fn owner(&self, id: &str) -> Option<ClientDialect> {
        match self.client {
            _ if id.starts_with(OPENAI_FILES) => Some(ClientDialect::OpenaiChat),
            _ if GOOGLE_FILES.iter().any(|start| id.starts_with(start)) => {
                Some(ClientDialect::GeminiGenerate)
            }
            Some(own @ (ClientDialect::AnthropicMessages | ClientDialect::GeminiGenerate)) => Some(own),
            Some(ClientDialect::OpenaiChat | ClientDialect::OpenaiResponses) | None => None,
        }
    }
}

fn elsewhere(source: &str, vendor: &str) -> Unsayable {
    let why = format!(
        "this file lies with {vendor}, and this provider cannot read it there: give the bytes in base64, or an address \
         that begins with https://"
    );
    Unsayable { source: source.to_owned(), why, detail: None }
}

/// Puts a file in the place of its address.
fn put(medium: &mut Media, file: &Result<Arc<File>, Unfetched>) -> Result<(), Unsayable> {
    let Source::Url(url) = &medium.source else { return Ok(()) };
    let unsayable =
        |why: &str, detail| Unsayable { source: url.clone(), why: format!("the file {why}"), detail };
    let file = file.as_ref().map_err(|fault| unsayable(&fault.why, fault.detail.clone()))?;
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mime = file.media_type(medium.kind, medium.mime.as_deref(), path);
    let mime = mime.map_err(|why| unsayable(&why, None))?;
    medium.kind = match medium.kind {
        MediaKind::Document => kind_of_mime(&mime),
        kind => kind,
    };
    medium.mime = Some(mime);
    medium.source = Source::Base64(BASE64_STANDARD.encode(&file.bytes));
    Ok(())
}

#[cfg(test)]
mod tests;
