#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Dialect, EncodeOptions};
use crate::json::Document;
use crate::test_support::decoded;
use crate::{ClientDialect, Fault, Request};

fn decode(body: impl AsRef<[u8]>) -> Result<Request, Fault> {
    decoded(ClientDialect::OpenaiChat, body)
}

/// Dialects that requests are translated to, and the letter of each in the table.
const UPSTREAMS: [(char, Dialect); 6] = [
    ('a', Dialect::AnthropicMessages),
    ('g', Dialect::GeminiGenerate),
    ('c', Dialect::CohereChat),
    ('b', Dialect::BedrockConverse),
    ('o', Dialect::OpenaiChat),
    ('l', Dialect::OllamaChat),
];

/// A field of the client, and the dialects whose body changes with it. All others have to report it as dropped.
const FIELDS: &[(&str, &str)] = &[
    (r#""max_tokens":9"#, "agcobl"),
    (r#""temperature":0.5"#, "agcobl"),
    (r#""top_p":0.5"#, "agcobl"),
    (r#""top_k":4"#, "agcbl"),
    (r#""stop":["x"]"#, "agcobl"),
    (r#""seed":4"#, "gcol"),
    (r#""presence_penalty":0.5"#, "gcol"),
    (r#""frequency_penalty":0.5"#, "gcol"),
    (r#""n":2"#, "go"),
    (r#""logprobs":true"#, "gcol"),
    (r#""logit_bias":{"1":2}"#, "o"),
    (r#""user":"u""#, "ao"),
    (r#""service_tier":"flex""#, "gob"),
    (r#""response_format":{"type":"json_object"}"#, "gcol"),
    (
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}"#,
        "agcobl",
    ),
    (
        r#""tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]"#,
        "agcobl",
    ),
    (r#""reasoning_effort":"low""#, "agobl"),
    (r#""reasoning":{"max_tokens":2000}"#, "agcobl"),
    (r#""thinking":{"type":"enabled","budget_tokens":2000}"#, "agcobl"),
    (r#""web_search_options":{}"#, "ago"),
    (r#""cache_control":{"type":"ephemeral"}"#, "ab"),
    (r#""metadata":{"a":"b"}"#, "ob"),
    (r#""store":true"#, "o"),
    (r#""verbosity":"low""#, "o"),
    (r#""prediction":{"type":"content","content":"x"}"#, "o"),
    (r#""modalities":["text"]"#, "go"),
    (r#""safety_identifier":"s""#, "o"),
    (r#""prompt_cache_key":"k""#, "o"),
    (r#""stream_options":{"include_obfuscation":false}"#, ""),
    (r#""of_tomorrow":1"#, ""),
];

/// A tool that vendors of the client's dialect run, and nobody else: without it the answer would be another one.
const HOSTED: &str = r#""tools":[{"type":"browser"}]"#;

fn encode(dialect: Dialect, fields: &str) -> Result<(String, Vec<String>), Fault> {
    let comma = if fields.is_empty() { "" } else { "," };
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"q"}}]{comma}{fields}}}"#);
    let encoded = dialect.encode(&mut decode(body.as_bytes()).unwrap(), &EncodeOptions::default())?;
    Ok((String::from_utf8(encoded.body).unwrap(), encoded.dropped))
}

#[test]
fn every_field_is_said_or_reported() {
    for (field, carried) in FIELDS {
        let name = field.split('"').nth(1).unwrap();
        for (letter, dialect) in UPSTREAMS {
            let (plain, _) = encode(dialect, "").unwrap();
            let (body, dropped) = encode(dialect, field).unwrap();
            assert_eq!(body != plain, carried.contains(letter), "{field} to {}", dialect.name());
            let reported = dropped.iter().any(|path| path.starts_with(name));
            assert_eq!(reported, !carried.contains(letter), "{field} to {}: {dropped:?}", dialect.name());
        }
    }
}

#[test]
fn a_tool_that_only_another_vendor_runs_is_refused() {
    for (letter, dialect) in UPSTREAMS {
        match encode(dialect, HOSTED) {
            Ok((body, dropped)) => assert!(letter == 'o' && body.contains("browser") && dropped.is_empty()),
            Err(fault) => assert_eq!((letter == 'o', fault.param.as_deref()), (false, Some("tools[0]"))),
        }
    }
}

/// Requests as rich as clients make them: every kind of turn, part, tool and option.
const RICH: &[&str] = &[
    r#"[{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},{"role":"user","content":"q","name":"u"}]"#,
    r#"[{"role":"user","content":[{"type":"text","text":"t","cache_control":{"type":"ephemeral"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]}]"#,
    r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]}]"#,
    r#"[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]"#,
    r#"[{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"a.pdf"}},{"type":"file","file":{"file_id":"f"}}]}]"#,
    r#"[{"role":"user","content":[{"type":"document","source":{"type":"text","data":"d"}},{"fileData":{"fileUri":"gs://x"}}]}]"#,
    r#"[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_content":"r","refusal":"no"},{"role":"user","content":"q"}]"#,
    r#"[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"d","type":"function","function":{"name":"f","arguments":"{\"x"}}]},{"role":"tool","tool_call_id":"c","content":"1"},{"role":"tool","tool_call_id":"d","content":[{"type":"text","text":"2"}]}]"#,
    r#"[{"role":"user","content":"q"},{"role":"assistant","function_call":{"name":"f","arguments":""}},{"role":"function","name":"f","content":"1"}]"#,
    r#"[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"g","input":"free"}}]},{"role":"tool","tool_call_id":"c","content":null}]"#,
    r#"[{"role":"user","content":"q"},{"role":"assistant","content":"x","content_blocks":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"x"}]}]"#,
    r#"[{"role":"tool","tool_call_id":"lost","content":"1"}]"#,
    r#"[{"role":"system","content":"only"}]"#,
    r#"[{"role":"assistant","content":""},{"role":"assistant"},{"role":"user","content":[]}]"#,
    r#"[{"role":"user","content":""},{"role":"user","content":"b"},{"role":"system","content":"late"}]"#,
];

#[test]
fn rich_requests_are_said_or_refused_with_a_reason() {
    let options: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    for messages in RICH {
        for model in ["claude-sonnet-4-5", "gemini-2.5-pro", "gemini-3-pro", "command-a-03-2025", "m"] {
            for option in [&["\"stream\":true", HOSTED], options.as_slice()].concat() {
                let body = format!(r#"{{"model":"{model}","messages":{messages},{option}}}"#);
                let request = decode(body.as_bytes()).unwrap();
                for (_, dialect) in UPSTREAMS {
                    match dialect.encode(&mut request.clone(), &EncodeOptions::default()) {
                        Ok(encoded) => assert!(Document::parse(&encoded.body).is_ok(), "{body}"),
                        Err(fault) => {
                            assert!(fault.status == 400 && !fault.message.is_empty(), "{body}: {fault}")
                        }
                    }
                }
            }
        }
    }
}
