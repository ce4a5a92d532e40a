//! What answers of an API are searched for: [`Subject`].

use crate::frame::Grammar;
use crate::json::Node;
use crate::{Api, Meter, Metered, Operation, Usage};

/// What an answer is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub(super) grammar: Grammar,
    pub(super) counted: Counted,
}

/// What is counted where an answer has no count of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Nothing,
    /// The images that are in it.
    Images,
    /// The length of a recording.
    Seconds,
}

impl Subject {
    /// Answers that nobody here understands.
    pub const UNREAD: Subject = Subject { grammar: Grammar::Unknown, counted: Counted::Nothing };

    /// Answers of this kind, in which nothing but tokens is counted.
    #[cfg(test)]
    pub(super) fn of_grammar(grammar: Grammar) -> Subject {
        Subject { grammar, ..Subject::UNREAD }
    }

    /// Whole answers of this API.
    pub fn of(api: Api) -> Subject {
        let counted = match api.operation() {
            Operation::Images | Operation::ImageEdits | Operation::ImageVariations => Counted::Images,
            Operation::Transcription | Operation::Translation => Counted::Seconds,
            _ => Counted::Nothing,
        };
        Subject { grammar: api.grammar(), counted }
    }
}

/// What a request says of what it will be charged for, where no answer does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedFor {
    /// How many characters (Unicode code points) are to be spoken.
    pub characters: u64,
    /// Pages are to be annotated.
    pub is_annotated: bool,
}

/// What a request says of what it will be charged for. `root`: its body.
///
/// ```
/// use ostia_dialect::{Api, json::Document, observe::asked_for};
/// let body = Document::parse(br#"{"model":"m","input":"n\u00e9e"}"#).unwrap();
/// assert_eq!(asked_for(Api::OpenaiSpeech, body.root()).characters, 3);
/// ```
pub fn asked_for(api: Api, root: Node<'_>) -> AskedFor {
    match api.operation() {
        Operation::Speech => {
            let characters = root.str("input").map_or(0, |input| input.chars().count());
            AskedFor { characters: characters as u64, ..AskedFor::default() }
        }
        Operation::Ocr => {
            let formats = ["document_annotation_format", "bbox_annotation_format"];
            let is_annotated = formats.iter().any(|name| root.some(name).is_some());
            AskedFor { is_annotated, ..AskedFor::default() }
        }
        _ => AskedFor::default(),
    }
}

/// What an answer took beside tokens, where its request says more of it: `told` is what the answer says. What is spoken is charged for
/// by characters where no tokens are counted.
pub fn with_asked(told: Usage, asked: AskedFor) -> Metered {
    let pages = if asked.is_annotated { told.metered.count(Meter::Pages) } else { 0 };
    let characters = if told.total() == 0 { asked.characters } else { 0 };
    let metered = told.metered.minus(&Metered::one(Meter::Pages, pages));
    metered.with(Meter::AnnotatedPages, pages).with(Meter::InputCharacters, characters)
}
