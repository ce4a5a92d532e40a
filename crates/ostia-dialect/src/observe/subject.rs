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

/// What a request says of what it will be charged for, where no answer does: what is spoken, and whether pages are annotated.
/// `root`: its body.
///
/// ```
/// use ostia_dialect::{Api, Meter, json::Document, observe::asked_for};
/// let body = Document::parse(br#"{"model":"m","input":"n\u00e9e"}"#).unwrap();
/// assert_eq!(asked_for(Api::OpenaiSpeech, body.root()).count(Meter::InputCharacters), 3);
/// ```
pub fn asked_for(api: Api, root: Node<'_>) -> Metered {
    match api.operation() {
        Operation::Speech => {
            let characters = root.str("input").map_or(0, |input| input.chars().count());
            Metered::one(Meter::InputCharacters, characters as u64)
        }
        Operation::Ocr => {
            let formats = ["document_annotation_format", "bbox_annotation_format"];
            let is_annotated = formats.iter().any(|name| root.some(name).is_some());
            Metered::one(Meter::AnnotatedPages, u64::from(is_annotated))
        }
        _ => Metered::default(),
    }
}

/// What an answer took beside tokens, where its request says more of it: `told` is what the answer says. What is spoken is charged for
/// by characters where no tokens are counted.
pub fn with_asked(told: Usage, asked: Metered) -> Metered {
    let (pages, characters) = (told.metered.count(Meter::Pages), asked.count(Meter::InputCharacters));
    let is_annotated = asked.count(Meter::AnnotatedPages) > 0;
    let metered = match is_annotated && pages > 0 {
        true => told.metered.minus(&Metered::one(Meter::Pages, pages)).with(Meter::AnnotatedPages, pages),
        false => told.metered,
    };
    if told.total() == 0 { metered.with(Meter::InputCharacters, characters) } else { metered }
}
