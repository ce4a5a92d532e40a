//! The tools that clients run and that have a type of their own, as data.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/responses/create> (`tools`, and the items of `input`), with
//! the types of openai/openai-python (`types/responses/response_input_param.py`, `tool_param.py`);
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview>.

/// A tool of OpenAI Responses whose calls are items of their own.
#[derive(Debug, PartialEq)]
pub(crate) struct ClientTool {
    /// Its type, and the name of the function.
    pub(crate) name: &'static str,
    /// The type of a call.
    pub(super) call: &'static str,
    /// The type of the answer to a call.
    pub(super) output: &'static str,
    /// How the ids of its calls begin.
    pub(super) prefix: &'static str,
    /// The field of a call that holds the arguments.
    pub(super) field: &'static str,
    /// What stands there where the model says nothing else, in JSON.
    pub(super) defaults: &'static [(&'static str, &'static str)],
    /// What a call cannot be without.
    pub(super) needs: &'static [Need],
    /// What stands beside that field, in JSON.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// Who runs it, where that may be the vendor too.
    pub(super) runner: Option<Runner>,
    /// What it is for, where the client does not say it.
    pub(super) description: &'static str,
    /// JSON Schema of the arguments, where the client does not say it.
    pub(super) parameters: &'static str,
}

/// A field that has to be there.
#[derive(Debug, PartialEq)]
pub(super) struct Need {
    pub(super) field: &'static str,
    pub(super) shape: Shape,
    /// Not where this field has this value.
    pub(super) unless: Option<(&'static str, &'static str)>,
}

/// What a field must hold.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    Text,
    Texts,
    OneOf(&'static [&'static str]),
}

/// The field of a tool that says who runs it.
#[derive(Debug, PartialEq)]
pub(super) struct Runner {
    pub(super) field: &'static str,
    /// The field stands below that one.
    pub(super) below: Option<&'static str>,
    /// Its value where the client does.
    pub(super) client: &'static str,
    /// Does the client where it is not said?
    pub(super) unsaid: bool,
}

const fn need(field: &'static str, shape: Shape) -> Need {
    Need { field, shape, unless: None }
}

/// OpenAI's tools that clients run. Those for the screen (`computer`, `computer_use_preview`) are not among them: a model
/// that was not trained for the vendor's own actions has no use for them.
pub(super) const TOOLS: &[ClientTool] = &[
    // <https://platform.openai.com/docs/guides/tools-local-shell>
    ClientTool {
        name: "local_shell",
        call: "local_shell_call",
        output: "local_shell_call_output",
        prefix: "lsh",
        field: "action",
        defaults: &[("type", r#""exec""#), ("env", "{}")],
        needs: &[need("command", Shape::Texts)],
        beside: &[],
        runner: None,
        description: "Runs a command on the user's machine and gives its output.",
        parameters: r#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments, each a string of its own."},"working_directory":{"type":"string","description":"The directory to run it in."},"timeout_ms":{"type":"integer","description":"Milliseconds after which it is stopped."},"env":{"type":"object","additionalProperties":{"type":"string"},"description":"Environment variables to set."},"user":{"type":"string","description":"The user to run it as."}},"required":["command"]}"#,
    },
    // <https://platform.openai.com/docs/guides/tools-shell>
    ClientTool {
        name: "shell",
        call: "shell_call",
        output: "shell_call_output",
        prefix: "sh",
        field: "action",
        defaults: &[],
        needs: &[need("commands", Shape::Texts)],
        beside: &[],
        runner: Some(Runner { below: Some("environment"), field: "type", client: "local", unsaid: true }),
        description: "Runs shell commands on the user's machine and gives what they print, and how each ended.",
        parameters: r#"{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"},"description":"The commands, each a line for the shell. They may run at the same time."},"timeout_ms":{"type":"integer","description":"Milliseconds after which they are stopped."},"max_output_length":{"type":"integer","description":"Most characters of output to give."}},"required":["commands"]}"#,
    },
    // <https://platform.openai.com/docs/guides/tools-apply-patch>
    ClientTool {
        name: "apply_patch",
        call: "apply_patch_call",
        output: "apply_patch_call_output",
        prefix: "apc",
        field: "operation",
        defaults: &[],
        needs: &[
            need("type", Shape::OneOf(&["create_file", "update_file", DELETE_FILE])),
            need("path", Shape::Text),
            Need { field: "diff", shape: Shape::Text, unless: Some(("type", DELETE_FILE)) },
        ],
        beside: &[],
        runner: None,
        description: "Creates, changes or deletes one file. The diff of `create_file` is the whole file with a `+` before \
                      every line. The diff of `update_file` is made of sections, each after a line that begins with `@@` \
                      (behind it may stand the line of the class or function in which the change is); in a section every \
                      line begins with a space (it stays), `-` (it goes) or `+` (it is new), with about three lines that \
                      stay before and after each change. There are no line numbers and no file headers. `delete_file` has \
                      no diff.",
        parameters: r#"{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string","description":"The file, relative to the workspace."},"diff":{"type":"string","description":"What to write or change; left out for `delete_file`."}},"required":["type","path"]}"#,
    },
    // <https://platform.openai.com/docs/guides/tools-tool-search>
    ClientTool {
        name: TOOL_SEARCH,
        call: "tool_search_call",
        output: "tool_search_output",
        prefix: "tsc",
        field: "arguments",
        defaults: &[],
        needs: &[],
        beside: &[("execution", r#""client""#)],
        runner: Some(Runner { below: None, field: "execution", client: "client", unsaid: false }),
        description: "Searches for further tools. What it finds can be called afterwards.",
        parameters: r#"{"type":"object","properties":{"paths":{"type":"array","items":{"type":"string"},"description":"Names of the tools, or of their containers, to load."}},"required":["paths"]}"#,
    },
];

/// The tool whose answers hold further tools.
pub(super) const TOOL_SEARCH: &str = "tool_search";
const DELETE_FILE: &str = "delete_file";

/// A tool of Anthropic's that clients run. Its calls are calls as any other.
#[derive(Debug)]
pub(super) struct TypedTool {
    /// Its types, or one for all other dates (`bash_`): the first that fits counts.
    pub(super) kinds: &'static [&'static str],
    /// Its name, where the client does not say it.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) description: &'static str,
    /// JSON Schema of its input.
    pub(super) parameters: &'static str,
    /// Settings that the description goes on with, each with a word before it.
    pub(super) told: &'static [(&'static str, &'static str)],
}

const EDITS: &str = "Shows and edits text files on the user's machine: `options` a file or directory, `create` a file, \
                     `str_replace` a text that occurs exactly once, or `insert` text behind a line.";
const SCREEN: &str = "Uses the mouse and keyboard of the user's computer, and shows its screen. Coordinates are pixels from \
                      the left and from the top.";
const DISPLAY: &[(&str, &str)] = &[
    ("display_width_px", "Width of the screen in pixels"),
    ("display_height_px", "Height of the screen in pixels"),
    ("display_number", "Number of the display"),
];

/// Anthropic's tools that clients run.
pub(super) const TYPED: &[TypedTool] = &[
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool>
    TypedTool {
        kinds: &["bash_"],
        name: "bash",
        description: "Runs a command in a bash session on the user's machine that stays open between calls, and gives what \
                      it prints.",
        parameters: r#"{"type":"object","properties":{"command":{"type":"string","description":"The command. Needed unless the session is restarted."},"restart":{"type":"boolean","description":"Starts the session anew."}}}"#,
        told: &[],
    },
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool>; what earlier dates took is in its
    // notes on versions, and in vercel/ai, `packages/anthropic/src/tool`.
    TypedTool {
        kinds: &["text_editor_20241022", "text_editor_20250124"],
        name: "str_replace_editor",
        description: EDITS,
        parameters: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","undo_edit"]},"path":{"type":"string","description":"The file or directory."},"file_text":{"type":"string","description":"For `create`: the whole text."},"old_str":{"type":"string","description":"For `str_replace`: the text to replace."},"new_str":{"type":"string","description":"For `str_replace` and `insert`: the new text."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind, 0 for the start."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line, from 1; -1 is the end."}},"required":["command","path"]}"#,
        told: &[],
    },
    TypedTool {
        kinds: &["text_editor_20250429"],
        name: "str_replace_based_edit_tool",
        description: EDITS,
        parameters: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string","description":"The file or directory."},"file_text":{"type":"string","description":"For `create`: the whole text."},"old_str":{"type":"string","description":"For `str_replace`: the text to replace."},"new_str":{"type":"string","description":"For `str_replace` and `insert`: the new text."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind, 0 for the start."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line, from 1; -1 is the end."}},"required":["command","path"]}"#,
        told: &[],
    },
    TypedTool {
        kinds: &["text_editor_"],
        name: "str_replace_based_edit_tool",
        description: EDITS,
        parameters: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string","description":"The file or directory."},"file_text":{"type":"string","description":"For `create`: the whole text."},"old_str":{"type":"string","description":"For `str_replace`: the text to replace."},"new_str":{"type":"string","description":"For `str_replace`: the new text."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind, 0 for the start."},"insert_text":{"type":"string","description":"For `insert`: the new text."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line, from 1; -1 is the end."}},"required":["command","path"]}"#,
        told: &[],
    },
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool>
    TypedTool {
        kinds: &["memory_"],
        name: "memory",
        description: "Keeps notes in files below `/memories` that later conversations can read. Look there before you begin.",
        parameters: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string","description":"The file or directory, for all but `rename`."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For `view`: first and last line, from 1; -1 is the end."},"file_text":{"type":"string","description":"For `create`: the whole text."},"old_str":{"type":"string","description":"For `str_replace`: the text to replace, which occurs exactly once."},"new_str":{"type":"string","description":"For `str_replace`: the new text."},"insert_line":{"type":"integer","description":"For `insert`: the line to insert behind, 0 for the start."},"insert_text":{"type":"string","description":"For `insert`: the new text."},"old_path":{"type":"string","description":"For `rename`: what it is called."},"new_path":{"type":"string","description":"For `rename`: what it is to be called."}},"required":["command"]}"#,
        told: &[],
    },
    // <https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool>
    TypedTool {
        kinds: &["computer_20241022"],
        name: "computer",
        description: SCREEN,
        parameters: r#"{"type":"object","properties":{"action":{"type":"string","enum":["key","type","mouse_move","left_click","left_click_drag","right_click","middle_click","double_click","screenshot","cursor_position"]},"coordinate":{"type":"array","items":{"type":"integer"},"description":"[x, y], for `mouse_move` and `left_click_drag`."},"text":{"type":"string","description":"For `type`: the text. For `key`: the keys, as xdotool names them."}},"required":["action"]}"#,
        told: DISPLAY,
    },
    TypedTool {
        kinds: &["computer_"],
        name: "computer",
        description: SCREEN,
        parameters: r#"{"type":"object","properties":{"action":{"type":"string","enum":["key","hold_key","type","cursor_position","mouse_move","left_mouse_down","left_mouse_up","left_click","left_click_drag","right_click","middle_click","double_click","triple_click","scroll","wait","screenshot","zoom"]},"coordinate":{"type":"array","items":{"type":"integer"},"description":"[x, y] of the mouse."},"start_coordinate":{"type":"array","items":{"type":"integer"},"description":"[x, y], for `left_click_drag`: where it begins."},"text":{"type":"string","description":"For `type`: the text. For `key` and `hold_key`, and keys held during a click or scroll: the keys, as xdotool names them."},"duration":{"type":"number","description":"Seconds, for `hold_key` and `wait`."},"scroll_direction":{"type":"string","enum":["up","down","left","right"]},"scroll_amount":{"type":"number","description":"Clicks of the wheel."},"region":{"type":"array","items":{"type":"integer"},"description":"[x1, y1, x2, y2], for `zoom`, where the user has enabled it."}},"required":["action"]}"#,
        told: &[
            ("display_width_px", "Width of the screen in pixels"),
            ("display_height_px", "Height of the screen in pixels"),
            ("display_number", "Number of the display"),
            ("enable_zoom", "`zoom` may be used"),
        ],
    },
];
