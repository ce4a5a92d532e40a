//! What a client of this format says comes out as it went in, but for the ways to say the same.

use crate::chat::openai_chat::request::encode;
use crate::test_support::decoded;
use crate::{ClientDialect, EncodeOptions, Fault, Request};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::OpenaiChat, body)
}

/// Top-level fields.
const FIELDS: &[&str] = &[
    r#""max_completion_tokens":9,"temperature":0.50,"top_p":1,"stop":["a","b"],"seed":-3,"n":2"#,
    r#""presence_penalty":0,"frequency_penalty":1e-1,"logit_bias":{"12":-100}"#,
    r#""max_tokens":9,"stop":"a""#,
    r#""logprobs":true"#,
    r#""logprobs":true,"top_logprobs":3"#,
    r#""reasoning_effort":"minimal""#,
    r#""reasoning_effort":"none""#,
    r#""web_search_options":{}"#,
    r#""web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Rome"}}}"#,
    r#""user":"u","service_tier":"flex","parallel_tool_calls":null"#,
    r#""stream":true,"stream_options":{"include_usage":true}"#,
    r#""stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}"#,
    r#""response_format":{"type":"text"}"#,
    r#""response_format":{"type":"json_object"}"#,
    r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"b":{},"a":{}}}}}"#,
    r#""response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{},"strict":false}}"#,
    r#""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","parallel_tool_calls":false"#,
    r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}}],"tool_choice":"required""#,
    r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g","format":{"type":"text"}}}],"tool_choice":{"type":"custom","custom":{"name":"g"}}"#,
    r#""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}"#,
    r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"custom","custom":{"name":"g"}},{"type":"function","function":{"name":"f"}}]}}"#,
    r#""tools":[{"type":"browser","browser":{"x":1}}],"tool_choice":"none""#,
    r#""functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}"#,
    r#""metadata":{"a":"b"},"store":true,"modalities":["text","audio"],"audio":{"voice":"v","format":"wav"}"#,
    r#""prediction":{"type":"content","content":"x"},"verbosity":"low","prompt_cache_key":"k","prompt_cache_retention":"24h","safety_identifier":"s""#,
];

/// Turns.
const MESSAGES: &[&str] = &[
    r#"{"role":"system","content":"s","name":"op"},{"role":"developer","content":"d"},{"role":"user","content":"q","name":"u"}"#,
    r#"{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":""}"#,
    r#"{"role":"user","content":[{"type":"text","text":"a"}]}"#,
    r#"{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"https://x.test/a.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/webp;base64,AAAA"}}]}"#,
    r#"{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"flac"}}]}"#,
    r#"{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"file","file":{"file_id":"f"}},{"type":"file","file":{"file_id":"f","filename":"a.png"}}]}"#,
    r#"{"role":"user","content":[{"type":"file","file":{"filename":"a.mp4","file_data":"data:video/mp4;base64,AAAA"}}]}"#,
    r#"{"role":"user","content":"q"},{"role":"assistant","content":"a","name":"bot"},{"role":"user","content":"q"}"#,
    r#"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
    r#"{"role":"assistant","content":"a","refusal":"no"},{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]}"#,
    r#"{"role":"assistant","content":"w","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"d","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"},{"role":"tool","tool_call_id":"d","name":"f","content":[{"type":"text","text":"2"}]}"#,
    r#"{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"g","input":"free\n\"text\""}}]},{"role":"tool","tool_call_id":"c","content":""}"#,
    r#"{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}"#,
    r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}"#,
];

/// The thoughts of earlier turns, for those who want them again.
const THOUGHTS: &[&str] = &[
    r#"{"role":"assistant","content":"a","reasoning_content":"r"}"#,
    r#"{"role":"assistant","content":null,"reasoning":"r","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
];

#[track_caller]
fn check(messages: &str, fields: &str, options: &EncodeOptions) {
    let comma = if fields.is_empty() { "" } else { "," };
    let asked =
        decode(format!(r#"{{"model":"m","messages":[{messages}]{comma}{fields}}}"#).as_bytes()).unwrap();
    let encoded = encode(&asked, options).unwrap();
    assert_eq!(encoded.dropped, Vec::<String>::new(), "{messages} {fields}");
    assert_eq!(decode(&encoded.body).unwrap(), asked, "{messages} {fields}");
}

#[test]
fn what_goes_in_comes_out() {
    for fields in FIELDS {
        check(r#"{"role":"user","content":"q"}"#, fields, &EncodeOptions::default());
    }
    for messages in MESSAGES {
        check(messages, "", &EncodeOptions::default());
    }
    let field = |name: &str| EncodeOptions { reasoning_field: Some(name.into()), ..EncodeOptions::default() };
    let parts = EncodeOptions { reasoning_parts: true, ..EncodeOptions::default() };
    for messages in THOUGHTS {
        for options in [field("reasoning_content"), field("reasoning"), parts.clone()] {
            check(messages, "", &options);
        }
    }
    check(
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"a"}]}"#,
        "",
        &parts,
    );
}
