//! Items as the API keeps and lists them: each typed, its content in parts, under an id.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/input-items>.

use crate::Fault;
use crate::chat::openai_responses::response::output::is_made_here;
use crate::chat::tools::client_run::ClientTool;
use crate::json::{Json, Node, Writer};

/// An item of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The whole item, its id included.
    pub json: std::sync::Arc<Json>,
}

impl Item {
    /// An item that has everything, as answers hold it.
    pub fn of(node: Node<'_>) -> Item {
        Item { id: node.str("id").unwrap_or_default().into_owned(), json: Json::of(node).into() }
    }

    /// Does it only name another item?
    pub fn is_reference(&self) -> bool {
        let document = crate::json::Document::parse_to(self.json.as_str().as_bytes(), 1);
        document.is_ok_and(|item| item.root().str("type").as_deref() == Some("item_reference"))
    }
}

/// The id of the answer that an item of this id is from, where the item was named after it (`msg_1_o0`: `resp_1`).
pub fn answer_of(id: &str) -> Option<String> {
    let (_, rest) = id.split_once('_').filter(|_| is_made_here(id))?;
    rest.rsplit_once("_o").map(|(id_suffix, _)| format!("resp_{id_suffix}"))
}

/// The items of an `input`: a text is one message of the user's. Ids that are missing are made of `id_suffix`.
///
/// # Errors
/// 400 for what is neither a text nor a list of objects.
pub fn list(input: Node<'_>, id_suffix: &str) -> Result<Vec<Item>, Fault> {
    if let Some(text) = input.as_str() {
        return Ok(vec![message("user", id_suffix, 0, |w| w.object(|w| part(w, "input_text", &text)))]);
    }
    let items = input.expect_items().map_err(|_| input.invalid("must be a string or an array of items"))?;
    items.enumerate().map(|(at, item)| typed(item, id_suffix, at)).collect()
}

fn typed(item: Node<'_>, id_suffix: &str, at: usize) -> Result<Item, Fault> {
    item.expect_fields()?;
    let kind = item.str("type");
    match (kind.as_deref(), item.str("role")) {
        (None | Some("message"), Some(role)) => {
            let content = item.expect("content")?;
            let text = if role == "assistant" { "output_text" } else { "input_text" };
            match content.as_str() {
                Some(words) => Ok(message(&role, id_suffix, at, |w| w.object(|w| part(w, text, &words)))),
                None => Ok(with_id(item, "message", "msg", id_suffix, at)),
            }
        }
        (None, None) => Err(item.expect("type").err().unwrap_or_else(|| item.invalid("must have a type"))),
        (Some(kind), _) => {
            let prefix = match kind {
                "message" => "msg",
                "reasoning" => "rs",
                "function_call" => "fc",
                "custom_tool_call" => "ctc",
                kind => ClientTool::of_call(kind).map_or("item", ClientTool::prefix),
            };
            Ok(with_id(item, kind, prefix, id_suffix, at))
        }
    }
}

fn message(role: &str, id_suffix: &str, at: usize, content: impl FnOnce(&mut Writer)) -> Item {
    let id = format!("msg_{id_suffix}_{at}");
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("id", &id);
            w.field_str("type", "message");
            w.field_str("role", role);
            w.field_str("status", "completed");
            w.field_array("content", content);
        });
    });
    Item { id, json: json.into() }
}

fn part(w: &mut Writer, kind: &str, text: &str) {
    w.field_str("type", kind);
    w.field_str("text", text);
    if kind == "output_text" {
        w.field_array("annotations", |_| {});
    }
}

fn with_id(item: Node<'_>, kind: &str, prefix: &str, id_suffix: &str, at: usize) -> Item {
    let given = item.str("id").filter(|id| !id.is_empty());
    let id = given.map_or_else(|| format!("{prefix}_{id_suffix}_{at}"), |id| id.into_owned());
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("id", &id);
            w.field_str("type", kind);
            for (name, value) in item.fields().filter(|(name, _)| name != "id" && name != "type") {
                w.field_raw(&name, value.text());
            }
        });
    });
    Item { id, json: json.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Document;

    fn check(input: &str, expected: &[&str]) {
        let document = Document::parse(input.as_bytes()).unwrap();
        let items = list(document.root(), "s").unwrap();
        assert_eq!(items.iter().map(|item| item.json.as_str()).collect::<Vec<_>>(), expected);
        for item in &items {
            let document = Document::parse(item.json.as_str().as_bytes()).unwrap();
            assert_eq!(document.root().str("id").unwrap(), item.id);
        }
    }

    #[test]
    fn every_item_has_a_type_and_an_id() {
        check(
            r#""Hi""#,
            &[
                r#"{"id":"msg_s_0","type":"message","role":"user","status":"completed","content":[{"type":"input_text","text":"Hi"}]}"#,
            ],
        );
        check(
            r#"[{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"input_text","text":"q"}]},{"type":"function_call_output","call_id":"c","output":"7"},{"type":"item_reference","id":"msg_1"}]"#,
            &[
                r#"{"id":"msg_s_0","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[]}]}"#,
                r#"{"id":"msg_s_1","type":"message","role":"user","content":[{"type":"input_text","text":"q"}]}"#,
                r#"{"id":"item_s_2","type":"function_call_output","call_id":"c","output":"7"}"#,
                r#"{"id":"msg_1","type":"item_reference"}"#,
            ],
        );
    }

    #[test]
    fn what_is_no_item_is_refused_by_its_path() {
        for (input, path) in [("7", ""), (r#"[7]"#, "[0]"), (r#"[{"a":1}]"#, "[0].type")] {
            let document = Document::parse(input.as_bytes()).unwrap();
            let fault = list(document.root(), "s").unwrap_err();
            assert_eq!(fault.param.as_deref().unwrap_or_default(), path, "{fault}");
        }
    }

    #[test]
    fn items_are_named_after_their_answer() {
        for (item, answer) in [
            ("msg_1f_o0", Some("resp_1f")),
            ("rs_1_2_o12", Some("resp_1_2")),
            ("msg_1f_0", None),
            ("msg_68abc", None),
            ("_o1", None),
            ("", None),
        ] {
            assert_eq!(answer_of(item).as_deref(), answer, "{item}");
        }
    }
}
