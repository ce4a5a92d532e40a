//! Amazon SageMaker's InvokeEndpoint: containers in OpenAI's format, asked with AWS's signatures, whose streams come in pieces
//! inside of Amazon's binary messages.

use aws_lc_rs::{digest, hmac};
use ostia_testkit::event_stream::{exception, part};
use ostia_testkit::vendor::{bedrock, openai};
use ostia_testkit::{Answer, Framing, Request, Step, Upstream, split};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const SECRET: &str = "secret-of-mine";

fn ask(upstream: &Upstream, path: &str, stream: bool) -> Ask {
    let messages = json!([{"role": "user", "content": "Hello"}]);
    let body = json!({"model": "my-endpoint", "max_tokens": 9, "stream": stream, "messages": messages});
    Ask::post(path, body.to_string())
        .header("x-ostia-provider", "sagemaker-invoke")
        .header("x-ostia-custom-host", &upstream.url())
        .header("x-ostia-aws-access-key-id", "AKIDEXAMPLE")
        .header("x-ostia-aws-secret-access-key", SECRET)
        .header("x-ostia-aws-region", "eu-west-1")
}

/// A container's events, cut into pieces of so many bytes, each in a message.
fn in_parts(events: &str, size: usize) -> Vec<u8> {
    events.as_bytes().chunks(size).flat_map(part).collect()
}

/// A stream in these pieces, each of which arrives alone.
fn arriving<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Answer {
    let answer = Answer::empty().header("content-type", bedrock::STREAM).framing(Framing::Chunked);
    pieces.into_iter().fold(answer, |answer, piece| answer.then(Step::Send(piece.as_ref().to_vec())))
}

fn said(reply: &Reply) -> String {
    let data = crate::data_of(reply.text());
    let chunks = data.iter().filter(|data| **data != "[DONE]").map(|data| crate::json(data));
    let text = |chunk: Value| chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned();
    chunks.map(text).collect()
}

/// Is it signed for this service, with everything that was sent?
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn is_signed(request: &Request) -> bool {
    let authorization = request.header("authorization").unwrap();
    let field =
        |name: &str| authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap();
    let (scope, names) = (field("Credential=AKIDEXAMPLE/"), field("SignedHeaders="));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sha = |text: &str| hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", request.header(name).unwrap().trim())).collect();
    let canonical = format!("POST\n{}\n\n{headers}\n{names}\n{}", request.target, sha(&request.text()));
    let day = request.header("x-amz-date").unwrap();
    let to_sign = format!("AWS4-HMAC-SHA256\n{day}\n{scope}\n{}", sha(&canonical));
    let keyed = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let start = format!("AWS4{SECRET}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| keyed(&key, part));
    assert_eq!(scope.split_once('/').unwrap().1, "eu-west-1/sagemaker/aws4_request");
    field("Signature=") == hex(&keyed(&key, &to_sign))
}

#[test]
fn an_endpoint_is_invoked_with_a_signature() {
    let upstream = Upstream::always(Answer::json(openai::chat("Hi")));
    let gateway = Gateway::start();
    let reply = ask(&upstream, "/v1/chat/completions?x=1", false)
        .header("x-ostia-amzn-sagemaker-target-variant", "blue")
        .to(&gateway);
    assert_eq!((reply.status, &reply.json()["choices"][0]["message"]["content"]), (200, &json!("Hi")));
    let seen = upstream.last();
    assert_eq!(seen.target, "/endpoints/my-endpoint/invocations");
    assert_eq!((&seen.json()["model"], &seen.json()["max_tokens"]), (&Value::Null, &json!(9)));
    assert_eq!(seen.header("x-amzn-sagemaker-target-variant").as_deref(), Some("blue"));
    assert_eq!(seen.header("x-amzn-sagemaker-target-model"), None);
    assert!(is_signed(&seen), "{:?}", seen.headers);
    assert!(!format!("{:?}", seen.headers).contains(SECRET));
    // The same from a client of another format.
    let reply = ask(&upstream, "/v1/messages", false).to(&gateway);
    assert_eq!((reply.status, &reply.json()["content"][0]["text"]), (200, &json!("Hi")), "{}", reply.text());
    assert!(is_signed(&upstream.last()));
}

#[test]
fn its_stream_is_put_together_whatever_the_cuts() {
    let gateway = Gateway::start();
    let events = openai::chat_stream(&["Hi", " thére"]);
    for size in [3, 50, events.len()] {
        let stream = in_parts(&events, size);
        for (cut, pieces) in split::sample(&stream) {
            let upstream = Upstream::always(arriving(&pieces));
            let reply = ask(&upstream, "/v1/chat/completions", true).to(&gateway);
            assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
            assert_eq!((reply.status, said(&reply).as_str()), (200, "Hi thére"), "{size}, {cut}");
            assert!(reply.text().trim_end().ends_with("data: [DONE]"), "{}", reply.text());
            let seen = upstream.last();
            assert_eq!(seen.target, "/endpoints/my-endpoint/invocations-response-stream");
            assert!(is_signed(&seen));
        }
    }
    let upstream = Upstream::always(arriving([in_parts(&events, 7)]));
    let reply = ask(&upstream, "/v1/messages", true).to(&gateway);
    let told: String = crate::data_of(reply.text())
        .iter()
        .map(|data| crate::json(data)["delta"]["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!((reply.status, told.as_str()), (200, "Hi thére"), "{}", reply.text());
    assert!(reply.text().contains("message_stop"), "{}", reply.text());
}

#[test]
fn failures_in_its_stream_are_told() {
    let gateway = Gateway::start();
    let events = openai::chat_stream(&["Hi", "there"]);
    let begun = events.split("\n\n").take(2).map(|event| format!("{event}\n\n")).collect::<String>();
    let mut spoiled = in_parts(&begun, 9);
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    for (stream, words) in [
        ([in_parts(&begun, 9), exception("ModelStreamError", "the model broke")].concat(), "the model broke"),
        (in_parts(&begun, 9), "before the answer was whole"),
        (spoiled, "the checksum of a message is wrong"),
    ] {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let upstream = Upstream::always(arriving([&stream]));
            let reply = ask(&upstream, path, true).to(&gateway);
            assert!(reply.text().contains(words), "{path} {words}: {}", reply.text());
            assert!(!reply.text().contains("[DONE]") && !reply.text().contains("message_stop"), "{words}");
        }
    }
}
