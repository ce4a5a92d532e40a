//! What clients ask for. Their forms differ in the names of a few fields only, so one reader takes all of them.

use crate::Fault;
use crate::json::{Document, Json, Kind, Node, Writer};

/// A call of a model that ranks.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The upstream's model id.
    pub model: String,
    /// What the documents have to fit.
    pub query: Passage,
    /// What to rank.
    pub documents: Vec<Passage>,
    /// How many of them the client wants to know; all where it does not say.
    pub top_n: Option<u64>,
    /// The client wants the documents back, each beside its score.
    pub return_documents: bool,
    /// From how many tokens on a document is cut.
    pub max_tokens_per_doc: Option<u64>,
    /// May what is too long be cut? The vendor's own rule where the client does not say.
    pub truncation: Option<bool>,
    /// Other fields: name and value, in the order they came.
    pub extra: Vec<(String, Json)>,
}

/// A query or a document, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// A string of JSON, quotes and all.
    Text(Json),
    /// An object: its text in `text`, an image in `image`, or fields of the client's own.
    Object(Json),
}

/// Reads a client's request in any of the forms.
///
/// # Errors
/// 400 that names the field.
pub fn decode_request(body: &[u8]) -> Result<Request, Fault> {
    let document = Document::of_request(body)?;
    let root = document.root();
    let documents = root.expect("documents")?;
    let mut request = Request {
        model: root.expect("model")?.expect_str()?.into_owned(),
        query: passage(root.expect("query")?)?,
        documents: documents.expect_items()?.map(passage).collect::<Result<_, _>>()?,
        top_n: None,
        return_documents: false,
        max_tokens_per_doc: None,
        truncation: None,
        extra: Vec::new(),
    };
    if request.documents.is_empty() {
        return Err(documents.invalid("must hold at least one document"));
    }
    for (name, value) in root.fields().filter(|(_, value)| !value.is_null()) {
        field(&mut request, &name, value)?;
    }
    Ok(request)
}

fn field(request: &mut Request, name: &str, value: Node<'_>) -> Result<(), Fault> {
    match name {
        "model" | "query" | "documents" => {}
        "top_n" | "top_k" => request.top_n = Some(value.expect_u64()?),
        "return_documents" => request.return_documents = value.expect_bool()?,
        "max_tokens_per_doc" => request.max_tokens_per_doc = Some(value.expect_u64()?),
        "truncation" => request.truncation = Some(value.expect_bool()?),
        _ => request.extra.push((name.to_owned(), Json::of(value))),
    }
    Ok(())
}

fn passage(node: Node<'_>) -> Result<Passage, Fault> {
    match node.kind() {
        Kind::String => Ok(Passage::Text(Json::of(node))),
        Kind::Object => Ok(Passage::Object(Json::of(node))),
        Kind::Null | Kind::Bool | Kind::Number | Kind::Array => {
            Err(node.invalid("must be a text, or an object with its text in `text`"))
        }
    }
}

impl Request {
    /// The texts of all documents, each a string of JSON.
    ///
    /// # Errors
    /// 400 that names the document that has none.
    pub(super) fn texts(&self) -> Result<Vec<Json>, Fault> {
        let documents = self.documents.iter().enumerate();
        documents.map(|(at, document)| document.text(format_args!("documents[{at}]"))).collect()
    }

    /// The text of the query, a string of JSON.
    pub(super) fn query_text(&self) -> Result<Json, Fault> {
        self.query.text(format_args!("query"))
    }
}

impl Passage {
    /// The text as a string of JSON. Of an object that is its `text`; one without, and without an image, is data, which models
    /// read as it is written.
    fn text(&self, path: std::fmt::Arguments<'_>) -> Result<Json, Fault> {
        let object = match self {
            Passage::Text(text) => return Ok(text.clone()),
            Passage::Object(object) => object,
        };
        let document = Document::parse_to(object.as_str().as_bytes(), 1).ok();
        let root = document.as_ref().map(|document| document.root());
        let of = |name: &str| root.and_then(|root| root.some(name));
        match (of("text"), of("image").or_else(|| of("url"))) {
            (Some(text), None) if text.is_string() => Ok(Json::of(text)),
            (None, None) => Ok(Json::build(|w| w.string(object.as_str()))),
            _ => {
                let message = format!(
                    "Invalid `{path}`: this model ranks texts; send its text in `text`, and no image"
                );
                Err(Fault::invalid(message).with_param(path.to_string()))
            }
        }
    }

    /// Writes it as an object: a text in the field of this name, an object as the client wrote it.
    pub(super) fn write_object(&self, w: &mut Writer, name: &str) {
        match self {
            Passage::Text(text) => w.object(|w| w.field_raw(name, text.as_str())),
            Passage::Object(object) => w.raw(object.as_str()),
        }
    }

    /// Forgets what it says.
    pub(super) fn clear(&mut self) {
        *self = Passage::Text(Json::build(|w| w.string("")));
    }

    /// Writes it as the client wrote it.
    pub(super) fn write(&self, w: &mut Writer) {
        match self {
            Passage::Text(json) | Passage::Object(json) => w.raw(json.as_str()),
        }
    }
}
