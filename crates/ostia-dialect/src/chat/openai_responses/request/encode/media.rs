//! Images, files and sound: <https://platform.openai.com/docs/guides/images-vision>, `/pdf-files` and `/audio`.
//! Video has no form in this dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::{Json, Writer};
use crate::media::{data_url, image_type_of};
use crate::{Media, MediaKind, Source};

/// The part for an image or a file, or `None` where it has none. `path` is where it stands; details that are lost are reported.
pub(super) fn part(medium: &Media, path: &str, dropped: &mut Vec<String>) -> Option<Json> {
    match medium.kind {
        MediaKind::Image => {
            lose_name(medium, path, dropped);
            image(medium)
        }
        MediaKind::Document => {
            let part = file(medium);
            // A file that is named by an address or an id has its name there.
            if matches!(medium.source, Source::Url(_) | Source::FileId(_)) {
                lose_name(medium, path, dropped);
            }
            Some(part)
        }
        MediaKind::Audio | MediaKind::Video => None,
    }
}

/// The part for a sound, or `None` where it has none. Only the user's messages take it.
pub(super) fn audio(medium: &Media, path: &str, dropped: &mut Vec<String>) -> Option<Json> {
    let format = match medium.mime.as_deref()? {
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/mp3" | "audio/mpeg" => "mp3",
        _ => return None,
    };
    let Source::Base64(data) = &medium.source else { return None };
    lose_name(medium, path, dropped);
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "input_audio");
            w.field_object("input_audio", |w| {
                w.field_str("data", data);
                w.field_str("format", format);
            });
        });
    }))
}

fn lose_name(medium: &Media, path: &str, dropped: &mut Vec<String>) {
    if medium.name.is_some() {
        dropped.push(format!("{path}.file.filename"));
    }
}

fn image(medium: &Media) -> Option<Json> {
    let (name, value) = match &medium.source {
        Source::Url(url) => ("image_url", url.clone()),
        Source::Base64(data) => ("image_url", data_url(image_type(medium, data), data)),
        Source::FileId(id) => ("file_id", id.clone()),
        Source::Text(_) => return None,
    };
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "input_image");
            w.field_str(name, &value);
            w.field_str("detail", medium.detail.as_deref().unwrap_or("auto"));
        });
    }))
}

fn file(medium: &Media) -> Json {
    let mime = medium.mime.as_deref();
    Json::build(|w| {
        w.object(|w| {
            w.field_str("type", "input_file");
            match &medium.source {
                Source::Url(url) => w.field_str("file_url", url),
                Source::FileId(id) => w.field_str("file_id", id),
                Source::Base64(data) => {
                    write_data(w, medium, data_url(mime.unwrap_or("application/pdf"), data), "document.pdf");
                }
                Source::Text(text) => {
                    let data = STANDARD.encode(text);
                    write_data(w, medium, data_url(mime.unwrap_or("text/plain"), &data), "document.txt");
                }
            }
            medium.detail.iter().for_each(|detail| w.field_str("detail", detail));
        });
    })
}

/// Bytes need a name with them.
fn write_data(w: &mut Writer, medium: &Media, data: String, name: &str) {
    w.field_str("filename", medium.name.as_deref().unwrap_or(name));
    w.field_str("file_data", &data);
}

/// The media type of an image: as the client says, or as the first bytes tell.
fn image_type<'m>(medium: &'m Media, data: &str) -> &'m str {
    medium.mime.as_deref().or_else(|| image_type_of(data)).unwrap_or("image/jpeg")
}
