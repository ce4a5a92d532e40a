#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::json::Document;

#[test]
fn every_row_is_found() {
    for api in Offer::ALL {
        assert_eq!(Offer::from_name(api.name()), Some(api), "the name stands in two rows");
        assert!(!api.name().is_empty() && !api.word().is_empty(), "{api:?}");
        match (api.is_understood(), api.gateway_path(), api.path()) {
            (true, Some(path), _) => assert_eq!(Offer::at(path), Some(api), "{path}"),
            (true, None, Path::OfModel { verb, stream_verb }) => {
                assert_eq!(Offer::of_verb(verb), Some((api, false)), "{verb}");
                assert!(stream_verb.is_none_or(|verb| Offer::of_verb(verb) == Some((api, true))), "{api:?}");
            }
            (true, None, Path::Fixed(_)) => panic!("{api:?}: understood, and nowhere to be found"),
            (false, Some(path), _) => assert_eq!(Offer::at(path), None, "{path}"),
            (false, None, _) => {}
        }
    }
    for dialect in Dialect::ALL {
        assert_eq!(Offer::of_dialect(dialect).dialect(), Some(dialect));
    }
    for dialect in embeddings::Dialect::ALL {
        assert_eq!(Offer::of_embeddings(dialect).operation(), Operation::Embeddings(dialect));
    }
}

#[test]
fn what_answers() {
    let check = |offer: Offer, text: &str, expected: bool| {
        // The fields of the top are enough.
        let document = Document::parse_to(text.as_bytes(), 1).unwrap();
        assert_eq!(offer.is_answered_by(document.root()), expected, "{} by {text}", offer.name());
    };
    check(Offer::OpenaiChat, r#"{"id":"1","choices":[{}]}"#, true);
    check(Offer::OpenaiChat, r#"{"choices":[]}"#, false);
    check(Offer::AnthropicMessages, r#"{"content":[]}"#, true);
    check(Offer::OpenaiChat, r#"{"choices":[ ],"error":{"message":"x"}}"#, false);
    check(Offer::OpenaiChat, r#"{"choices":[{}],"error":{"message":"x"}}"#, true);
    check(Offer::OpenaiChat, r#"{"choices":null}"#, false);
    check(Offer::OpenaiChat, r#"{"choices":"x"}"#, false);
    check(Offer::OpenaiChat, r#"[{"choices":[{}]}]"#, false);
    check(
        Offer::OpenaiResponses,
        r#"{"object":"response","status":"failed","error":{"message":"x"},"output":[]}"#,
        false,
    );
    check(Offer::OpenaiResponses, r#"{"status":"incomplete","error":null,"output":[]}"#, true);
    check(Offer::GeminiGenerate, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, true);
    check(Offer::GeminiGenerate, r#"{"error":{"code":500}}"#, false);
    check(Offer::CohereChat, r#"{"message":"no such model"}"#, false);
    check(Offer::OpenaiFiles, r#"{"anything":1}"#, true);
    check(Offer::OpenaiFiles, "null", false);
}
