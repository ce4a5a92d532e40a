//! Sources and probabilities of the hub, in the vendor's words.

use std::collections::BTreeMap;

use crate::Citation;
use crate::json::{Document, Json, Node, Writer};

/// Writes `groundingMetadata` (<https://ai.google.dev/api/generate-content#GroundingMetadata>), if there are sources.
///
/// `text` is all that the candidate has said. A citation counts in characters, the vendor in bytes of UTF-8; one whose
/// place is not in the text has no segment.
pub(in crate::chat::gemini_generate) fn encode(w: &mut Writer, citations: &[Citation], text: &str) {
    if citations.is_empty() {
        return;
    }
    let (mut chunks, mut numbers) = (Vec::new(), BTreeMap::new());
    for citation in citations {
        numbers.entry((&citation.url, &citation.title)).or_insert_with(|| {
            chunks.push(citation);
            chunks.len() - 1
        });
    }
    w.field_object("groundingMetadata", |w| {
        w.field_array("groundingChunks", |w| chunks.iter().for_each(|citation| chunk(w, citation)));
        // Without any place, the sources are those of the whole answer.
        if citations.iter().all(|citation| citation.end.is_none()) {
            return;
        }
        let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
        w.field_array("groundingSupports", |w| {
            for passage in citations.chunk_by(|a, b| (a.start, a.end) == (b.start, b.end)) {
                let numbers = passage.iter().filter_map(|one| numbers.get(&(&one.url, &one.title)));
                w.object(|w| {
                    passage.first().into_iter().for_each(|first| segment(w, first, text, &offsets));
                    w.field_array("groundingChunkIndices", |w| {
                        numbers.for_each(|number| w.u64(*number as u64));
                    });
                });
            }
        });
    });
}

/// A page of the web where the source has an address, else something that was retrieved.
fn chunk(w: &mut Writer, citation: &Citation) {
    let kind = if citation.url.is_some() { "web" } else { "retrievedContext" };
    w.object(|w| {
        w.field_object(kind, |w| {
            for (name, text) in [("uri", &citation.url), ("title", &citation.title)] {
                text.iter().for_each(|text| w.field_str(name, text));
            }
        });
    });
}

fn segment(w: &mut Writer, citation: &Citation, text: &str, offsets: &[usize]) {
    let offset = |character: u64| offsets.get(usize::try_from(character).ok()?).copied();
    let (Some(start), Some(end)) = (offset(citation.start.unwrap_or(0)), citation.end.and_then(offset))
    else {
        return;
    };
    let Some(quoted) = text.get(start..end) else { return };
    w.field_object("segment", |w| {
        w.field_u64("startIndex", start as u64);
        w.field_u64("endIndex", end as u64);
        w.field_str("text", quoted);
    });
}

/// Writes `logprobsResult` (<https://ai.google.dev/api/generate-content#LogprobsResult>) of probabilities in OpenAI's
/// shape: `{"content": [{"token", "logprob", "top_logprobs"}], "refusal": [...]}`.
pub(in crate::chat::gemini_generate) fn encode_logprobs(w: &mut Writer, logprobs: &Json) {
    let Ok(document) = Document::parse(logprobs.as_str().as_bytes()) else { return };
    let lists = ["content", "refusal"].map(|name| document.root().some(name));
    let tokens: Vec<Node<'_>> = lists.iter().flatten().flat_map(Node::items).collect();
    w.field_object("logprobsResult", |w| {
        w.field_array("chosenCandidates", |w| tokens.iter().for_each(|token| write_token(w, *token)));
        if tokens.iter().any(|token| alternatives(*token).is_some()) {
            w.field_array("topCandidates", |w| {
                for token in &tokens {
                    let alternatives = alternatives(*token);
                    w.object(|w| {
                        w.field_array("candidates", |w| {
                            let all = alternatives.iter().flat_map(Node::items);
                            all.for_each(|token| write_token(w, token));
                        });
                    });
                }
            });
        }
    });
}

fn alternatives(token: Node<'_>) -> Option<Node<'_>> {
    token.some("top_logprobs").filter(Node::is_array)
}

fn write_token(w: &mut Writer, token: Node<'_>) {
    w.object(|w| {
        w.field_str("token", &token.str("token").unwrap_or_default());
        if let Some(number) = token.some("logprob").filter(|number| number.as_f64().is_some()) {
            w.field_raw("logProbability", number.text());
        }
    });
}
