//! The words of each dialect, in the shapes that the vendors document:
//! <https://platform.openai.com/docs/api-reference/chat> (object, streaming), `/embeddings`, and
//! <https://docs.anthropic.com/en/api/messages> (object) and `/messages-streaming`, and
//! <https://ai.google.dev/api/generate-content> (`GenerateContentResponse`, whole and with `alt=sse`), and
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>.

use bytes::Bytes;
use ostia_testkit::event_stream::{HeaderValue, message};
use serde_json::json;

use crate::answer::{COMPLETION_TOKENS, EMBEDDING_END, PROMPT_TOKENS, TEXT_END};

/// Numbers in an embedding (text-embedding-3-small).
const DIMENSIONS: usize = 1536;

const TEXT: &str = "MOCK. Four weeks is what the supplier promised, and the buyer takes it: the valves are \
    ordered today, the samples come first, and the drawing is checked before anything is cut.\n\n\
    1. Purchasing sends the order and asks for the samples.\n2. Design checks the drawing by Friday.\n\
    3. Transport goes by rail, unless the samples come late; then the road is worth its price.\n\nThe \
    discount starts at 200 pieces, so the order is for 210, ";

/// One dialect's answers.
pub(super) struct Grammar {
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) unary: Bytes,
    /// Events before the first chunk.
    pub(super) opening: Bytes,
    /// A chunk before and behind its mark.
    pub(super) chunk: (&'static str, &'static str),
    /// Events behind the last chunk.
    pub(super) closing: Bytes,
    /// The type of a chunk in AWS's event stream; `None`: events are text, and written out whole above.
    pub(super) event_stream: Option<&'static str>,
}

impl Grammar {
    /// The media type of its streams.
    pub(super) fn stream_type(&self) -> &'static str {
        match self.event_stream {
            Some(_) => "application/vnd.amazon.eventstream",
            None => "text/event-stream; charset=utf-8",
        }
    }
}

/// An event of AWS's event stream.
pub(super) fn event(kind: &str, payload: &[u8]) -> Bytes {
    let text = |text: &str| HeaderValue::Text(text.to_owned());
    let headers = [
        (":event-type", text(kind)),
        (":content-type", text("application/json")),
        (":message-type", text("event")),
    ];
    Bytes::from(message(&headers, payload))
}

macro_rules! openai_chunk {
    ($choices:literal, $behind:literal) => {
        concat!(
            r#"data: {"id":"chatcmpl-C4bKq2Jw9sLxT0vRzYhN7uPdEoMa3","object":"chat.completion.chunk","#,
            r#""created":1764000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","#,
            r#""system_fingerprint":"fp_4b1d7c20e9","choices":"#,
            $choices,
            $behind
        )
    };
}

/// Up to the end of the text. The usage that Google repeats in every chunk follows it.
macro_rules! gemini_chunk {
    ($text:literal) => {
        concat!(r#"data: {"candidates": [{"content": {"parts": [{"text": ""#, $text)
    };
}

macro_rules! gemini_chunk_end {
    () => {
        concat!(
            r#""}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 40571,"#,
            r#""totalTokenCount": 40571,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 40571}]},"#,
            r#""modelVersion": "gemini-2.5-flash","responseId": "pT8laYbDKu3nxN8P4r2Q6Ag"}"#,
            "\r\n\r\n"
        )
    };
}

pub(super) fn openai() -> Grammar {
    Grammar {
        headers: OPENAI_HEADERS,
        unary: pretty(&openai_unary()),
        opening: Bytes::from_static(
            concat!(
                openai_chunk!(
                    r#"[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]"#,
                    r#","usage":null}"#
                ),
                "\n\n"
            )
            .as_bytes(),
        ),
        chunk: (
            openai_chunk!(r#"[{"index":0,"delta":{"content":" word"#, ""),
            "\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"q8Zt\"}\n\n",
        ),
        closing: openai_closing(),
        event_stream: None,
    }
}

fn openai_usage() -> serde_json::Value {
    json!({
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn openai_unary() -> serde_json::Value {
    json!({
        "id": "chatcmpl-C4bKq2Jw9sLxT0vRzYhN7uPdEoMa3",
        "object": "chat.completion",
        "created": 1_764_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": format!("{TEXT}{TEXT_END}."),
                "refusal": null,
                "annotations": [],
            },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": openai_usage(),
        "service_tier": "default",
        "system_fingerprint": "fp_4b1d7c20e9",
    })
}

fn openai_closing() -> Bytes {
    let finish = openai_chunk!(
        r#"[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]"#,
        r#","usage":null}"#
    );
    let usage = openai_chunk!("[]", r#","usage":"#);
    Bytes::from(format!("{finish}\n\n{usage}{}}}\n\ndata: [DONE]\n\n", openai_usage()))
}

pub(super) fn anthropic() -> Grammar {
    Grammar {
        headers: ANTHROPIC_HEADERS,
        unary: Bytes::from(
            anthropic_message(json!([{"type": "text", "text": format!("{TEXT}{TEXT_END}.")}])).to_string(),
        ),
        opening: Bytes::from_static(ANTHROPIC_OPENING.as_bytes()),
        chunk: (
            concat!(
                "event: content_block_delta\n",
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"#
            ),
            "\"}}\n\n",
        ),
        closing: anthropic_closing(),
        event_stream: None,
    }
}

const ANTHROPIC_OPENING: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"msg_01Kd8vTq3WzXbN5yRfGh2LpC","type":"message","#,
    r#""role":"assistant","model":"claude-3-5-haiku-20241022","content":[],"stop_reason":null,"#,
    r#""stop_sequence":null,"usage":{"input_tokens":40571,"cache_creation_input_tokens":0,"#,
    r#""cache_read_input_tokens":0,"output_tokens":1,"service_tier":"standard"}}}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"
);

fn anthropic_message(content: serde_json::Value) -> serde_json::Value {
    json!({
        "id": "msg_01Kd8vTq3WzXbN5yRfGh2LpC",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-5-haiku-20241022",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {
            "input_tokens": PROMPT_TOKENS,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": COMPLETION_TOKENS,
            "service_tier": "standard",
        },
    })
}

fn anthropic_closing() -> Bytes {
    let stop = json!({"type": "content_block_stop", "index": 0});
    let delta = json!({
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": COMPLETION_TOKENS},
    });
    let end = json!({"type": "message_stop"});
    Bytes::from(format!(
        "event: content_block_stop\ndata: {stop}\n\nevent: message_delta\ndata: {delta}\n\n\
         event: message_stop\ndata: {end}\n\n"
    ))
}

pub(super) fn gemini() -> Grammar {
    Grammar {
        headers: GEMINI_HEADERS,
        unary: pretty(&gemini_answer(&format!("{TEXT}{TEXT_END}."))),
        opening: Bytes::from_static(concat!(gemini_chunk!(""), gemini_chunk_end!()).as_bytes()),
        chunk: (gemini_chunk!(" word"), gemini_chunk_end!()),
        closing: Bytes::from(format!("data: {}\r\n\r\n", gemini_answer(""))),
        event_stream: None,
    }
}

/// The whole answer, or the last chunk of a stream.
fn gemini_answer(text: &str) -> serde_json::Value {
    json!({
        "candidates": [{
            "content": {"parts": [{"text": text}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": COMPLETION_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + COMPLETION_TOKENS,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": PROMPT_TOKENS}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "pT8laYbDKu3nxN8P4r2Q6Ag",
    })
}

pub(super) fn bedrock() -> Grammar {
    Grammar {
        headers: BEDROCK_HEADERS,
        unary: Bytes::from(bedrock_unary().to_string()),
        opening: event("messageStart", br#"{"p":"abcdefghijk","role":"assistant"}"#),
        chunk: (r#"{"contentBlockIndex":0,"delta":{"text":" word"#, r#""},"p":"abcdefghijklmnopq"}"#),
        closing: bedrock_closing(),
        event_stream: Some("contentBlockDelta"),
    }
}

fn bedrock_usage() -> serde_json::Value {
    json!({
        "inputTokens": PROMPT_TOKENS,
        "outputTokens": COMPLETION_TOKENS,
        "totalTokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    })
}

fn bedrock_unary() -> serde_json::Value {
    json!({
        "metrics": {"latencyMs": 412},
        "output": {"message": {"content": [{"text": format!("{TEXT}{TEXT_END}.")}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": bedrock_usage(),
    })
}

fn bedrock_closing() -> Bytes {
    let metadata = json!({"metrics": {"latencyMs": 412}, "p": "abcd", "usage": bedrock_usage()}).to_string();
    let events = [
        event("contentBlockStop", br#"{"contentBlockIndex":0,"p":"abcdefg"}"#),
        event("messageStop", br#"{"p":"abcdefghi","stopReason":"end_turn"}"#),
        event("metadata", metadata.as_bytes()),
    ];
    Bytes::from(events.concat())
}

/// One vector, printed as OpenAI prints it: a number a line.
pub(super) fn embedding() -> Bytes {
    let number = |index: usize| format!("-0.0{:08}", (index * 7_919_113) % 100_000_000);
    let mut numbers: Vec<String> = (1..DIMENSIONS).map(number).collect();
    numbers.push(EMBEDDING_END.into());
    Bytes::from(format!(
        "{{\n  \"object\": \"list\",\n  \"data\": [\n    {{\n      \"object\": \"embedding\",\n      \
         \"index\": 0,\n      \"embedding\": [\n        {}\n      ]\n    }}\n  ],\n  \
         \"model\": \"text-embedding-3-small\",\n  \"usage\": {{\n    \"prompt_tokens\": {PROMPT_TOKENS},\n    \
         \"total_tokens\": {PROMPT_TOKENS}\n  }}\n}}\n",
        numbers.join(",\n        ")
    ))
}

fn pretty(value: &serde_json::Value) -> Bytes {
    Bytes::from(format!("{value:#}\n"))
}

const OPENAI_HEADERS: &[(&str, &str)] = &[
    ("access-control-expose-headers", "X-Request-ID"),
    ("openai-organization", "org-bench"),
    ("openai-processing-ms", "412"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-limit-tokens", "2000000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-remaining-tokens", "1999744"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-reset-tokens", "7ms"),
    ("x-request-id", "req_5d0c9e7b1f3a48269c7be0d2a1f46358"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("cf-cache-status", "DYNAMIC"),
    ("cf-ray", "9a3f01c2d4e5b678-VIE"),
    ("server", "cloudflare"),
];

const ANTHROPIC_HEADERS: &[(&str, &str)] = &[
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-tokens-limit", "400000"),
    ("anthropic-ratelimit-tokens-remaining", "399744"),
    ("anthropic-organization-id", "3e1a7c52-6b0f-4d89-9a45-c2d8e0f1b376"),
    ("request-id", "req_011CVqT8mZxW4nKbYdLsHgRp"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("cf-cache-status", "DYNAMIC"),
    ("cf-ray", "9a3f01c2d4e5b678-VIE"),
    ("server", "cloudflare"),
];

const GEMINI_HEADERS: &[(&str, &str)] = &[
    ("vary", "Origin, X-Origin, Referer"),
    ("server", "scaffolding on HTTPServer2"),
    ("x-xss-protection", "0"),
    ("x-frame-options", "SAMEORIGIN"),
    ("x-content-type-options", "nosniff"),
    ("server-timing", "gfet4t7; dur=412"),
    ("alt-svc", "h3=\":443\"; ma=2592000,h3-29=\":443\"; ma=2592000"),
];

const BEDROCK_HEADERS: &[(&str, &str)] = &[("x-amzn-requestid", "7f6c2a1e-52c3-4c1e-9d0b-8f1f0f6a2f11")];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ostia_dialect::frame::{Framer, Framing};
    use serde_json::Value;

    /// Every event but the end mark is JSON, and they tell the mark of the chunk and what was used.
    fn check_events(grammar: &Grammar) {
        let (before, after) = grammar.chunk;
        let chunk = format!("{before}@0:1@{after}");
        let (framing, chunk) = match grammar.event_stream {
            Some(kind) => (Framing::AwsEventStream, event(kind, chunk.as_bytes())),
            None => (Framing::Sse, chunk.into()),
        };
        let mut framer = Framer::new(framing);
        framer.push(&[&grammar.opening[..], &chunk, &grammar.closing].concat());
        let mut text = String::new();
        while let Some(frame) = framer.next().unwrap() {
            assert!(
                frame.data == b"[DONE]" || serde_json::from_slice::<Value>(frame.data).is_ok(),
                "{frame:?}"
            );
            text.push_str(std::str::from_utf8(frame.data).unwrap());
        }
        assert_eq!(framer.finish().unwrap(), None);
        assert!(text.contains("@0:1@"), "{text}");
        assert!(text.contains(&PROMPT_TOKENS.to_string()) && text.contains(&COMPLETION_TOKENS.to_string()));
        let unary: Value = serde_json::from_slice(&grammar.unary).unwrap();
        assert!(unary.to_string().contains(TEXT_END));
    }

    #[test]
    fn every_event_is_json() {
        check_events(&openai());
        check_events(&anthropic());
        check_events(&gemini());
        check_events(&bedrock());
    }

    #[test]
    fn an_embedding_has_its_dimensions() {
        let read: Value = serde_json::from_slice(&embedding()).unwrap();
        assert_eq!(read["data"][0]["embedding"].as_array().unwrap().len(), DIMENSIONS);
        assert_eq!(read["usage"]["prompt_tokens"], PROMPT_TOKENS);
        assert_eq!(read["data"][0]["embedding"][DIMENSIONS - 1], EMBEDDING_END.parse::<f64>().unwrap());
    }
}
