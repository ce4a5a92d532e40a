//! Images from words and from other images, over every vendor's way to ask for them.
//!
//! Clients speak OpenAI's form: images are generated, edited or varied. Where a vendor has other words for how large an image is to be,
//! the nearest that it has are told, and what that does not keep is reported. An image that the vendor tells otherwise than the client
//! asked for, as an address in the place of base64, has to be fetched; who does that is not decided here.

pub mod bedrock;
mod bfl;
mod encoded;
mod fal;
mod fireworks;
mod fireworks_kontext;
pub mod gemini;
pub mod imagen;
pub mod openai;
mod picture;
mod recraft;
mod replicate;
mod segmind;
mod size;
mod stability;
#[cfg(test)]
mod tests;
pub mod together;
mod translator;
mod xai;

pub use bfl::JOB as BFL_JOB;
pub use encoded::Encoded;
pub use fal::JOB as FAL_JOB;
pub use fireworks_kontext::JOB as FIREWORKS_JOB;
pub use picture::Picture;
pub use replicate::JOB as REPLICATE_JOB;
pub use translator::{TRANSLATOR, edits_fit, fits};

use crate::form::{Mask, MaskContent, Shade};
use crate::json::{Json, Node};
use crate::{Fault, FaultKind, Usage};

/// What a model is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Task {
    /// Images from words.
    #[default]
    Generate,
    /// Images from others and from words that say what is to change.
    Edit,
    /// Images that are like another one.
    Vary,
}

/// A call of a model that makes images.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub task: Task,
    /// The upstream's model id; empty where the client leaves it to the vendor.
    pub model: String,
    /// What is to be seen, or to change; empty where an image is varied.
    pub prompt: String,
    /// The images that it is made from, the one that is edited first.
    pub pictures: Vec<Picture>,
    /// A picture that is transparent where the first image is to change.
    pub mask: Option<Picture>,
    /// The boundary of the form that the client sent, which is in none of its files.
    pub boundary: Option<String>,
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

impl Image {
    /// One at an address, or in a data URL.
    fn of_url(url: Node<'_>) -> Option<Image> {
        let text = url.as_str()?;
        match text.starts_with("data:") {
            true => Image::of_base64(url),
            false => Some(Image { format: ResponseFormat::Url, data: Json::of(url), revised_prompt: None }),
        }
    }

    /// One in base64, perhaps in a data URL.
    fn of_base64(data: Node<'_>) -> Option<Image> {
        let text = data.as_str().filter(|text| !text.is_empty())?;
        let data = match text.strip_prefix("data:") {
            Some(rest) => Json::build(|w| w.string(rest.split_once(";base64,").map_or("", |(_, data)| data))),
            None => Json::of(data),
        };
        Some(Image { format: ResponseFormat::Base64, data, revised_prompt: None })
    }

    /// Where it is, if that is what the vendor told.
    fn address(&self) -> Option<String> {
        match (self.format, self.data.to_value()) {
            (ResponseFormat::Url, serde_json::Value::String(url)) => Some(url),
            _ => None,
        }
    }
}

impl Request {
    /// The names of what was given and could not be said: of these fields of the hub, and of all others that are not `is_own`.
    fn dropped(&self, unsaid: &[&str], is_own: impl Fn(&str) -> bool) -> Vec<String> {
        let hub = [
            ("mask", self.mask.is_some()),
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

    /// What is asked for in words, of a model that needs some.
    fn words(&self) -> &str {
        match self.task {
            Task::Vary => "Make a variation of this image.",
            Task::Generate | Task::Edit => &self.prompt,
        }
    }

    /// An extra field of this name.
    fn extra(&self, name: &str) -> Option<&Json> {
        self.extra.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The images that it is made from, for a model that takes so many at most.
    fn pictures(&self, most: usize) -> Result<&[Picture], Fault> {
        if self.pictures.len() <= most {
            return Ok(&self.pictures);
        }
        let (model, count) = (&self.model, self.pictures.len());
        let message =
            format!("Invalid `image`: model `{model}` takes {most} for this, and there are {count}.");
        Err(Fault::invalid(message).with_param("image"))
    }

    /// The mask in black and white, of which this is painted where the image is to change.
    ///
    /// Fails with 400 for one that is at an address which nobody fetched.
    fn painted_mask(&self, changes: Shade, is_base64: bool) -> Result<Option<Mask>, Fault> {
        let content = match &self.mask {
            None => return Ok(None),
            Some(Picture::File(file)) => MaskContent::File(file.index),
            Some(Picture::Inline { data, .. }) => MaskContent::Base64(data.clone()),
            Some(Picture::Address(_)) => {
                let message = "Invalid `mask`: send it as a file of a form, or as a data URL.";
                return Err(Fault::invalid(message).with_param("mask"));
            }
        };
        Ok(Some(Mask { content, changes, is_base64 }))
    }

    /// Refuses a mask that cannot be told to a vendor, where without it something else would be changed.
    fn refuse_mask(&self, remedy: &str) -> Result<(), Fault> {
        match self.mask {
            None => Ok(()),
            Some(_) => {
                let message =
                    format!("Invalid `mask`: model `{}` takes none for this; {remedy}.", self.model);
                Err(Fault::invalid(message).with_param("mask").with_code("unsupported_mask"))
            }
        }
    }
}

/// The vendor would not make the image, for this reason.
fn refused(reason: &str) -> Fault {
    Fault::new(FaultKind::ContentPolicy, format!("The provider made no image: {reason}"))
        .with_code("content_policy_violation")
}
