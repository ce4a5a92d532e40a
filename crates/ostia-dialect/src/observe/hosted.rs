//! Tools that a vendor ran for an answer. Few answers have any, which is seen at a look; only those are read.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::frame::Grammar;
use crate::json::Document;
use crate::{Metered, anthropic_messages, gemini_generate, openai_chat, openai_responses};

type Name = LazyLock<Finder<'static>>;

// Inside a text a quote is escaped, so these cannot match in the words of an answer.
static CITED: Name = LazyLock::new(|| Finder::new("\"url_citation\""));
static EXECUTED: Name = LazyLock::new(|| Finder::new("\"executed_tools\""));
/// Of `web_search_call`, and of calls of functions too, which are read in vain: their answers are small.
static CALL: Name = LazyLock::new(|| Finder::new("_call\""));
static SERVER_TOOL: Name = LazyLock::new(|| Finder::new("\"server_tool_use\""));
static GROUNDING: Name = LazyLock::new(|| Finder::new("\"groundingMetadata\""));
/// A block of Anthropic's, and not the count of that name.
const BLOCK_TYPE: &[u8] = b"\"type\"";

/// May a whole answer, or an event of a stream, tell of such tools?
pub(super) fn may_tell(grammar: Grammar, body: &[u8]) -> bool {
    let has = |name: &Name| name.find(body).is_some();
    match grammar {
        Grammar::OpenaiChat => has(&CITED) || has(&EXECUTED),
        Grammar::OpenaiResponses => has(&CALL),
        Grammar::AnthropicMessages => SERVER_TOOL.find_iter(body).any(|at| is_type(&body[..at])),
        Grammar::GeminiGenerate => has(&GROUNDING),
        Grammar::OpenaiCompletions | Grammar::Unknown => false,
    }
}

/// What the vendor charges for beside tokens, as the body of a whole answer tells it elsewhere than in its count of them.
pub(super) fn of_body(grammar: Grammar, body: &[u8]) -> Metered {
    let Some(document) = may_tell(grammar, body).then(|| Document::parse(body).ok()).flatten() else {
        return Metered::default();
    };
    let root = document.root();
    match grammar {
        Grammar::OpenaiChat => openai_chat::tools(root),
        Grammar::OpenaiResponses => openai_responses::tools_of(root),
        Grammar::AnthropicMessages => anthropic_messages::tools(root),
        Grammar::GeminiGenerate => gemini_generate::grounding(root),
        Grammar::OpenaiCompletions | Grammar::Unknown => Metered::default(),
    }
}

/// Does what stands before a text say that it is the type of something?
fn is_type(before: &[u8]) -> bool {
    let before = before.trim_ascii_end().strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    before.is_some_and(|before| before.ends_with(BLOCK_TYPE))
}
