//! Tools that a vendor ran, told by the texts of a large answer: the same as [`hosted`](super::super::hosted) reads of a small one.

use crate::anthropic_messages::ServerTool;
use crate::frame::Grammar;
use crate::{Meter, Metered, anthropic_messages, gemini_generate, openai_responses};

/// Most queries that are remembered.
const QUERIES_MAX: usize = 256;
/// How deep in an answer its items and blocks are.
const ITEM_DEPTH: usize = 2;
/// How deep the lists are that Google's answers have beside a candidate's words.
const GROUNDING_DEPTH: usize = 3;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Tools {
    seen: Metered,
    /// The text before was the name of one of these fields.
    field: Option<Field>,
    /// The object is open that counts the use of tools (OpenAI), and in it that of searches.
    tool_usage: Option<ToolUsage>,
    /// The objects that are so deep are tools that were run (Groq).
    executed_depth: Option<usize>,
    /// What candidates rest on is being told (Google).
    is_in_chunks: bool,
    /// Looks at the web that were no searches.
    looks: u64,
    is_cited: bool,
    has_map: bool,
    /// What was searched for: how each begins, and its length.
    queries: Vec<(Box<[u8]>, usize)>,
    block: Block,
    runs_code: bool,
    searches_by_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Type,
    Name,
    Maps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ToolUsage {
    All,
    WebSearch,
}

/// What is known of the block that is open: its vendor runs it, what it is for, and that code asked for it.
#[derive(Debug, Default)]
struct Block {
    is_run: bool,
    tool: Option<ServerTool>,
    is_by_code: bool,
}

impl Tools {
    /// An object begins, which is so deep.
    pub(super) fn begin(&mut self, depth: usize) {
        self.has_map |= self.field == Some(Field::Maps);
        self.field = None;
        if depth == ITEM_DEPTH {
            self.block = Block::default();
        }
        if self.executed_depth == Some(depth) {
            self.saw(Meter::OtherTools);
        }
    }

    /// Takes note of a text in an object that is so deep: a name, or a value.
    pub(super) fn note(&mut self, grammar: Grammar, depth: usize, text: &str) {
        let is_type = self.field == Some(Field::Type);
        match grammar {
            Grammar::OpenaiChat => {
                self.is_cited |= is_type && text == "url_citation";
                // What follows in the same object, or outside of it, is none of them.
                self.executed_depth = self.executed_depth.filter(|executed| depth >= *executed);
                if text == "executed_tools" {
                    self.executed_depth = Some(depth + 1);
                }
            }
            Grammar::OpenaiResponses => self.note_item(depth, is_type, text),
            Grammar::AnthropicMessages => self.note_block(depth, text),
            Grammar::GeminiGenerate if depth <= GROUNDING_DEPTH => {
                self.is_in_chunks = depth == GROUNDING_DEPTH && text == "groundingChunks";
            }
            Grammar::GeminiGenerate | Grammar::OpenaiCompletions | Grammar::Unknown => {}
        }
        self.field = match text {
            "type" => Some(Field::Type),
            "name" => Some(Field::Name),
            "maps" if self.is_in_chunks && depth == GROUNDING_DEPTH + 1 => Some(Field::Maps),
            _ => None,
        };
    }

    /// Something was searched for that begins so and is so long. An empty query is none, and one that is told twice was made once.
    pub(super) fn query(&mut self, beginning: &[u8], bytes: usize) {
        let is_known = |(known, length): &(Box<[u8]>, usize)| (&**known, *length) == (beginning, bytes);
        if bytes > 0 && self.queries.len() < QUERIES_MAX && !self.queries.iter().any(is_known) {
            self.queries.push((beginning.into(), bytes));
        }
    }

    /// Is an object that is so deep the one in which the vendor counts its searches?
    pub(super) fn counts_searches(&self, depth: usize) -> bool {
        self.tool_usage == Some(ToolUsage::WebSearch) && depth == 3
    }

    /// What the vendor charges for, in an answer of this model.
    pub(super) fn metered(&self, model: &str) -> Metered {
        let looks = Metered::one(Meter::WebSearches, self.looks);
        let queries = gemini_generate::searches(model, self.queries.len() as u64);
        self.seen
            .minus(&looks)
            .with(Meter::WebSearches, u64::from(self.is_cited) + queries)
            .with(Meter::MapSearches, u64::from(self.has_map))
            .with(Meter::CodeSessions, u64::from(self.runs_code && !self.searches_by_code))
    }

    fn saw(&mut self, meter: Meter) {
        self.seen = self.seen.with(meter, 1);
    }

    fn note_item(&mut self, depth: usize, is_type: bool, text: &str) {
        if is_type && depth == ITEM_DEPTH {
            openai_responses::meter_of(text).into_iter().for_each(|meter| self.saw(meter));
        }
        self.looks += u64::from(is_type && openai_responses::is_look(text));
        self.tool_usage = match (depth, self.tool_usage) {
            (1, _) => (text == "tool_usage").then_some(ToolUsage::All),
            (2, Some(_)) if text == "web_search" => Some(ToolUsage::WebSearch),
            (2, Some(_)) => Some(ToolUsage::All),
            (_, known) => known,
        };
    }

    fn note_block(&mut self, depth: usize, text: &str) {
        let block = &mut self.block;
        match (self.field, text) {
            (Some(Field::Type), "server_tool_use") if depth == ITEM_DEPTH => block.is_run = true,
            (Some(Field::Name), name) if depth == ITEM_DEPTH => {
                block.tool = anthropic_messages::server_tool(name).or(block.tool);
            }
            (Some(Field::Type), caller) if caller.starts_with("code_execution_2") => {
                block.is_by_code |= depth > ITEM_DEPTH;
            }
            _ => {}
        }
        let tool = block.tool.filter(|_| block.is_run);
        self.runs_code |= tool == Some(ServerTool::Code);
        self.searches_by_code |= tool == Some(ServerTool::Web) && block.is_by_code;
    }
}
