#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::json::Document;

#[test]
fn every_row_is_found() {
    for api in Api::ALL {
        assert_eq!(Api::from_name(api.name()), Some(api), "the name stands in two rows");
        assert!(!api.name().is_empty() && !api.word().is_empty(), "{api:?}");
        match (api.is_understood(), api.gateway_path(), api.path()) {
            (true, Some(path), _) => assert_eq!(Api::at(path), Some(api), "{path}"),
            (true, None, Path::OfModel { verb, stream_verb }) => {
                assert_eq!(Api::of_verb(verb), Some((api, false)), "{verb}");
                assert!(stream_verb.is_none_or(|verb| Api::of_verb(verb) == Some((api, true))), "{api:?}");
            }
            (true, None, Path::Fixed(path)) => assert_eq!(Api::at_own(path), Some(api), "{path}"),
            (true, None, Path::WithModel { .. } | Path::WithModelPath(_)) => {
                panic!("{api:?}: understood, and nowhere to be found")
            }
            (false, Some(path), _) => assert_eq!(Api::at(path), None, "{path}"),
            (false, None, _) => {}
        }
    }
    for dialect in Dialect::ALL {
        assert_eq!(Api::of_dialect(dialect).dialect(), Some(dialect));
    }
    for dialect in embeddings::Dialect::ALL {
        assert_eq!(Api::of_embeddings(dialect).operation(), Operation::Embeddings(dialect));
    }
}

#[test]
fn what_answers() {
    let check = |api: Api, text: &str, expected: bool| {
        // The fields of the top are enough.
        let document = Document::parse_to(text.as_bytes(), 1).unwrap();
        assert_eq!(api.is_answered_by(document.root()), expected, "{} by {text}", api.name());
    };
    check(Api::OpenaiChat, r#"{"id":"1","choices":[{}]}"#, true);
    check(Api::OpenaiChat, r#"{"choices":[]}"#, false);
    check(Api::AnthropicMessages, r#"{"content":[]}"#, true);
    check(Api::OpenaiChat, r#"{"choices":[ ],"error":{"message":"x"}}"#, false);
    check(Api::OpenaiChat, r#"{"choices":[{}],"error":{"message":"x"}}"#, true);
    check(Api::OpenaiChat, r#"{"choices":null}"#, false);
    check(Api::OpenaiChat, r#"{"choices":"x"}"#, false);
    check(Api::OpenaiChat, r#"[{"choices":[{}]}]"#, false);
    check(
        Api::OpenaiResponses,
        r#"{"object":"response","status":"failed","error":{"message":"x"},"output":[]}"#,
        false,
    );
    check(Api::OpenaiResponses, r#"{"status":"incomplete","error":null,"output":[]}"#, true);
    check(Api::GeminiGenerate, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, true);
    check(Api::GeminiGenerate, r#"{"error":{"code":500}}"#, false);
    check(Api::CohereChat, r#"{"message":"no such model"}"#, false);
    check(Api::OllamaChat, r#"{"error":"no such model"}"#, false);
    check(Api::OllamaChat, r#"{"message":{"role":"assistant","content":""},"done":true}"#, true);
    check(Api::OpenaiFiles, r#"{"anything":1}"#, true);
    check(Api::OpenaiFiles, "null", false);
}
