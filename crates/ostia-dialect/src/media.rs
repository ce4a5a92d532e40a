//! Kinds of media and what tells them.

/// What kind of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A PDF, a text file, a table.
    Document,
}

/// The kind of a media type (`image/png`).
pub(crate) fn kind_of_mime(mime: &str) -> MediaKind {
    let top = mime.split('/').next().unwrap_or_default();
    let kinds = [("image", MediaKind::Image), ("audio", MediaKind::Audio), ("video", MediaKind::Video)];
    let known = kinds.iter().find(|(name, _)| top.eq_ignore_ascii_case(name));
    known.map_or(MediaKind::Document, |(_, kind)| *kind)
}

/// The media type that the ending of a file's name tells.
pub(crate) fn mime_of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// Base64 in the alphabet that every vendor takes. Google takes the other too, in which its SDKs send bytes.
pub(crate) fn standard_base64(data: &str) -> String {
    let mut data = data.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let missing = (4 - data.len() % 4) % 4;
    data.extend(std::iter::repeat_n('=', missing));
    data
}
