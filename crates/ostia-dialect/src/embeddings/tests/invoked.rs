//! Embeddings of Bedrock's models, over InvokeModel, and lists that are longer than a call may be.

use super::*;
use crate::api::{Asked, Came};

/// Reads a client's request that the dialect cannot say and compares the words.
#[track_caller]
fn is_refused(dialect: Dialect, client: Value, words: &str) {
    let fault = encode(dialect, &request(client)).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")));
    assert!(fault.message.contains(words), "{fault}");
}

#[test]
fn titan_texts() {
    let v2 = "amazon.titan-embed-text-v2:0";
    let (text, v1) = (Dialect::TitanText, "amazon.titan-embed-text-v1");
    check(text, json!({"model": v2, "input": "a"}), json!({"inputText": "a"}), &[]);
    check(text, json!({"model": v2, "input": ["a"]}), json!({"inputText": "a"}), &[]);
    check(
        text,
        json!({"model": v2, "input": "a", "dimensions": 256, "normalize": false, "encoding_format": "base64"}),
        json!({"inputText": "a", "dimensions": 256, "normalize": false}),
        &[],
    );
    // The first version refuses every other field ("extraneous key [dimensions] is not permitted").
    let all = json!({"model": v1, "input": "a", "dimensions": 256, "normalize": false, "user": "u", "input_type": "query"});
    check(text, all, json!({"inputText": "a"}), &["user", "input_type", "normalize", "dimensions"]);
    is_refused(text, json!({"model": v2, "input": ["a", "b"]}), "one input");
    is_refused(text, json!({"model": v2, "input": [1, 2]}), "token numbers");
    is_refused(text, json!({"model": v2, "input": [{"image": {"base64": "AAAA"}}]}), "no images");
    let answer = r#"{"embedding":[0.10,-2],"inputTextTokenCount":3,"embeddingsByType":{"float":[0.10,-2]}}"#;
    answers(
        text,
        json!({"model": v2, "input": "a"}),
        answer,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-2]}],"model":"amazon.titan-embed-text-v2:0","usage":{"prompt_tokens":3,"total_tokens":3}}"#,
    );
}

#[test]
fn titan_images() {
    let (dialect, model) = (Dialect::TitanImage, "amazon.titan-embed-image-v1");
    check(
        dialect,
        json!({"model": model, "input": [{"text": "a", "image": {"base64": "iVBORw0KGgo="}}], "dimensions": 384}),
        json!({"inputText": "a", "inputImage": "iVBORw0KGgo=", "embeddingConfig": {"outputEmbeddingLength": 384}}),
        &[],
    );
    check(dialect, json!({"model": model, "input": "a"}), json!({"inputText": "a"}), &[]);
    let at = json!({"model": model, "input": [{"image": {"url": "https://example.com/a.png"}}]});
    is_refused(dialect, at, "no address");
}

#[test]
fn nova() {
    let (dialect, model) = (Dialect::Nova, "amazon.nova-2-multimodal-embeddings-v1:0");
    let sent = |purpose: &str, content: Value| {
        let mut fields = json!({"embeddingPurpose": purpose});
        fields.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        json!({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": fields})
    };
    let text = json!({"text": {"truncationMode": "END", "value": "a"}});
    check(dialect, json!({"model": model, "input": "a"}), sent("GENERIC_INDEX", text.clone()), &[]);
    check(
        dialect,
        json!({"model": model, "input": "a", "input_type": "query"}),
        sent("GENERIC_RETRIEVAL", text),
        &[],
    );
    check(
        dialect,
        json!({"model": model, "input": "a", "input_type": "VIDEO_RETRIEVAL", "truncate": "NONE", "dimensions": 256, "user": "u"}),
        sent(
            "VIDEO_RETRIEVAL",
            json!({"embeddingDimension": 256, "text": {"truncationMode": "NONE", "value": "a"}}),
        ),
        &["user"],
    );
    check(
        dialect,
        json!({"model": model, "input": [{"image": {"url": PNG}}]}),
        sent("GENERIC_INDEX", json!({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}})),
        &[],
    );
    is_refused(
        dialect,
        json!({"model": model, "input": [{"text": "a", "image": {"url": PNG}}]}),
        "one text or one image",
    );
    let response =
        decode(dialect, br#"{"embeddings":[{"embeddingType":"TEXT","embedding":[0.5]}]}"#).unwrap();
    assert_eq!((response.vectors.len(), response.usage), (1, None));
}

#[test]
fn cohere_over_invoke_model() {
    let (dialect, v3, v4) = (Dialect::CohereInvoke, "cohere.embed-english-v3", "us.cohere.embed-v4:0");
    check(
        dialect,
        json!({"model": v3, "input": ["a", "b"], "dimensions": 256, "truncate": "END", "max_tokens": 5}),
        json!({"texts": ["a", "b"], "input_type": "search_document", "truncate": "END"}),
        &["max_tokens", "dimensions"],
    );
    check(
        dialect,
        json!({"model": v4, "input": "a", "input_type": "query", "dimensions": 256, "truncate": "END", "max_tokens": 5}),
        json!({"texts": ["a"], "input_type": "search_query", "output_dimension": 256, "truncate": "RIGHT", "max_tokens": 5}),
        &[],
    );
    let image = json!([{"image": {"url": PNG}}]);
    check(
        dialect,
        json!({"model": v3, "input": image}),
        json!({"images": [PNG], "input_type": "image"}),
        &[],
    );
    let mixed = json!([{"text": "a", "image": {"url": PNG}}]);
    let content = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": PNG}]);
    check(
        dialect,
        json!({"model": v4, "input": mixed}),
        json!({"inputs": [{"content": content}], "input_type": "search_document"}),
        &[],
    );
    let response = decode(
        dialect,
        br#"{"id":"1","embeddings":[[1],[2]],"texts":["a","b"],"response_type":"embeddings_floats"}"#,
    );
    assert_eq!(response.unwrap().vectors.len(), 2);
}

/// How a list of so many texts is asked for, and what comes of answers of one vector for each text.
fn in_parts(
    model: &str,
    upstream: Api,
    inputs: usize,
    inputs_max: Option<usize>,
) -> Result<(Vec<usize>, Value), Fault> {
    let texts: Vec<String> = (0..inputs).map(|at| at.to_string()).collect();
    let body = json!({"model": model, "input": texts}).to_string();
    let asked =
        Asked { api: Api::OpenaiEmbeddings, path_model: "", model: None, body: body.as_bytes(), inputs_max };
    let translated = (TRANSLATOR.translate)(asked, upstream)?;
    assert_eq!(translated.api, upstream);
    let bodies: Vec<Value> = std::iter::once(&translated.body)
        .chain(&translated.more)
        .map(|body| serde_json::from_slice(body).unwrap())
        .collect();
    let texts = |body: &Value| match &body["inputText"] {
        Value::Null => body["texts"].as_array().or(body["input"].as_array()).cloned().unwrap_or_default(),
        text => vec![text.clone()],
    };
    let numbers = |body: &Value| {
        texts(body)
            .iter()
            .map(|text| vec![text.as_str().unwrap().parse::<u64>().unwrap()])
            .collect::<Vec<_>>()
    };
    let answers: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| match upstream {
            Api::TitanTextEmbed => json!({"embedding": numbers(body)[0], "inputTextTokenCount": 2}),
            Api::OpenaiEmbeddings => json!({"data": numbers(body).iter().map(|vector| json!({"embedding": vector})).collect::<Vec<_>>()}),
            _ => json!({"embeddings": numbers(body)}),
        })
        .map(|answer| answer.to_string().into_bytes())
        .collect();
    let came: Vec<Came<'_>> = answers.iter().map(|body| Came { body, input_tokens: Some(3) }).collect();
    let answer = translated.reader.read_all(&came).1?;
    Ok((bodies.iter().map(|body| texts(body).len()).collect(), serde_json::from_slice(&answer).unwrap()))
}

#[test]
fn a_long_list_is_several_calls() {
    let check = |model: &str, api: Api, inputs: usize, most: Option<usize>, calls: &[usize], tokens: u64| {
        let (sizes, answer) = in_parts(model, api, inputs, most).unwrap();
        assert_eq!(sizes, calls, "{model}");
        let data = answer["data"].as_array().unwrap();
        assert_eq!(data.len(), inputs);
        assert!(
            data.iter()
                .enumerate()
                .all(|(at, entry)| entry["index"] == at && entry["embedding"] == json!([at]))
        );
        assert_eq!(answer["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}), "{model}");
    };
    // What the body tells counts before the header.
    check("amazon.titan-embed-text-v2:0", Api::TitanTextEmbed, 3, None, &[1, 1, 1], 6);
    check("cohere.embed-english-v3", Api::CohereInvokeEmbed, 96, None, &[96], 3);
    check("cohere.embed-english-v3", Api::CohereInvokeEmbed, 200, None, &[96, 96, 8], 9);
    check("m", Api::OpenaiEmbeddings, 5, Some(2), &[2, 2, 1], 9);
    check("m", Api::OpenaiEmbeddings, 2, Some(2), &[2], 3);
    // A provider may take less than its dialect.
    check("cohere.embed-english-v3", Api::CohereInvokeEmbed, 20, Some(10), &[10, 10], 6);
    let fault = in_parts("amazon.titan-embed-text-v2:0", Api::TitanTextEmbed, 2049, None).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")));
}
