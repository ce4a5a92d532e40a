//! Whatever the hub holds, what Bedrock is told keeps the rules of Bedrock and of the model: a server that knows them takes it.
//! That nothing is lost on the way without a word is held by the encoder's own tests.

use ostia_dialect::{Dialect, EncodeOptions, Request};
use ostia_testkit::strict::Vendor;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::{conversations, holds};

const MODELS: [&str; 12] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-opus-4-6-v1",
    "eu.anthropic.claude-opus-4-8-v1",
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "mistral.mistral-7b-instruct-v0:2",
    "amazon.titan-text-express-v1",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
];
const PROOF: &str = "proof";

#[test]
fn what_bedrock_is_told_keeps_its_rules() {
    let values = (conversations::request(Dialect::BedrockConverse), select(MODELS.to_vec()));
    holds(&values, |(request, model)| check(Request { model: model.to_owned(), ..request }));
}

fn check(mut request: Request) -> Result<(), TestCaseError> {
    let model = request.model.clone();
    // What the model takes none of is refused with the reason.
    let Ok(encoded) = Dialect::BedrockConverse.encode(&mut request, &EncodeOptions::default()) else {
        return Ok(());
    };
    let mut body: Value = serde_json::from_slice(&encoded.body).unwrap();
    own_proofs(&mut body);
    let outcome = Vendor::Bedrock.check_body(&model, &body, PROOF);
    prop_assert!(outcome.is_ok(), "{model}: {outcome:?}\n{body}");
    Ok(())
}

/// Proofs are made up, and the server knows one alone.
fn own_proofs(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match name.as_str() {
            "signature" => *value = PROOF.into(),
            _ => own_proofs(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(own_proofs),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
