//! Embeddings: texts and images to vectors, over every vendor's way to ask for them.
//!
//! A hub of its own, because it is small and shares nothing with conversations. Vectors are carried as text, so a digit
//! is never changed on the way. Clients speak OpenAI's or Google's form. Where the upstream has the same one the bytes are
//! relayed, and nothing here is asked.

pub mod cohere;
mod cohere_invoke;
mod cortex;
pub mod gemini;
pub mod jina;
mod limits;
pub mod mistral;
pub mod nomic;
mod nova;
mod numbers;
pub mod openai;
mod purpose;
#[cfg(test)]
mod tests;
mod titan_image;
mod titan_text;
mod translator;
pub mod vertex;
pub mod voyage;

pub(crate) use translator::observed;
pub use translator::{TRANSLATOR, fits};

use crate::json::{Document, Json, Node};
use crate::{Encoded, Fault};

/// A wire format for embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/embeddings`.
    Openai,
    /// Google's `:embedContent`.
    Gemini,
    /// Google's `:batchEmbedContents`.
    GeminiBatch,
    /// Cohere's `/v2/embed`.
    Cohere,
    /// Vertex AI's `:predict`.
    VertexPredict,
    /// Titan's texts, over Bedrock's InvokeModel.
    TitanText,
    /// Titan's texts and images, over the same.
    TitanImage,
    /// Cohere's models, over the same.
    CohereInvoke,
    /// Nova's texts and images, over the same.
    Nova,
    /// Jina's `/embeddings`.
    Jina,
    /// Mistral's `/embeddings`.
    Mistral,
    /// Nomic's `/embedding/text`.
    Nomic,
    /// Voyage's `/embeddings`.
    Voyage,
    /// Voyage's `/multimodalembeddings`.
    VoyageMultimodal,
    /// Snowflake Cortex's `/cortex/inference:embed`.
    Cortex,
}

impl Dialect {
    /// Every dialect, in the order of the enum.
    pub const ALL: [Dialect; 15] = [
        Dialect::Openai,
        Dialect::Gemini,
        Dialect::GeminiBatch,
        Dialect::Cohere,
        Dialect::VertexPredict,
        Dialect::Jina,
        Dialect::Mistral,
        Dialect::Nomic,
        Dialect::Voyage,
        Dialect::VoyageMultimodal,
        Dialect::TitanText,
        Dialect::TitanImage,
        Dialect::CohereInvoke,
        Dialect::Nova,
        Dialect::Cortex,
    ];

    /// The dialect for this request: Google has a method of its own for lists.
    pub fn of_request(self, request: &Request) -> Dialect {
        match self {
            Dialect::Gemini | Dialect::GeminiBatch if gemini::is_batch(request) => Dialect::GeminiBatch,
            Dialect::Gemini | Dialect::GeminiBatch => Dialect::Gemini,
            _ => self,
        }
    }
}

/// A form in which clients ask for embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// OpenAI's `/embeddings`.
    Openai,
    /// Google's `:embedContent`.
    Gemini,
    /// Google's `:batchEmbedContents`.
    GeminiBatch,
}

impl Client {
    /// The client's side of a dialect, if it has one.
    pub fn of(dialect: Dialect) -> Option<Client> {
        match dialect {
            Dialect::Openai => Some(Client::Openai),
            Dialect::Gemini => Some(Client::Gemini),
            Dialect::GeminiBatch => Some(Client::GeminiBatch),
            _ => None,
        }
    }

    /// The same as an upstream's dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            Client::Openai => Dialect::Openai,
            Client::Gemini => Dialect::Gemini,
            Client::GeminiBatch => Dialect::GeminiBatch,
        }
    }

    /// Reads a client's body. `model` is what the path says; empty where the body says it.
    ///
    /// # Errors
    /// 400 that names the field and what it must be.
    pub fn decode(self, model: &str, body: &[u8]) -> Result<Request, Fault> {
        match self {
            Client::Openai => openai::decode_request(body),
            Client::Gemini => gemini::decode_request(model, body),
            Client::GeminiBatch => gemini::decode_batch_request(model, body),
        }
    }

    /// Writes a whole answer.
    ///
    /// # Errors
    /// 502 where the upstream's vectors cannot be written as the client wants them.
    pub fn encode(self, request: &Request, response: &Response) -> Result<Vec<u8>, Fault> {
        match self {
            Client::Openai => openai::encode_response(request, response),
            Client::Gemini | Client::GeminiBatch => {
                gemini::encode_response(self == Client::GeminiBatch, response)
            }
        }
    }
}

/// A call of an embedding model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The upstream's model id.
    pub model: String,
    /// What to embed; never empty when it was decoded.
    pub input: Vec<Input>,
    /// The client wrote a list, be it of one: some vendors have a method of their own for lists.
    pub is_list: bool,
    /// Length of the vectors.
    pub dimensions: Option<u64>,
    /// How the client wants the vectors written; numbers where it does not say.
    pub encoding_format: EncodingFormat,
    /// What numbers the vectors are made of; floats where it does not say.
    pub output_dtype: Option<Dtype>,
    /// The end user, for the vendor's abuse checks.
    pub user: Option<String>,
    /// What the vectors are for, in the client's word (`search_query`, `document`, `RETRIEVAL_QUERY`).
    pub input_type: Option<String>,
    /// Which end of a text that is too long to cut (`NONE`, `START`, `END`).
    pub truncate: Option<String>,
    /// Other fields: name and value, in the order they came.
    pub extra: Vec<(String, Json)>,
    /// What the client calls fields that have another name here: our name, and the client's.
    pub spelled: Vec<(&'static str, String)>,
}

impl Request {
    /// The same without anything to embed.
    fn but_input(&self) -> Request {
        Request {
            model: self.model.clone(),
            input: Vec::new(),
            is_list: self.is_list,
            dimensions: self.dimensions,
            encoding_format: self.encoding_format,
            user: self.user.clone(),
            input_type: self.input_type.clone(),
            truncate: self.truncate.clone(),
            output_dtype: self.output_dtype,
            extra: self.extra.clone(),
            spelled: self.spelled.clone(),
        }
    }
}

/// One thing to embed.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A text.
    Text(String),
    /// A text as numbers of one vendor's tokens: the list as the client wrote it.
    Tokens(Json),
    /// Texts and images that make one vector together.
    Parts(Vec<Part>),
}

/// A piece of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Words.
    Text(String),
    /// An image: its address, or its bytes as a data URL.
    Image(String),
}

/// How vectors are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EncodingFormat {
    /// A list of numbers.
    #[default]
    Float,
    /// The base64 of the numbers: 32-bit floats, little end first, or bytes.
    Base64,
}

/// The numbers of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    Float,
    /// Whole numbers from -128 to 127.
    Int8,
    /// Whole numbers from 0 to 255.
    Uint8,
    /// Bits, eight of them in each number from -128 to 127.
    Binary,
    /// Bits, eight of them in each number from 0 to 255.
    Ubinary,
}

impl Dtype {
    /// Its name, which is the same at all vendors that have it.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::Float => "float",
            Dtype::Int8 => "int8",
            Dtype::Uint8 => "uint8",
            Dtype::Binary => "binary",
            Dtype::Ubinary => "ubinary",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Dtype> {
        let all = [Dtype::Float, Dtype::Int8, Dtype::Uint8, Dtype::Binary, Dtype::Ubinary];
        all.into_iter().find(|dtype| dtype.name() == name)
    }
}

/// All of the hub's fields but model, input, length and form.
const EXTRAS: &[&str] = &["user", "input_type", "truncate", "output_dtype"];

impl Request {
    /// The names of what was given and could not be said: of these fields of the hub, and of all others that are not `is_own`.
    fn dropped(&self, unsaid: &[&str], is_own: impl Fn(&str) -> bool) -> Vec<String> {
        let has_dtype = self.output_dtype.is_some_and(|dtype| dtype != Dtype::Float);
        let hub = [
            ("user", self.user.is_some()),
            ("input_type", self.input_type.is_some()),
            ("truncate", self.truncate.is_some()),
            ("output_dtype", has_dtype),
        ];
        let hub = hub.iter().filter(|(name, given)| *given && unsaid.contains(name));
        let spelled = |name: &'static str| {
            self.spelled.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs)
        };
        let extra = self.extra.iter().map(|(name, _)| name.as_str()).filter(|name| !is_own(name));
        hub.map(|(name, _)| spelled(name)).chain(extra).map(str::to_owned).collect()
    }
}

/// The vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// The upstream's id for the answer; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where it was not said.
    pub model: String,
    /// One vector for each input, in their order.
    pub vectors: Vec<Vector>,
    /// What it cost, where the upstream said.
    pub usage: Option<Usage>,
    /// Images that are billed, where the upstream counts those and not their tokens.
    pub images: u64,
}

/// A vector as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// A list of numbers.
    Floats(Json),
    /// Base64 of the numbers: 32-bit floats, little end first, or bytes.
    Base64(String),
}

/// Tokens read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the input.
    pub prompt_tokens: u64,
    /// All tokens; there are no others for most vendors.
    pub total_tokens: u64,
}

/// The body for this request in the upstream's dialect, and what it could not say.
///
/// Fails with 400 that names `input` where there is none, or one that the dialect cannot say.
pub fn encode(dialect: Dialect, request: &Request) -> Result<Encoded, Fault> {
    if request.input.is_empty() {
        return Err(input_fault("there has to be something to embed"));
    }
    match dialect {
        Dialect::Openai => openai::encode_request(request),
        Dialect::Gemini | Dialect::GeminiBatch => gemini::encode(request),
        Dialect::Cohere => cohere::encode(request),
        Dialect::VertexPredict => vertex::encode(request),
        Dialect::TitanText => titan_text::encode(request),
        Dialect::TitanImage => titan_image::encode(request),
        Dialect::CohereInvoke => cohere_invoke::encode(request),
        Dialect::Nova => nova::encode(request),
        Dialect::Jina => jina::encode(request),
        Dialect::Mistral => mistral::encode(request),
        Dialect::Nomic => nomic::encode(request),
        Dialect::Voyage => voyage::encode(request),
        Dialect::VoyageMultimodal => voyage::encode_multimodal(request),
        Dialect::Cortex => cortex::encode(request),
    }
}

/// Reads a whole answer of an upstream.
///
/// Fails with 502 where the body is not of the dialect.
pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Response, Fault> {
    // No dialect has vectors deeper than this, so their numbers, a thousand each, get no nodes.
    const DEPTH: usize = 3;
    let document = Document::parse_to(body, DEPTH)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let response = match dialect {
        Dialect::Openai | Dialect::Jina | Dialect::Mistral | Dialect::Voyage | Dialect::VoyageMultimodal => {
            openai::decode_response(document.root())
        }
        Dialect::Gemini | Dialect::GeminiBatch => gemini::decode(document.root()),
        Dialect::Cohere | Dialect::CohereInvoke => cohere::decode(document.root()),
        Dialect::VertexPredict => vertex::decode(document.root()),
        Dialect::TitanText | Dialect::TitanImage => titan_text::decode(document.root()),
        Dialect::Nova => nova::decode(document.root()),
        Dialect::Nomic => nomic::decode(document.root()),
        Dialect::Cortex => cortex::decode(document.root()),
    };
    response.ok_or_else(|| Fault::upstream("The provider's answer has no embeddings."))
}

/// A vector where it stands in an answer.
fn vector(node: Node<'_>) -> Option<Vector> {
    if node.is_array() {
        return Some(Vector::Floats(Json::of(node)));
    }
    node.as_str().map(|text| Vector::Base64(text.into_owned()))
}

/// The only input of a call that has one.
fn lone(request: &Request) -> Result<&Input, Fault> {
    match request.input.as_slice() {
        [input] => Ok(input),
        _ => Err(input_fault("this model takes one input a call")),
    }
}

/// The same where it is to be a text.
fn lone_text(request: &Request) -> Result<&str, Fault> {
    text(lone(request)?)
}

/// The text of an input, for models that take nothing else.
fn text(input: &Input) -> Result<&str, Fault> {
    match input {
        Input::Text(text) => Ok(text),
        Input::Parts(parts) => match parts.as_slice() {
            [Part::Text(text)] => Ok(text),
            _ => Err(input_fault("this model takes one text for each vector, and no images")),
        },
        Input::Tokens(_) => Err(tokens_fault()),
    }
}

/// Media type and base64 of an image that has to be here.
fn image_data(url: &str) -> Result<(&str, &str), Fault> {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    data.ok_or_else(|| {
        input_fault("this model takes the bytes of an image, as a data URL in base64, and no address of one")
    })
}

fn input_fault(what: &str) -> Fault {
    Fault::invalid(format!("Invalid `input`: {what}")).with_param("input")
}

/// Vendors other than the tokens' own cannot read them.
fn tokens_fault() -> Fault {
    input_fault("this model takes text, not token numbers; send the text that the tokens stand for")
}
