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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedFor {
    /// How many characters (Unicode code points) are to be spoken.
    pub characters: u64,
    /// Pages are to be annotated.
    pub is_annotated: bool,
    /// How the images are to be made, where it is for those that it asks.
    pub images: Option<AskedImages>,
}

/// How images are to be made, in the client's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedImages {
    /// Width and height (`1024x1536`), or a word (`auto`, `2K`, `16:9`); nothing where the request leaves it to the vendor.
    pub size: Option<Box<str>>,
    /// How good they are to be (`hd`); nothing where the request leaves it to the vendor.
    pub quality: Option<Box<str>>,
}

/// Longest word for a size or a quality, in characters. What is cut is no word that has a price.
const WORD_CHARACTERS_MAX: usize = 64;

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
        Operation::Images | Operation::ImageEdits | Operation::ImageVariations => {
            AskedFor { images: Some(asked_images(root)), ..AskedFor::default() }
        }
        _ => AskedFor::default(),
    }
}

/// By OpenAI's `size`, else in the words that other vendors have for it, which clients may send them too.
fn asked_images(root: Node<'_>) -> AskedImages {
    let word = |name: &str| {
        let text = root.str(name)?;
        Some(text.chars().take(WORD_CHARACTERS_MAX).collect::<String>().into_boxed_str())
    };
    let pixels = || {
        let length = |name: &str| {
            root.u64(name).map(|length| length.to_string()).or_else(|| word(name).map(String::from))
        };
        Some(format!("{}x{}", length("width")?, length("height")?).into_boxed_str())
    };
    let other = || ["resolution", "image_size", "aspect_ratio"].into_iter().find_map(word);
    AskedImages { size: word("size").or_else(pixels).or_else(other), quality: word("quality") }
}

/// What an answer took beside tokens, where its request says more of it: `told` is what the answer says. What is spoken is charged for
/// by characters where no tokens are counted.
pub fn with_asked(told: Usage, asked: &AskedFor) -> Metered {
    let pages = if asked.is_annotated { told.metered.count(Meter::Pages) } else { 0 };
    let characters = if told.total() == 0 { asked.characters } else { 0 };
    let metered = told.metered.minus(&Metered::one(Meter::Pages, pages));
    metered.with(Meter::AnnotatedPages, pages).with(Meter::InputCharacters, characters)
}
