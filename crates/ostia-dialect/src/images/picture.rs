//! Images that a client sends to have others made from them: files of a form, bytes in the JSON, or addresses.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::encoded::mark;
use crate::fault::Detail;
use crate::form::{self, Content, Form};
use crate::json::{Kind, Node, Writer};
use crate::media::{data_url, mime_of_name, standard_base64};
use crate::{Fault, File, Files, MediaKind, Remote};

/// What an image is taken for that does not say it.
const MEDIA_DEFAULT: &str = "image/png";
/// How addresses begin that anybody can fetch, in small letters.
const WEB: [&str; 2] = ["https://", "http://"];

/// An image of a client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// A file of the form that the client sent.
    File(form::File),
    /// Its bytes, in base64.
    Inline {
        /// Its media type.
        media: String,
        /// The bytes in base64, with the alphabet and the padding that every vendor takes.
        data: String,
    },
    /// It is at this address.
    Address(String),
}

impl Picture {
    /// The pictures in the fields of this name of a form.
    ///
    /// # Errors
    /// 400 for a field that is no file.
    pub(super) fn of_form(form: &Form, name: &str) -> Result<Vec<Picture>, Fault> {
        let parts = form.parts.iter().filter(|part| part.base_name() == name);
        let picture = |part: &form::Part| match &part.content {
            Content::File(file) => Ok(Picture::File(file.clone())),
            Content::Text(_) => {
                Err(Fault::invalid(format!("Send a file, with a name, as `{name}`.")).with_param(name))
            }
        };
        parts.map(picture).collect()
    }

    /// The pictures of a field of JSON: a list, or one alone. Each is a text, or an object that names it.
    ///
    /// # Errors
    /// 400 that names the field.
    pub(super) fn of_json(value: Node<'_>) -> Result<Vec<Picture>, Fault> {
        match value.kind() {
            Kind::Array => value.items().map(Picture::one_of_json).collect(),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Object => {
                Ok(vec![Picture::one_of_json(value)?])
            }
        }
    }

    fn one_of_json(value: Node<'_>) -> Result<Picture, Fault> {
        if value.is_string() {
            return Picture::of_url(value);
        }
        if value.some("file_id").is_some() {
            return Err(value.invalid(
                "names a file that lies with one vendor, and this call goes to another: send an address or a data URL",
            ));
        }
        match value.some("image_url").or_else(|| value.some("url")) {
            Some(url) => Picture::of_url(url),
            None => Err(value.invalid("must have an `image_url`")),
        }
    }

    fn of_url(value: Node<'_>) -> Result<Picture, Fault> {
        let url = value.expect_str()?;
        let is_web = WEB
            .iter()
            .any(|start| url.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)));
        if is_web {
            return Ok(Picture::Address(url.into_owned()));
        }
        let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((media, data)) => Ok(Picture::Inline { media: word(media), data: standard_base64(data) }),
            None => Err(value.invalid("must be an address (https://) or a data URL in base64")),
        }
    }

    /// What has to be fetched for it, unless the vendor does so.
    pub(super) fn remote(&self) -> Option<Remote> {
        match self {
            Picture::Address(url) => Some(Remote { url: url.clone(), kind: MediaKind::Image }),
            Picture::File(_) | Picture::Inline { .. } => None,
        }
    }

    /// The same with what was fetched in the place of its address. One that was not fetched stays where it is.
    ///
    /// # Errors
    /// 400 for one that is not to be had, or that is no image.
    pub(super) fn with(self, files: &Files) -> Result<Picture, Fault> {
        let Picture::Address(url) = self else { return Ok(self) };
        let fetched: Result<&Arc<File>, _> = match files.get(&url) {
            Some(fetched) => fetched.as_ref(),
            None => return Ok(Picture::Address(url)),
        };
        let refuse =
            |why: &str| Fault::invalid(format!("Invalid `image`: the file {why}.")).with_param("image");
        let file = fetched.map_err(|unfetched| Fault {
            detail: unfetched.detail.clone().map(|detail| Box::new(Detail(detail))),
            ..refuse(&unfetched.why)
        })?;
        let media = file.media_type(MediaKind::Image, None, &url).map_err(|why| refuse(&why))?;
        Ok(Picture::Inline { media, data: BASE64_STANDARD.encode(&file.bytes) })
    }

    /// Its bytes, where they are here; none of a file, which is named where it is sent.
    ///
    /// # Errors
    /// 400 for what is no base64.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Picture::Inline { data, .. } => BASE64_STANDARD
                .decode(data)
                .map_err(|_| Fault::invalid("Invalid `image`: is no base64.").with_param("image")),
            Picture::File(_) | Picture::Address(_) => Ok(Vec::new()),
        }
    }

    /// Its media type.
    pub(super) fn media(&self) -> String {
        match self {
            Picture::Inline { media, .. } => media.clone(),
            Picture::Address(url) => mime_of_name(url).unwrap_or(MEDIA_DEFAULT).to_owned(),
            Picture::File(file) => {
                let told = file.media.as_deref().filter(|media| media.starts_with("image/"));
                word(told.or_else(|| mime_of_name(&file.name)).unwrap_or(MEDIA_DEFAULT))
            }
        }
    }

    /// Writes it in base64, as a string. An address stays one: whoever takes no addresses has been given the bytes before.
    pub(super) fn write_base64(&self, w: &mut Writer) {
        match self {
            Picture::File(file) => w.raw(&format!("\"{}\"", mark(file.index))),
            Picture::Inline { data, .. } => w.string(data),
            Picture::Address(url) => w.string(url),
        }
    }

    /// Writes it as an address: its own, or a data URL.
    pub(super) fn write_url(&self, w: &mut Writer) {
        match self {
            Picture::File(file) => {
                w.raw(&format!("\"data:{};base64,{}\"", self.media(), mark(file.index)));
            }
            Picture::Inline { media, data } => w.string(&data_url(media, data)),
            Picture::Address(url) => w.string(url),
        }
    }
}

/// A media type in characters that need no escape in JSON; another one is left to the vendor to see.
fn word(media: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+.-".contains(&byte);
    match !media.is_empty() && media.bytes().all(is_plain) {
        true => media.to_ascii_lowercase(),
        false => MEDIA_DEFAULT.to_owned(),
    }
}
