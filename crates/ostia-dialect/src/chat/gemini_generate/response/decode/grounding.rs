//! What an answer rests on: sources and probabilities.

use crate::Citation;
use crate::chat::response::characters;
use crate::json::{Json, Node, Writer};

/// The sources of a candidate, from its `groundingMetadata`
/// (<https://ai.google.dev/api/generate-content#GroundingMetadata>) and `citationMetadata`.
///
/// `text` is all that the candidate has said. The vendor counts in bytes of UTF-8; a citation counts in characters,
/// and has no position where the vendor's cannot be found in the text.
pub(in crate::chat::gemini_generate) fn citations(candidate: Node<'_>, text: &str) -> Vec<Citation> {
    let mut citations = Vec::new();
    if let Some(metadata) = candidate.some("groundingMetadata") {
        grounded(metadata, text, &mut citations);
    }
    let recited = candidate.some("citationMetadata");
    let sources = recited.and_then(|node| node.some("citationSources").or(node.some("citations")));
    for source in sources.iter().flat_map(Node::items) {
        let span = span(source, text);
        citations.extend(source.str("uri").map(|url| Citation {
            url: Some(url.into_owned()),
            title: source.str("title").map(|title| title.into_owned()),
            start: span.map(|span| span.0),
            end: span.map(|span| span.1),
            value: None,
        }));
    }
    citations
}

/// One citation for every source of every supported passage; where nothing says which passage, one for every source.
fn grounded(metadata: Node<'_>, text: &str, citations: &mut Vec<Citation>) {
    let Some(chunks) = metadata.some("groundingChunks") else { return };
    let chunks: Vec<Node<'_>> = chunks.items().collect();
    let Some(supports) = metadata.some("groundingSupports") else {
        citations.extend(chunks.iter().map(|chunk| citation(*chunk, None)));
        return;
    };
    for support in supports.items() {
        let span = support.some("segment").and_then(|segment| span(segment, text));
        for index in support.some("groundingChunkIndices").iter().flat_map(Node::items) {
            let chunk = index.as_u64().and_then(|index| chunks.get(usize::try_from(index).ok()?));
            citations.extend(chunk.map(|chunk| citation(*chunk, span)));
        }
    }
}

fn citation(chunk: Node<'_>, span: Option<(u64, u64)>) -> Citation {
    let source = ["web", "retrievedContext", "maps"].iter().find_map(|kind| chunk.some(kind));
    let text = |name| source.and_then(|source| source.str(name)).map(|text| text.into_owned());
    Citation {
        url: text("uri"),
        title: text("title"),
        start: span.map(|span| span.0),
        end: span.map(|span| span.1),
        value: None,
    }
}

/// Where a segment stands in the text, in characters. Its bytes are counted from the start of a part, which is not
/// always the start of the text, so the words that the vendor quotes have to stand there; else they are looked for.
fn span(segment: Node<'_>, text: &str) -> Option<(u64, u64)> {
    let start = usize::try_from(segment.u64("startIndex").unwrap_or(0)).ok()?;
    let end = usize::try_from(segment.u64("endIndex")?).ok()?;
    let quoted = segment.str("text");
    let found = text.get(start..end);
    let (start, end) = match quoted {
        Some(words) if found != Some(words.as_ref()) => {
            let start = text.find(words.as_ref())?;
            (start, start + words.len())
        }
        _ => (start, end),
    };
    let before = characters(text.get(..start)?);
    Some((before, before + characters(text.get(start..end)?)))
}

/// A `logprobsResult` (<https://ai.google.dev/api/generate-content#LogprobsResult>) in OpenAI's shape.
pub(in crate::chat::gemini_generate) fn logprobs(result: Node<'_>) -> Option<Json> {
    let chosen = result.some("chosenCandidates")?;
    let tops: Vec<Node<'_>> = result.some("topCandidates").iter().flat_map(Node::items).collect();
    Some(Json::build(|writer| {
        writer.object(|writer| {
            writer.field_array("content", |writer| {
                for (position, token) in chosen.items().enumerate() {
                    let top = tops.get(position).and_then(|top| top.some("candidates"));
                    writer.object(|writer| {
                        write_token(token, writer);
                        writer.field_array("top_logprobs", |writer| {
                            for token in top.iter().flat_map(Node::items) {
                                writer.object(|writer| write_token(token, writer));
                            }
                        });
                    });
                }
            });
        });
    }))
}

fn write_token(token: Node<'_>, writer: &mut Writer) {
    let text = token.str("token").unwrap_or_default();
    let logprob = token.some("logProbability").filter(|number| number.as_f64().is_some());
    writer.field_str("token", &text);
    writer.field_raw("logprob", logprob.map_or("0", |number| number.text()));
    writer.field_array("bytes", |writer| text.bytes().for_each(|byte| writer.u64(u64::from(byte))));
}
