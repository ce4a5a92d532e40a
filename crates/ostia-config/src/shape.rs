//! What the file may say, as tables: each field with its shape and a line about it.
//!
//! The reader takes the names of fields and their bounds from here, the JSON Schema is made from here, and so is the choice of
//! what may be shown of a line that is wrong.

mod file;
mod provider;
mod routing;

pub(crate) use file::FILE;

use crate::quantity::{bytes_text, duration_text};
use crate::{AGE_MAX, TIMEOUT_MAX};

/// What a value must be. `null` is the same as leaving a field out, everywhere.
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// A text that may hold a credential.
    Private,
    /// A credential by reference: `${NAME}`, `file:/path`, or itself.
    Secret,
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    /// True or false.
    Bool,
    /// A whole number from least to most, also as a text.
    Count(u64, u64),
    /// An amount of money, also as a text.
    Amount,
    /// A size from least to most, in bytes.
    Bytes(u64, u64),
    /// A time above zero.
    Time,
    /// The same, or `off`.
    TimeOrOff,
    /// A time above zero that may be years.
    Age,
    /// A whole number of JSON from least to most.
    Whole(u64, u64),
    /// A number of JSON from least to most.
    Number(f64, f64),
    /// A list.
    List(&'static Shape),
    /// A list of at least and at most so many.
    ListOf(usize, usize, &'static Shape),
    /// A list of exactly two.
    Pair(&'static Shape),
    /// A map whose keys are names of the author's own.
    Map(&'static Shape),
    /// A map of known fields, and those of them that have to be there.
    Fields(&'static [Field], &'static [&'static str]),
    /// Either of these, by the kind of the value.
    Either(&'static [Shape]),
    /// Another shape, which has a name and may hold itself.
    Named(&'static str, &'static Shape),
    /// Anything: it belongs to somebody else.
    Json,
}

/// A field: its name, what it must be, and what it is for.
pub(crate) type Field = (&'static str, Shape, &'static str);

/// Of a field that nobody knows.
static UNKNOWN: Shape = Shape::Json;

impl Shape {
    /// The known fields of a map.
    pub(crate) fn fields(&self) -> &'static [Field] {
        match self {
            Shape::Fields(fields, _) => fields,
            Shape::Named(_, shape) => shape.fields(),
            Shape::Either(shapes) => {
                shapes.iter().map(Shape::fields).find(|fields| !fields.is_empty()).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The shape of a field, by its name.
    pub(crate) fn of(&self, name: &str) -> &'static Shape {
        match self {
            Shape::Map(shape) => shape,
            Shape::Named(_, shape) => shape.of(name),
            _ => {
                let known = self.fields().iter().find(|(known, ..)| is_name(name, known));
                known.map_or(&UNKNOWN, |(_, shape, _)| shape)
            }
        }
    }

    /// The shape of the items of a list.
    pub(crate) fn item(&self) -> &'static Shape {
        match self {
            Shape::List(shape) | Shape::ListOf(.., shape) | Shape::Pair(shape) => shape,
            Shape::Named(_, shape) => shape.item(),
            Shape::Either(shapes) => {
                let is_list =
                    |shape: &&Shape| matches!(shape, Shape::List(_) | Shape::ListOf(..) | Shape::Pair(_));
                let list = shapes.iter().find(is_list);
                list.map_or(&UNKNOWN, Shape::item)
            }
            _ => &UNKNOWN,
        }
    }

    /// May a text that stands here be shown to whoever reads about a problem?
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Shape::Private | Shape::Secret | Shape::Json => false,
            Shape::Either(shapes) => shapes.iter().all(Shape::is_public),
            _ => true,
        }
    }

    /// The same, as one or more of several possibilities.
    fn alternatives(&self) -> Vec<String> {
        match self {
            Shape::Words(words) => words().into_iter().map(str::to_owned).collect(),
            Shape::Fields(fields, _) => {
                let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
                vec![format!("a map with {}", or(&names))]
            }
            _ => vec![self.expected()],
        }
    }

    /// What it must be, for messages.
    pub(crate) fn expected(&self) -> String {
        match self {
            Shape::Text | Shape::Private | Shape::Secret => "a text".to_owned(),
            Shape::Words(words) => or(&words()),
            Shape::Bool => "true or false".to_owned(),
            Shape::Count(least, most) | Shape::Whole(least, most) if *most == u64::MAX => {
                format!("a whole number of at least {least}")
            }
            Shape::Count(least, most) | Shape::Whole(least, most) => {
                format!("a whole number from {least} to {most}")
            }
            Shape::Amount => "a number of at least 0".to_owned(),
            Shape::Bytes(least, most) => {
                let (least, most) = (bytes_text(*least), bytes_text(*most));
                format!("a size from {least} to {most}, like 64KiB or 64MiB")
            }
            Shape::Time | Shape::TimeOrOff => {
                let off = if matches!(self, Shape::TimeOrOff) { ", or off" } else { "" };
                let most = duration_text(TIMEOUT_MAX);
                format!("a time from 1ms to {most}, like 500ms, 5s or 2m{off}")
            }
            Shape::Age => format!("a time from 1ms to {}d, like 12h, 7d or 400d", AGE_MAX.as_secs() / 86_400),
            Shape::Number(least, most) => format!("a number from {least} to {most}"),
            Shape::List(_) | Shape::ListOf(..) => "a list".to_owned(),
            Shape::Pair(_) => "a list of two numbers".to_owned(),
            Shape::Map(_) | Shape::Fields(..) => "a map of fields".to_owned(),
            Shape::Named(_, shape) => shape.expected(),
            Shape::Either(shapes) => or(&shapes.iter().flat_map(Shape::alternatives).collect::<Vec<_>>()),
            Shape::Json => "a value".to_owned(),
        }
    }
}

/// Is this the name of a field, in the file's spelling or in Portkey's (`onStatusCodes`)?
fn is_name(name: &str, field: &str) -> bool {
    name == field
        || name.chars().any(|c| c.is_ascii_uppercase()) && {
            let letters = field.chars().filter(|c| *c != '_');
            name.chars().map(|c| c.to_ascii_lowercase()).eq(letters)
        }
}

/// `a, b or c`.
pub(crate) fn or<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
