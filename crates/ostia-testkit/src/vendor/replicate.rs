//! Replicate's predictions of language models: <https://replicate.com/docs/reference/http#predictions.get>.

use serde_json::{Value, json};

use crate::{Answer, Request};

/// The path of a prediction at the server that made it.
pub const GET: &str = "/v1/predictions/p1";
/// The same of its stream.
pub const STREAM: &str = "/v1/stream/p1";
/// The same to give it up.
pub const CANCEL: &str = "/v1/predictions/p1/cancel";

/// A prediction that is done, in one piece: 8 tokens in, 2 out.
pub fn done(text: &str) -> String {
    let metrics = json!({"input_token_count": 8, "output_token_count": 2, "predict_time": 0.5});
    told("succeeded", &json!([text]), &json!(null), "", metrics)
}

/// One that is under way, of the server at this address.
pub fn begun(own: &str) -> String {
    told("starting", &json!(null), &json!(null), own, json!({}))
}

/// One that failed.
pub fn failed(reason: &str) -> String {
    told("failed", &json!(null), &json!(reason), "", json!({}))
}

fn told(status: &str, output: &Value, error: &Value, own: &str, metrics: Value) -> String {
    json!({
        "id": "p1", "model": "meta/m", "version": "hidden", "status": status, "created_at": "2026-05-04T20:01:02.264Z",
        "input": {}, "output": output, "error": error, "logs": "", "metrics": metrics,
        "urls": {"get": format!("{own}{GET}"), "stream": format!("{own}{STREAM}"), "cancel": format!("{own}{CANCEL}")}
    })
    .to_string()
}

/// Words as events, without the end.
pub fn words(pieces: &[&str]) -> String {
    pieces.iter().map(|piece| format!("event: output\nid: 1:0\ndata: {piece}\n\n")).collect()
}

/// A whole stream.
pub fn stream(pieces: &[&str]) -> String {
    words(pieces) + "event: done\ndata: {}\n\n"
}

/// The address of the server that a request went to.
pub fn own(request: &Request) -> String {
    format!("http://{}", request.header("host").unwrap_or_default())
}

/// A server of one model that says this, at once or as a stream.
pub fn serve(request: &Request, text: &str) -> Option<Answer> {
    let target = request.target.as_str();
    match request.method.as_str() {
        "GET" if target == STREAM => Some(Answer::stream(stream(&[text]))),
        "GET" if target == GET => Some(Answer::json(done(text))),
        "POST" if target == CANCEL => Some(Answer::json("{}")),
        "POST" if target.ends_with("/predictions") => Some(match request.json()["stream"] == true {
            true => Answer::json(begun(&own(request))).status(201),
            false => Answer::json(done(text)).status(201),
        }),
        _ => None,
    }
}
