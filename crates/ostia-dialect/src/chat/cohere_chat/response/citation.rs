//! Citations: <https://docs.cohere.com/reference/chat>, `citations`.

use crate::Citation;
use crate::json::{Json, Node};

/// A citation of a text that begins at character `offset` of the message. The first that comes back holds the vendor's
/// own value; sources with addresses of their own follow.
pub(in crate::chat::cohere_chat) fn decode(citation: Node<'_>, offset: u64) -> Vec<Citation> {
    let (start, end) = (citation.u64("start"), citation.u64("end"));
    let place = |url: Option<String>, title: Option<String>, value: Option<Json>| Citation {
        url,
        title,
        start: start.map(|at| at + offset),
        end: end.map(|at| at + offset),
        value,
    };
    let sources = citation.some("sources");
    let mut named = sources.iter().flat_map(|sources| sources.items()).map(source);
    let mut all: Vec<Citation> = Vec::new();
    let mut first = named.next().unwrap_or_default();
    for (url, title) in named {
        if first.0.is_none() && url.is_some() {
            first = (url, title);
        } else if url.is_some() && url != first.0 {
            all.push(place(url, title, None));
        }
    }
    all.insert(0, place(first.0, first.1, Some(Json::of(citation))));
    all
}

/// Address and title of a source, where the document or the tool's output has such fields.
fn source(source: Node<'_>) -> (Option<String>, Option<String>) {
    let held = source.some("document").or_else(|| source.some("tool_output"));
    let field = |name: &str| held.and_then(|held| held.str(name)).map(|text| text.into_owned());
    (field("url"), field("title"))
}

/// Citations that no text can hold, as a field of the choice.
pub(in crate::chat::cohere_chat) fn loose(citations: &[Json]) -> Option<(String, Json)> {
    if citations.is_empty() {
        return None;
    }
    let list = Json::build(|w| w.array(|w| citations.iter().for_each(|one| w.raw(one.as_str()))));
    Some(("citations".to_owned(), list))
}
