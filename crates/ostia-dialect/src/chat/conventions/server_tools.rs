//! Calls of tools that a vendor ran itself, as the conventions have them: `server_tool_call` and `server_tool_call_response`, with the
//! vendor's own block in them.

use crate::json::{Document, Json, Node, Writer};

/// Kinds of blocks that are calls, and say the tool's name (<https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>,
/// <https://platform.claude.com/docs/en/agents-and-tools/mcp-connector>).
const NAMED_CALLS: [&str; 2] = ["server_tool_use", "mcp_tool_use"];
/// What the kind of a result ends with (`web_search_tool_result`).
const RESULT: &str = "_tool_result";
/// What the kind of an item ends with that is a call and its result (`web_search_call`,
/// <https://platform.openai.com/docs/api-reference/responses/object>).
const CALL: &str = "_call";
/// Items of that name that are calls for the client to run.
const CLIENT_RUN: [&str; 4] = ["computer_call", "local_shell_call", "shell_call", "apply_patch_call"];
/// Google's code that its vendor runs (<https://ai.google.dev/gemini-api/docs/code-execution>): the field of the call, and of the result.
const CODE: (&str, &str) = ("executableCode", "codeExecutionResult");
const CODE_TOOL: &str = "code_execution";

/// Writes a vendor's block as such a part; nothing of one that is none.
pub(super) fn part(block: &Json, w: &mut Writer) -> Option<()> {
    let document = Document::parse(block.as_str().as_bytes()).ok()?;
    let root = document.root();
    let id = |name: &str| root.some(name).and_then(|id| id.as_str());
    let Some(kind) = root.some("type").and_then(|kind| kind.as_str()) else { return code(root, w) };
    let name = root.some("name").and_then(|name| name.as_str());
    if NAMED_CALLS.contains(&&*kind) {
        call(id("id").as_deref(), &name?, |w| w.field_raw("server_tool_call", block.as_str()), w);
    } else if kind.ends_with(RESULT) {
        response(
            id("tool_use_id").as_deref(),
            |w| w.field_raw("server_tool_call_response", block.as_str()),
            w,
        );
    } else {
        let tool = kind.strip_suffix(CALL).filter(|_| !CLIENT_RUN.contains(&&*kind))?;
        let name = name.as_deref().unwrap_or(tool);
        call(id("id").as_deref(), name, |w| w.field_raw("server_tool_call", block.as_str()), w);
    }
    Some(())
}

/// Google's parts have no kind; the schema wants one.
fn code(root: Node<'_>, w: &mut Writer) -> Option<()> {
    let of_kind = |field: &'static str, value: Node<'_>, w: &mut Writer| {
        w.object(|w| {
            w.field_str("type", CODE_TOOL);
            w.field_raw(field, value.text());
        });
    };
    if let Some(value) = root.some(CODE.0) {
        let own = |w: &mut Writer| {
            w.key("server_tool_call");
            of_kind(CODE.0, value, w);
        };
        call(None, CODE_TOOL, own, w);
    } else {
        let value = root.some(CODE.1)?;
        let own = |w: &mut Writer| {
            w.key("server_tool_call_response");
            of_kind(CODE.1, value, w);
        };
        response(None, own, w);
    }
    Some(())
}

fn call(id: Option<&str>, name: &str, own: impl FnOnce(&mut Writer), w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", "server_tool_call");
        if let Some(id) = id {
            w.field_str("id", id);
        }
        w.field_str("name", name);
        own(w);
    });
}

fn response(id: Option<&str>, own: impl FnOnce(&mut Writer), w: &mut Writer) {
    w.object(|w| {
        w.field_str("type", "server_tool_call_response");
        if let Some(id) = id {
            w.field_str("id", id);
        }
        own(w);
    });
}
