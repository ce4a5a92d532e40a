//! Tools that a vendor ran, told by the texts of a large answer: the same as [`hosted`](super::super::hosted) reads of a small one.

use crate::frame::Grammar;
use crate::{Meter, Metered, gemini_generate};

/// Most queries that are remembered.
const QUERIES_MAX: usize = 256;
/// How deep in an answer its items and blocks are.
const ITEM_DEPTH: usize = 2;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Tools {
    seen: Metered,
    /// The text before was the name of one of these fields.
    field: Option<Field>,
    /// Looks at the web that were no searches.
    looks: u64,
    is_cited: bool,
    has_map: bool,
    queries: Vec<Box<str>>,
    block: Block,
    runs_code: bool,
    searches_by_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Type,
    Name,
}

/// What is known of the block that is open: its vendor runs it, what it is for, and that code asked for it.
#[derive(Debug, Default)]
struct Block {
    is_run: bool,
    is_code: bool,
    is_search: bool,
    is_by_code: bool,
}

impl Tools {
    /// An object begins, which is so deep.
    pub(super) fn begin(&mut self, depth: usize) {
        self.field = None;
        if depth == ITEM_DEPTH {
            self.block = Block::default();
        }
    }

    /// Takes note of a text in an object that is so deep: a name, or a value.
    pub(super) fn note(&mut self, grammar: Grammar, depth: usize, text: &str) {
        let is_type = self.field == Some(Field::Type);
        match grammar {
            Grammar::OpenaiChat if is_type && text == "url_citation" => self.is_cited = true,
            Grammar::OpenaiChat if text == "executed_tools" => self.saw(Meter::OtherTools),
            Grammar::OpenaiResponses if is_type && depth == ITEM_DEPTH => self.item(text),
            Grammar::OpenaiResponses if is_type && matches!(text, "open_page" | "find_in_page") => {
                self.looks += 1;
            }
            Grammar::AnthropicMessages => self.note_block(depth, text),
            Grammar::GeminiGenerate if text == "maps" => self.has_map = true,
            Grammar::OpenaiChat
            | Grammar::OpenaiCompletions
            | Grammar::OpenaiResponses
            | Grammar::GeminiGenerate
            | Grammar::Unknown => {}
        }
        self.field = match text {
            "type" => Some(Field::Type),
            "name" => Some(Field::Name),
            _ => None,
        };
    }

    /// Something was searched for.
    pub(super) fn query(&mut self, text: &str) {
        if self.queries.len() < QUERIES_MAX {
            self.queries.push(text.into());
        }
    }

    /// What the vendor charges for, in an answer of this model.
    pub(super) fn metered(&self, model: &str) -> Metered {
        let looks = Metered::one(Meter::WebSearches, self.looks);
        let queries = gemini_generate::searches(model, self.queries.iter().map(AsRef::as_ref));
        self.seen
            .minus(&looks)
            .with(Meter::WebSearches, u64::from(self.is_cited) + queries)
            .with(Meter::MapSearches, u64::from(self.has_map))
            .with(Meter::CodeSessions, u64::from(self.runs_code && !self.searches_by_code))
    }

    fn saw(&mut self, meter: Meter) {
        self.seen = self.seen.with(meter, 1);
    }

    fn item(&mut self, text: &str) {
        match text {
            "web_search_call" => self.saw(Meter::WebSearches),
            "file_search_call" => self.saw(Meter::FileSearches),
            "code_interpreter_call" => self.saw(Meter::CodeSessions),
            "image_generation_call" => self.saw(Meter::ImageGenerations),
            "x_search_call" | "document_search_call" | "collections_search_call" => {
                self.saw(Meter::OtherTools);
            }
            _ => {}
        }
    }

    fn note_block(&mut self, depth: usize, text: &str) {
        let block = &mut self.block;
        match (self.field, text) {
            (Some(Field::Type), "server_tool_use") if depth == ITEM_DEPTH => block.is_run = true,
            (Some(Field::Name), "code_execution" | "bash_code_execution" | "text_editor_code_execution") => {
                block.is_code |= depth == ITEM_DEPTH;
            }
            (Some(Field::Name), "web_search" | "web_fetch") => block.is_search |= depth == ITEM_DEPTH,
            (Some(Field::Type), caller) if caller.starts_with("code_execution_2") => {
                block.is_by_code |= depth > ITEM_DEPTH;
            }
            _ => {}
        }
        self.runs_code |= block.is_run && block.is_code;
        self.searches_by_code |= block.is_run && block.is_search && block.is_by_code;
    }
}
