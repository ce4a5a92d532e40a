//! The vendor's unary answer to the canonical one (<https://docs.ollama.com/api/chat>).

#[cfg(test)]
mod tests;

use crate::chat::ollama_chat::{error, usage};
use crate::chat::time;
use crate::json::{Document, Json, Node};
use crate::{Block, Choice, Content, Fault, Finish, Response, ToolKind};

/// What the vendor tells besides: how long it took (in nanoseconds), and which other server answered.
const REST: [&str; 6] = [
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
    "remote_model",
    "remote_host",
];

/// Reads a whole answer.
///
/// Fails with 502 where the body is no JSON, and with the vendor's message where it is an error.
pub fn decode(body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    let root = document.root();
    let Some(message) = root.some("message").filter(Node::is_object) else { return Err(error::decode(root)) };
    let native_finish = root.str("done_reason").map(|word| word.into_owned());
    Ok(Response {
        model: root.str("model").unwrap_or_default().into_owned(),
        created: root.str("created_at").and_then(|at| time::unix_seconds(&at)),
        usage: usage::decode(root),
        choices: vec![Choice {
            index: 0,
            blocks: blocks(message),
            finish: finish(native_finish.as_deref()),
            native_finish,
            stop_sequence: None,
            logprobs: logprobs(root),
            extra: Vec::new(),
        }],
        extra: rest(root).collect(),
        ..Response::default()
    })
}

/// Thoughts, words, calls: the order in which a stream brings them.
fn blocks(message: Node<'_>) -> Vec<Block> {
    let said = |name: &str| message.str(name).filter(|text| !text.is_empty());
    let thought = said("thinking").map(|text| Block::new(Content::Reasoning(text.into_owned())));
    let text = said("content").map(|text| Block::text(text.into_owned()));
    let calls = message.some("tool_calls");
    let calls = calls.iter().flat_map(|calls| calls.items()).map(call);
    thought.into_iter().chain(text).chain(calls).collect()
}

/// A call, which comes whole in streams too. Older servers give no id.
pub(in crate::chat::ollama_chat) fn call(call: Node<'_>) -> Block {
    let function = call.some("function");
    let name = function.and_then(|function| function.str("name"));
    let arguments = function.and_then(|function| function.some("arguments"));
    Block::new(Content::ToolCall {
        id: call.str("id").unwrap_or_default().into_owned(),
        name: name.unwrap_or_default().into_owned(),
        // Some servers in this format write the object as a text, as OpenAI does.
        arguments: arguments
            .map(|node| node.as_str().map_or_else(|| node.text().to_owned(), |text| text.into_owned()))
            .unwrap_or_default(),
        kind: ToolKind::Function,
    })
}

/// Why the answer ended. Of `load` and `unload` no answer was asked: there were no messages.
pub(in crate::chat::ollama_chat) fn finish(word: Option<&str>) -> Finish {
    match word {
        Some("length") => Finish::Length,
        // stop, load, unload, and what comes next.
        Some(_) | None => Finish::Stop,
    }
}

/// Log-probabilities in OpenAI's shape, of which the vendor leaves empty lists out.
pub(in crate::chat::ollama_chat) fn logprobs(root: Node<'_>) -> Option<Json> {
    let list = root.some("logprobs").filter(Node::is_array)?;
    list.items().next()?;
    Some(Json::build(|w| {
        w.object(|w| {
            w.field_array("content", |w| {
                for item in list.items() {
                    w.object(|w| {
                        token(item, w);
                        w.field_array("top_logprobs", |w| {
                            let others = item.some("top_logprobs");
                            let others = others.iter().flat_map(|others| others.items());
                            others.for_each(|other| w.object(|w| token(other, w)));
                        });
                    });
                }
            });
        });
    }))
}

fn token(item: Node<'_>, w: &mut crate::json::Writer) {
    let text = item.str("token").unwrap_or_default();
    w.field_str("token", &text);
    w.field_raw("logprob", item.some("logprob").map_or("0", |number| number.text()));
    match item.some("bytes").filter(Node::is_array) {
        Some(bytes) => w.field_raw("bytes", bytes.text()),
        None => w.field_array("bytes", |w| text.bytes().for_each(|byte| w.u64(byte.into()))),
    }
}

/// Fields of the answer that only this vendor has.
pub(in crate::chat::ollama_chat) fn rest(root: Node<'_>) -> impl Iterator<Item = (String, Json)> {
    REST.iter().filter_map(move |name| Some(((*name).to_owned(), Json::of(root.some(name)?))))
}
