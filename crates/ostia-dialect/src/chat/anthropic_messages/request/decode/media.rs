//! Images, documents and search results:
//! <https://platform.claude.com/docs/en/build-with-claude/vision>, `/pdf-support`, `/search-results`.

use super::optional_str;
use crate::json::{Json, Node};
use crate::{Fault, Media, MediaKind, Source};

/// The medium of an `image` or `document` block, and the whole block where it says more than a medium can; `None` for a
/// source of a type that is unknown here.
pub(super) fn decode(block: Node<'_>, kind: MediaKind) -> Result<Option<(Media, Option<Json>)>, Fault> {
    let source = block.expect("source")?;
    let text = |name: &str| source.expect(name)?.expect_str().map(|text| text.into_owned());
    let pdf = || (kind == MediaKind::Document).then(|| "application/pdf".to_owned());
    let (found, mime) = match source.expect("type")?.expect_str()?.as_ref() {
        "base64" => (Source::Base64(text("data")?), Some(text("media_type")?)),
        "url" => (Source::Url(text("url")?), pdf()),
        "file" => (Source::FileId(text("file_id")?), None),
        "text" => (Source::Text(text("data")?), Some("text/plain".into())),
        "content" => {
            let words = words(source.expect("content")?)?;
            (Source::Text(words), Some("text/plain".into()))
        }
        _ => return Ok(None),
    };
    let chunked = source.some("content").map(|_| Json::of(block));
    let name = optional_str(block, "title")?;
    Ok(Some((Media { kind, source: found, mime, name, detail: None }, chunked)))
}

/// A search result as a document of its words, under its title.
pub(super) fn decode_search_result(block: Node<'_>) -> Result<Media, Fault> {
    let title = block.expect("title")?.expect_str()?.into_owned();
    Ok(Media {
        kind: MediaKind::Document,
        source: Source::Text(words(block.expect("content")?)?),
        mime: Some("text/plain".into()),
        name: Some(title),
        detail: None,
    })
}

/// The words of a content, each text a paragraph.
fn words(content: Node<'_>) -> Result<String, Fault> {
    if let Some(text) = content.as_str() {
        return Ok(text.into_owned());
    }
    let texts: Vec<_> = content.expect_items()?.filter_map(|part| part.str("text")).collect();
    Ok(texts.join("\n\n"))
}
