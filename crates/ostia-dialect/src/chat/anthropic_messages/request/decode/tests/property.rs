use proptest::prelude::*;

use super::decode;
use crate::{Dialect, EncodeOptions};

const REQUEST: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":4000,"system":[{"type":"text","text":"s"}],"thinking":{"type":"enabled","budget_tokens":2000},"tools":[{"name":"look","input_schema":{"type":"object"},"odd":1},{"type":"web_search_20250305","name":"web_search","max_uses":1}],"tool_choice":{"type":"tool","name":"look"},"messages":[{"role":"user","content":[{"type":"text","text":"q"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"document","context":"c","source":{"type":"text","media_type":"text/plain","data":"d"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"ostia1.own.gemini_generate.MQ"},{"type":"redacted_thinking","data":"ostia1.next.gemini_generate.MQ"},{"type":"tool_use","id":"a","name":"look","input":{"x":1}},{"type":"text","text":"![image](data:image/png;base64,AAAA)"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"}]}]}]}"#;

proptest! {
    #[test]
    fn no_body_panics(at in 0..REQUEST.len(), bytes in prop::collection::vec(any::<u8>(), 0..4), cut in 0..8_usize) {
        let mut body = REQUEST.as_bytes().to_vec();
        let end = (at + cut).min(body.len());
        body.splice(at..end, bytes);
        if let Ok(request) = decode(&body) {
            for upstream in [Dialect::AnthropicMessages, Dialect::GeminiGenerate, Dialect::CohereChat] {
                let _ = upstream.encode(&mut request.clone(), &EncodeOptions::default());
            }
        }
    }
}
