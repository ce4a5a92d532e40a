#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{Asked, Came, Path};
use crate::test_support::raw;
use crate::{Api, Meter, Metered};

mod invoked;

fn request(body: Value) -> Request {
    openai::decode_request(body.to_string().as_bytes()).unwrap()
}

/// Reads a client's request and compares what the upstream gets.
#[track_caller]
fn check(dialect: Dialect, client: Value, upstream: Value, dropped: &[&str]) {
    let encoded = encode(dialect, &request(client)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&encoded.body).unwrap(), upstream);
    assert_eq!(encoded.dropped, dropped);
}

/// Reads a client's request that cannot be served and compares what is blamed.
#[track_caller]
fn refuses(client: &str, param: &str) {
    let fault = openai::decode_request(client.as_bytes()).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref().unwrap_or("")), (400, param), "{fault}");
}

/// Reads an upstream's answer to a client's request and compares what the client gets, to the digit.
#[track_caller]
fn answers(dialect: Dialect, client: Value, upstream: &str, expected: &str) {
    let response = decode(dialect, upstream.as_bytes()).unwrap();
    let body = openai::encode_response(&request(client), &response).unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

/// Google's method for a request, as it stands in the path.
fn method(request: &Request) -> &'static str {
    match Api::of_embeddings(Dialect::Gemini.of_request(request)).path() {
        Path::OfModel { verb, .. } => verb,
        Path::Fixed(path) | Path::WithModelPath(path) | Path::WithModel { path, .. } => panic!("{path}"),
    }
}

const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

#[test]
fn clients_requests() {
    let text = |text: &str| Input::Text(text.into());
    assert_eq!(
        request(json!({"model": "m", "input": "a", "encoding_format": null})),
        Request { model: "m".into(), input: vec![text("a")], ..Request::default() }
    );
    let all = json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64", "user": "u",
        "input_type": "query", "truncate": "END", "output_dtype": "int8"});
    assert_eq!(
        request(all),
        Request {
            model: "m".into(),
            input: vec![text("a"), text("b")],
            is_list: true,
            dimensions: Some(8),
            encoding_format: EncodingFormat::Base64,
            output_dtype: Some(Dtype::Int8),
            user: Some("u".into()),
            input_type: Some("query".into()),
            truncate: Some("END".into()),
            extra: vec![],
            spelled: vec![],
        }
    );
    let tokens = |list: Value| Input::Tokens(raw(list));
    let one = request(json!({"model": "m", "input": [1, 2]}));
    assert_eq!((one.input, one.is_list), (vec![tokens(json!([1, 2]))], false));
    let two = request(json!({"model": "m", "input": [[1, 2], [3]]}));
    assert_eq!((two.input, two.is_list), (vec![tokens(json!([1, 2])), tokens(json!([3]))], true));
    let image = |url: &str| Part::Image(url.into());
    let mixed = json!({"model": "m", "input": [
        {"text": "t", "image": {"base64": "iVBORw0KGgo="}},
        {"image": {"url": "https://i.example"}},
        {"content": [{"type": "text", "text": "t"}, {"type": "image_url", "image_url": {"url": PNG}}]}]});
    assert_eq!(
        request(mixed).input,
        [
            Input::Parts(vec![Part::Text("t".into()), image(PNG)]),
            Input::Parts(vec![image("https://i.example")]),
            Input::Parts(vec![Part::Text("t".into()), image(PNG)]),
        ]
    );
}

#[test]
fn faults_name_the_field() {
    refuses(r#"{"input": "a"}"#, "model");
    refuses(r#"{"model": "m"}"#, "input");
    refuses(r#"{"model": "m", "input": []}"#, "input");
    refuses(r#"{"model": "m", "input": ""}"#, "input");
    refuses(r#"{"model": "m", "input": ["a", ""]}"#, "input[1]");
    refuses(r#"{"model": "m", "input": ["a", 3]}"#, "input[1]");
    refuses(r#"{"model": "m", "input": [1, "a"]}"#, "input[1]");
    refuses(r#"{"model": "m", "input": [[]]}"#, "input[0]");
    refuses(r#"{"model": "m", "input": [{}]}"#, "input[0]");
    refuses(r#"{"model": "m", "input": true}"#, "input");
    refuses(r#"{"model": "m", "input": "a", "dimensions": "8"}"#, "dimensions");
    refuses(r#"{"model": "m", "input": "a", "encoding_format": "hex"}"#, "encoding_format");
    refuses(r#"{"model": "m", "input": "a", "output_dtype": "int4"}"#, "output_dtype");
    refuses(r#"{"model": "m", "input": "a", "truncation": "yes"}"#, "truncation");
    refuses(r#"{"model": "m", "input": "a""#, "");
}

#[test]
fn gemini_requests() {
    let one = json!({"model": "g", "input": "a", "dimensions": 8, "input_type": "search_query"});
    assert_eq!(method(&request(one.clone())), "embedContent");
    check(
        Dialect::Gemini,
        one,
        json!({"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"}),
        &[],
    );
    let list = json!({"model": "g", "input": ["a", {"text": "b", "image": PNG}], "title": "T", "user": "u",
        "input_type": "CODE_RETRIEVAL_QUERY", "truncate": "END", "output_dtype": "int8"});
    assert_eq!(method(&request(list.clone())), "batchEmbedContents");
    let rest = |parts: Value| json!({"model": "models/g", "content": {"parts": parts}, "taskType": "CODE_RETRIEVAL_QUERY", "title": "T"});
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}});
    check(
        Dialect::Gemini,
        list,
        json!({"requests": [rest(json!([{"text": "a"}])), rest(json!([{"text": "b"}, image]))]}),
        &["user", "truncate", "output_dtype"],
    );
    let single = request(json!({"model": "models/g", "input": ["a"]}));
    assert_eq!(method(&single), "batchEmbedContents");
    check(
        Dialect::Gemini,
        json!({"model": "models/g", "input": [{"image": "gs://b/i.png"}]}),
        json!({"requests": [{"model": "models/g", "content": {"parts": [{"fileData": {"fileUri": "gs://b/i.png"}}]}}]}),
        &[],
    );
}

#[test]
fn cohere_requests() {
    check(
        Dialect::Cohere,
        json!({"model": "c", "input": "a"}),
        json!({"model": "c", "texts": ["a"], "input_type": "search_document", "embedding_types": ["float"]}),
        &[],
    );
    check(
        Dialect::Cohere,
        json!({"model": "c", "input": ["a", {"text": "b"}], "encoding_format": "base64", "dimensions": 256,
            "truncate": "START", "taskType": "RETRIEVAL_QUERY", "max_tokens": 9, "user": "u", "x": 1}),
        json!({"model": "c", "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["base64"],
            "output_dimension": 256, "truncate": "START", "max_tokens": 9}),
        &["user", "x"],
    );
    check(
        Dialect::Cohere,
        json!({"model": "c", "input": [{"image": PNG}]}),
        json!({"model": "c", "images": [PNG], "input_type": "image", "embedding_types": ["float"]}),
        &[],
    );
    check(
        Dialect::Cohere,
        json!({"model": "c", "input": ["a", {"text": "b", "image": PNG}], "input_type": "clustering"}),
        json!({"model": "c", "input_type": "clustering", "embedding_types": ["float"], "inputs": [
            {"content": [{"type": "text", "text": "a"}]},
            {"content": [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": PNG}}]}]}),
        &[],
    );
}

#[test]
fn openai_requests_come_out_as_they_went_in() {
    let full = json!({"model": "m", "input": ["a"], "dimensions": 8, "encoding_format": "base64", "user": "u",
        "input_type": "query", "truncate": "END", "output_dtype": "int8"});
    for body in [full, json!({"model": "m", "input": [1, 2]}), json!({"model": "m", "input": [[1], [2]]})] {
        check(Dialect::Openai, body.clone(), body, &[]);
    }
}

#[test]
fn what_a_dialect_cannot_say_is_refused() {
    let tokens = request(json!({"model": "m", "input": [[1, 2]]}));
    let image = request(json!({"model": "m", "input": [{"image": PNG}]}));
    let nothing = Request::default();
    for (dialect, request) in [
        (Dialect::Gemini, &tokens),
        (Dialect::Cohere, &tokens),
        (Dialect::Openai, &image),
        (Dialect::Openai, &nothing),
        (Dialect::Gemini, &nothing),
        (Dialect::Cohere, &nothing),
    ] {
        let fault = encode(dialect, request).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")));
    }
}

#[test]
fn answers_keep_every_digit() {
    let two = || json!({"model": "asked", "input": ["a", "b"]});
    answers(
        Dialect::Gemini,
        two(),
        r#"{"embeddings": [{"values": [0.10, -1e-7]}, {"values": [2.2529825e-06, 3]}]}"#,
        concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10, -1e-7]},"#,
            r#"{"object":"embedding","index":1,"embedding":[2.2529825e-06, 3]}],"#,
            r#""model":"asked","usage":{"prompt_tokens":0,"total_tokens":0}}"#
        ),
    );
    let one = |tail: &str| {
        format!(r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[0.5]}}],{tail}}}"#)
    };
    answers(
        Dialect::Gemini,
        json!({"model": "asked", "input": "a"}),
        r#"{"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 11}}"#,
        &one(r#""model":"asked","usage":{"prompt_tokens":11,"total_tokens":11}"#),
    );
    answers(
        Dialect::Cohere,
        json!({"model": "asked", "input": "a"}),
        r#"{"id": "e", "embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 7, "image_tokens": 0}}}"#,
        &one(r#""model":"asked","usage":{"prompt_tokens":7,"total_tokens":7}"#),
    );
    answers(
        Dialect::Cohere,
        json!({"model": "asked", "input": "a"}),
        r#"{"id": "e", "embeddings": [[0.5]], "meta": {"billed_units": {"input_tokens": 0, "image_tokens": 3}}}"#,
        &one(r#""model":"asked","usage":{"prompt_tokens":3,"total_tokens":3}"#),
    );
    answers(
        Dialect::Openai,
        two(),
        r#"{"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}], "model": "m", "usage": {"total_tokens": 4}}"#,
        concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]},"#,
            r#"{"object":"embedding","index":1,"embedding":[2]}],"#,
            r#""model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}"#
        ),
    );
}

#[test]
fn base64_is_packed_here_where_the_vendor_sends_numbers() {
    let packed = |text: &str| {
        format!(
            concat!(
                r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":"{}"}}],"#,
                r#""model":"m","usage":{{"prompt_tokens":0,"total_tokens":0}}}}"#
            ),
            text
        )
    };
    let asked = json!({"model": "m", "input": "a", "encoding_format": "base64"});
    // 1.0 is 00 00 80 3f and -2.5 is 00 00 20 c0, little end first.
    answers(
        Dialect::Gemini,
        asked.clone(),
        r#"{"embedding": {"values": [1, -2.5]}}"#,
        &packed("AACAPwAAIMA="),
    );
    answers(
        Dialect::Cohere,
        asked.clone(),
        r#"{"embeddings": {"base64": ["AACAPw=="]}}"#,
        &packed("AACAPw=="),
    );

    let odd = decode(Dialect::Gemini, br#"{"embedding": {"values": [1, "x"]}}"#).unwrap();
    assert_eq!(openai::encode_response(&request(asked), &odd).unwrap_err().status, 502);
}

#[test]
fn answers_that_are_none() {
    for dialect in Dialect::ALL {
        for body in
            ["", "[]", "{}", r#"{"message": "no"}"#, r#"{"embeddings": {"int4": [[1]]}}"#, r#"{"data": 1}"#]
        {
            assert_eq!(decode(dialect, body.as_bytes()).unwrap_err().status, 502, "{body}");
        }
    }
    let response = decode(Dialect::Cohere, br#"{"embeddings": {"float": [[1]]}}"#).unwrap();
    let fault = openai::encode_response(&request(json!({"model": "m", "input": ["a", "b"]})), &response);
    assert_eq!(fault.unwrap_err().status, 502);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = openai::decode_request(&bytes);
        for dialect in [Dialect::Openai, Dialect::Gemini, Dialect::Cohere] {
            let _ = decode(dialect, &bytes);
        }
    }

    #[test]
    fn packed_floats_unpack_to_the_same(numbers in prop::collection::vec(any::<f32>().prop_filter("finite", |n| n.is_finite()), 1..20)) {
        use base64::Engine as _;
        let body = json!({"embedding": {"values": numbers}}).to_string();
        let response = decode(Dialect::Gemini, body.as_bytes()).unwrap();
        let asked = request(json!({"model": "m", "input": "a", "encoding_format": "base64"}));
        let sent: Value = serde_json::from_slice(&openai::encode_response(&asked, &response).unwrap()).unwrap();
        let bytes = base64::prelude::BASE64_STANDARD.decode(sent["data"][0]["embedding"].as_str().unwrap()).unwrap();
        let unpacked: Vec<f32> = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        prop_assert_eq!(unpacked, numbers);
    }
}

#[test]
fn vertex_takes_texts() {
    let check = |client: Value, upstream: Value, dropped: &[&str]| {
        super::tests::check(Dialect::VertexPredict, client, upstream, dropped);
    };
    check(json!({"model": "m", "input": "a"}), json!({"instances": [{"content": "a"}]}), &[]);
    check(
        json!({"model": "m", "input": ["a", {"text": "b"}], "dimensions": 8, "input_type": "query", "title": "t",
               "truncate": "NONE", "user": "u", "encoding_format": "base64", "novel": 1}),
        json!({"instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY", "title": "t"},
                             {"content": "b", "task_type": "RETRIEVAL_QUERY", "title": "t"}],
               "parameters": {"outputDimensionality": 8, "autoTruncate": false}}),
        &["user", "novel"],
    );
    check(
        json!({"model": "m", "input": ["a"], "input_type": "CODE_RETRIEVAL_QUERY", "truncate": "START"}),
        json!({"instances": [{"content": "a", "task_type": "CODE_RETRIEVAL_QUERY"}]}),
        &["truncate"],
    );
    let cuts = json!({"instances": [{"content": "a"}], "parameters": {"autoTruncate": true}});
    check(json!({"model": "m", "input": "a", "truncate": "END"}), cuts.clone(), &[]);
    check(json!({"model": "m", "input": "a", "auto_truncate": true}), cuts, &[]);
    for input in
        [json!([1, 2]), json!([{"image": {"base64": "iVBORw0KGgo="}}]), json!([{"text": "t", "image": PNG}])]
    {
        let fault =
            encode(Dialect::VertexPredict, &request(json!({"model": "m", "input": input}))).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")), "{fault}");
    }
}

#[test]
fn vertex_answers_predictions() {
    let prediction = |values: &str, tokens: &str| {
        format!(
            r#"{{"embeddings":{{"values":{values},"statistics":{{"truncated":false,"token_count":{tokens}}}}}}}"#
        )
    };
    let both = format!(
        r#"{{"predictions":[{},{}],"metadata":{{"billableCharacterCount":2}}}}"#,
        prediction("[0.50,-1e-3]", "4"),
        prediction("[1,2]", "2.0")
    );
    answers(
        Dialect::VertexPredict,
        json!({"model": "m", "input": ["a", "b"]}),
        &both,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.50,-1e-3]},{"object":"embedding","index":1,"embedding":[1,2]}],"model":"m","usage":{"prompt_tokens":6,"total_tokens":6}}"#,
    );
    let one = r#"{"predictions":[{"embeddings":{"values":[1]}}]}"#;
    assert_eq!(decode(Dialect::VertexPredict, one.as_bytes()).unwrap().usage, None);
    for body in
        [r#"{"predictions":{}}"#, r#"{"predictions":[{}]}"#, r#"{"predictions":[{"embeddings":{}}]}"#, "{}"]
    {
        assert_eq!(decode(Dialect::VertexPredict, body.as_bytes()).unwrap_err().status, 502, "{body}");
    }
}

/// All that clients may say, in the words of several vendors.
fn everything() -> Value {
    json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64", "user": "u", "task_type": "RETRIEVAL_QUERY",
           "truncation": false, "output_dtype": "int8", "late_chunking": true, "metadata": {"a": 1}, "long_text_mode": "mean"})
}

#[test]
fn vendors_with_openais_form_and_other_names() {
    let all = everything();
    check(
        Dialect::Mistral,
        all.clone(),
        json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "output_dimension": 8, "output_dtype": "int8",
               "metadata": {"a": 1}}),
        &["user", "task_type", "truncation", "late_chunking", "long_text_mode"],
    );
    check(
        Dialect::Voyage,
        all.clone(),
        json!({"model": "m", "input": ["a", "b"], "input_type": "query", "truncation": false, "output_dimension": 8,
               "output_dtype": "int8", "encoding_format": "base64"}),
        &["user", "late_chunking", "metadata", "long_text_mode"],
    );
    check(
        Dialect::VoyageMultimodal,
        all.clone(),
        json!({"model": "m", "inputs": [{"content": [{"type": "text", "text": "a"}]}, {"content": [{"type": "text", "text": "b"}]}],
               "input_type": "query", "truncation": false, "output_dimension": 8, "output_encoding": "base64"}),
        &["user", "output_dtype", "late_chunking", "metadata", "long_text_mode"],
    );
    check(
        Dialect::Jina,
        all.clone(),
        json!({"model": "m", "input": ["a", "b"], "task": "retrieval.query", "dimensions": 8, "embedding_type": "base64",
               "truncate": false, "late_chunking": true}),
        &["user", "output_dtype", "metadata", "long_text_mode"],
    );
    check(
        Dialect::Nomic,
        all,
        json!({"model": "m", "texts": ["a", "b"], "task_type": "search_query", "dimensionality": 8, "long_text_mode": "mean"}),
        &["user", "truncation", "output_dtype", "late_chunking", "metadata"],
    );
    let one = json!({"model": "m", "input": "a", "encoding_format": "float"});
    check(Dialect::Voyage, one.clone(), json!({"model": "m", "input": "a"}), &[]);
    check(Dialect::Mistral, one.clone(), json!({"model": "m", "input": "a"}), &[]);
    check(Dialect::Jina, one.clone(), json!({"model": "m", "input": ["a"]}), &[]);
    check(Dialect::Nomic, one, json!({"model": "m", "texts": ["a"]}), &[]);
}

#[test]
fn billed_images_are_counted() {
    let body = json!({"model": "m", "input": [{"image": PNG}, {"image": PNG}]}).to_string();
    let asked = Asked {
        api: Api::OpenaiEmbeddings,
        path_model: "",
        model: None,
        body: body.as_bytes(),
        inputs_max: Some(1),
    };
    let told = (TRANSLATOR.translate)(asked, Api::of_embeddings(Dialect::Cohere)).unwrap();
    let answer = br#"{"id":"e","embeddings":{"float":[[0.5]]},"meta":{"billed_units":{"images":1}}}"#;
    let came = Came { body: answer, input_tokens: None };
    let (observed, body) = told.reader.read_all(&[came, came]);
    assert!(body.is_ok());
    let usage = observed.usage().unwrap();
    assert_eq!((usage.total(), usage.metered), (0, Metered::one(Meter::InputImages, 2)));
}

#[test]
fn images_where_they_are_taken() {
    let mixed = json!({"model": "m", "input": ["t", {"image": PNG}, {"image": "https://i.example/1.png"}]});
    check(
        Dialect::Jina,
        mixed.clone(),
        json!({"model": "m", "input": [{"text": "t"}, {"image": "iVBORw0KGgo="}, {"image": "https://i.example/1.png"}]}),
        &[],
    );
    check(
        Dialect::VoyageMultimodal,
        json!({"model": "m", "input": [{"text": "t", "image": PNG}, {"image": "https://i.example/1.png"}]}),
        json!({"model": "m", "inputs": [
            {"content": [{"type": "text", "text": "t"}, {"type": "image_base64", "image_base64": PNG}]},
            {"content": [{"type": "image_url", "image_url": "https://i.example/1.png"}]}]}),
        &[],
    );
    let together = request(json!({"model": "m", "input": [{"text": "t", "image": PNG}]}));
    for (dialect, request) in [
        (Dialect::Voyage, &request(mixed.clone())),
        (Dialect::Mistral, &request(mixed.clone())),
        (Dialect::Nomic, &request(mixed)),
        (Dialect::Jina, &together),
    ] {
        let fault = encode(dialect, request).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")), "{dialect:?} {fault}");
    }
}

/// What vectors are for, by the words of one vendor and of another.
#[test]
fn purposes() {
    let check = |word: &str, dialect: Dialect, field: &str, expected: Value| {
        let asked = request(json!({"model": "m", "input": "a", "input_type": word}));
        let encoded = encode(dialect, &asked).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body[field], expected, "{word} for {dialect:?}");
        let is_dropped = encoded.dropped == ["input_type"];
        assert_eq!(is_dropped, expected.is_null(), "{word} for {dialect:?}: {:?}", encoded.dropped);
    };
    check("retrieval.passage", Dialect::Gemini, "taskType", json!("RETRIEVAL_DOCUMENT"));
    check("text-matching", Dialect::Gemini, "taskType", json!("SEMANTIC_SIMILARITY"));
    check("separation", Dialect::Cohere, "input_type", json!("clustering"));
    check("passage", Dialect::Voyage, "input_type", json!("document"));
    check("CLUSTERING", Dialect::Voyage, "input_type", Value::Null);
    check("SEMANTIC_SIMILARITY", Dialect::Jina, "task", json!("text-matching"));
    check("code.query", Dialect::Jina, "task", json!("code.query"));
    check("classification", Dialect::Nomic, "task_type", json!("classification"));
    check("text-matching", Dialect::Nomic, "task_type", Value::Null);
    check("query", Dialect::Mistral, "input_type", Value::Null);
}

#[test]
fn other_numbers_than_floats() {
    let asked = |dtype: &str, format: &str| json!({"model": "m", "input": "a", "output_dtype": dtype, "encoding_format": format});
    let told = |vector: &str| {
        format!(
            r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":{vector}}}],"model":"m","usage":{{"prompt_tokens":0,"total_tokens":0}}}}"#
        )
    };
    let body = |vector: &str| format!(r#"{{"data":[{{"embedding":{vector},"index":0}}]}}"#);
    for (dtype, list, packed) in [
        ("int8", "[-128,0,127]", r#""gAB/""#),
        ("binary", "[-128,0,127]", r#""gAB/""#),
        ("uint8", "[128,0,255]", r#""gAD/""#),
        ("ubinary", "[128,0,255]", r#""gAD/""#),
        ("float", "[1,-2.5]", r#""AACAPwAAIMA=""#),
    ] {
        for came in [list, packed] {
            answers(Dialect::Voyage, asked(dtype, "float"), &body(came), &told(list));
            answers(Dialect::Voyage, asked(dtype, "base64"), &body(came), &told(packed));
        }
        let own = format!(r#"{{"embeddings":{{"{dtype}":[{list}]}}}}"#);
        answers(Dialect::Cohere, asked(dtype, "base64"), &own, &told(packed));
    }
    for (dtype, format, came) in [
        ("int8", "base64", "[128]"),
        ("uint8", "base64", "[-1]"),
        ("float", "float", r#""gAB/""#),
        ("float", "float", r#""AADAfw==""#),
        ("float", "float", r#""no base64""#),
    ] {
        let response = decode(Dialect::Voyage, body(came).as_bytes()).unwrap();
        let fault = openai::encode_response(&request(asked(dtype, format)), &response).unwrap_err();
        assert_eq!(fault.status, 502, "{came} as {dtype}");
    }
}

#[test]
fn cortex_takes_texts_and_may_wrap_its_vectors() {
    let all =
        json!({"model": "m", "input": ["a", "b"], "dimensions": 8, "user": "u", "encoding_format": "float"});
    check(Dialect::Cortex, all, json!({"model": "m", "text": ["a", "b"]}), &["user", "dimensions"]);
    let one = json!({"model": "m", "input": "a"});
    check(Dialect::Cortex, one.clone(), json!({"model": "m", "text": ["a"]}), &[]);
    for vector in ["[[0.10,1e-5]]", "[0.10,1e-5]"] {
        answers(
            Dialect::Cortex,
            one.clone(),
            &format!(
                r#"{{"object":"list","model":"m","data":[{{"object":"embedding","index":0,"embedding":{vector}}}],"usage":{{"total_tokens":4}}}}"#
            ),
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,1e-5]}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}"#,
        );
    }
    let parts =
        json!({"model": "m", "input": [{"content": [{"type": "image_url", "image_url": {"url": PNG}}]}]});
    let fault = encode(Dialect::Cortex, &request(parts)).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input")));
}

#[test]
fn nomic_answers_in_its_own_form() {
    answers(
        Dialect::Nomic,
        json!({"model": "m", "input": ["a", "b"]}),
        r#"{"embeddings":[[0.50],[-1e-7]],"usage":{"prompt_tokens":5,"total_tokens":5},"model":"n"}"#,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.50]},{"object":"embedding","index":1,"embedding":[-1e-7]}],"model":"n","usage":{"prompt_tokens":5,"total_tokens":5}}"#,
    );
}

#[test]
fn bodies_that_are_their_vendors_own() {
    let check = |upstream: Api, body: &str, fits: bool| {
        let document = Document::parse_to(body.as_bytes(), 1).unwrap();
        assert_eq!(Api::OpenaiEmbeddings.fits(upstream, document.root()), fits, "{body} for {upstream:?}");
    };
    let all = [Api::JinaEmbeddings, Api::MistralEmbeddings, Api::VoyageEmbeddings];
    for api in all {
        check(api, r#"{"input":"a"}"#, true);
        check(api, r#"{"input":["a","b"],"x_own":1,"user":null}"#, true);
        check(api, r#"{"input":"a","user":"u"}"#, false);
        check(api, r#"{"input":[1,2]}"#, false);
        check(api, r#"{"input":[[1],[2]]}"#, false);
        check(api, r#"{"input":"a","task_type":"RETRIEVAL_QUERY"}"#, false);
        check(api, r#"{"input":[{"content":[{"type":"text","text":"a"}]}]}"#, false);
    }
    let [jina, mistral, voyage] = all;
    check(jina, r#"{"input":[{"text":"a"},{"image":"x"}],"task":"retrieval.query","dimensions":8}"#, true);
    check(jina, r#"{"input":[{"text":"a","image":"x"}]}"#, false);
    check(jina, r#"{"input":"a","encoding_format":"base64"}"#, false);
    check(
        mistral,
        r#"{"input":"a","encoding_format":"float","output_dimension":8,"output_dtype":"int8"}"#,
        true,
    );
    check(mistral, r#"{"input":"a","dimensions":8}"#, false);
    check(
        voyage,
        r#"{"input":"a","input_type":"query","output_dimension":8,"encoding_format":"base64"}"#,
        true,
    );
    check(voyage, r#"{"input":"a","encoding_format":"float"}"#, false);
    check(voyage, r#"{"input":"a","dimensions":8}"#, false);
    check(Api::GeminiEmbed, r#"{"input":"a"}"#, false);
}

proptest! {
    #[test]
    fn floats_are_unpacked_to_the_same(numbers in prop::collection::vec(any::<f32>().prop_filter("finite", |n| n.is_finite()), 1..20)) {
        use base64::Engine as _;
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let packed = base64::prelude::BASE64_STANDARD.encode(bytes);
        let response = decode(Dialect::Voyage, json!({"data": [{"embedding": packed}]}).to_string().as_bytes()).unwrap();
        let asked = request(json!({"model": "m", "input": "a"}));
        let sent: Value = serde_json::from_slice(&openai::encode_response(&asked, &response).unwrap()).unwrap();
        let list = sent["data"][0]["embedding"].to_string();
        let read: Vec<f32> = serde_json::from_str(&list).unwrap();
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<u32>>();
        prop_assert_eq!(bits(&read), bits(&numbers));
    }
}
