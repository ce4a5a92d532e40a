//! Images from words, over every vendor's way to ask for them.
//!
//! Clients speak OpenAI's form. Where a vendor has other words for how large an image is to be, the nearest that it has are told,
//! and what that does not keep is reported. An image is carried as it was written, as an address or as base64: neither is made of
//! the other here.

pub mod bedrock;
pub mod gemini;
pub mod imagen;
pub mod openai;
mod size;
#[cfg(test)]
mod tests;
pub mod together;
mod translator;

pub use translator::{TRANSLATOR, fits};

use crate::json::{Document, Json};
use crate::{Encoded, Fault, FaultKind};

/// A wire format for images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/images/generations`.
    Openai,
    /// Together's `/images/generations`.
    Together,
    /// Google's `:generateContent`, with images among what it answers.
    Gemini,
    /// Google's `:predict` of Imagen.
    Imagen,
    /// Amazon Bedrock's `InvokeModel`.
    Bedrock,
}

/// A call of a model that makes images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The upstream's model id; empty where the client leaves it to the vendor.
    pub model: String,
    /// What is to be seen.
    pub prompt: String,
    /// How many images.
    pub n: Option<u64>,
    /// Width and height (`1024x1536`), or a word (`auto`).
    pub size: Option<String>,
    /// Width to height (`16:9`), where the client says that in place of the size.
    pub aspect_ratio: Option<String>,
    /// How good they are to be (`low`, `hd`).
    pub quality: Option<String>,
    /// Address or base64; the vendor's own choice where the client does not say.
    pub response_format: Option<ResponseFormat>,
    /// The format of the file (`png`, `jpeg`, `webp`).
    pub output_format: Option<String>,
    /// Where chance begins.
    pub seed: Option<u64>,
    /// What is not to be seen.
    pub negative_prompt: Option<String>,
    /// The end user, for the vendor's abuse checks.
    pub user: Option<String>,
    /// Other fields: name and value, in the order they came.
    pub extra: Vec<(String, Json)>,
}

/// How images are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFormat {
    /// An address, where it can be fetched for a while.
    Url,
    /// The file in base64.
    Base64,
}

/// The images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// When they were made, in seconds since 1970; 0 where it was not said.
    pub created: u64,
    /// The images.
    pub images: Vec<Image>,
    /// What they cost, where the upstream said.
    pub usage: Option<Usage>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// How it is told.
    pub format: ResponseFormat,
    /// The address or the base64, a string of JSON.
    pub data: Json,
    /// The prompt that it was made by, where the vendor wrote another one.
    pub revised_prompt: Option<Json>,
}

/// Tokens of prompts and images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

impl Request {
    /// The names of what was given and could not be said: of these fields of the hub, and of all others that are not `is_own`.
    fn dropped(&self, unsaid: &[&str], is_own: impl Fn(&str) -> bool) -> Vec<String> {
        let hub = [
            ("n", self.n.is_some_and(|n| n != 1)),
            ("size", self.size.as_deref().is_some_and(|size| size != "auto")),
            ("aspect_ratio", self.aspect_ratio.is_some()),
            ("quality", self.quality.as_deref().is_some_and(|quality| quality != "auto")),
            ("response_format", self.response_format == Some(ResponseFormat::Url)),
            ("output_format", self.output_format.is_some()),
            ("seed", self.seed.is_some()),
            ("negative_prompt", self.negative_prompt.is_some()),
            ("user", self.user.is_some()),
        ];
        let hub = hub.iter().filter(|(name, given)| *given && unsaid.contains(name));
        let extra = self.extra.iter().map(|(name, _)| name.as_str()).filter(|name| !is_own(name));
        hub.map(|(name, _)| *name).chain(extra).map(str::to_owned).collect()
    }
}

/// The body for this request in the upstream's dialect, and what it could not say.
///
/// Fails with 400 for what the dialect has no form for.
pub fn encode(dialect: Dialect, request: &Request) -> Result<Encoded, Fault> {
    match dialect {
        Dialect::Together => Ok(together::encode(request)),
        Dialect::Gemini => Ok(gemini::encode(request)),
        Dialect::Imagen => Ok(imagen::encode(request)),
        Dialect::Bedrock => Ok(bedrock::encode(request)),
        Dialect::Openai => {
            Err(Fault::invalid("Images are not asked for so.").with_code("unsupported_operation"))
        }
    }
}

/// Reads a whole answer of an upstream.
///
/// Fails with 502 where the body is not of the dialect, and with 400 where the vendor would not make the image.
pub fn decode(dialect: Dialect, body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let response = match dialect {
        Dialect::Openai | Dialect::Together => openai::decode_response(root),
        Dialect::Gemini => gemini::decode(root)?,
        Dialect::Imagen => imagen::decode(root)?,
        Dialect::Bedrock => bedrock::decode(root)?,
    };
    response
        .filter(|response| !response.images.is_empty())
        .ok_or_else(|| Fault::upstream("The provider's answer has no images."))
}

/// The vendor would not make the image, for this reason.
fn refused(reason: &str) -> Fault {
    Fault::new(FaultKind::ContentPolicy, format!("The provider made no image: {reason}"))
        .with_code("content_policy_violation")
}
