//! Whole values of a shape, as JSON: for what another crate will read, with every problem at its own place.

use ostia_routing::nearest;
use serde_json::{Map, Value as Json};

use super::{Item, Reader};
use crate::Code;
use crate::shape::Shape;
use crate::tree::Value;

/// Most words that a message lists.
const WORDS_LISTED_MAX: usize = 8;

impl Reader<'_> {
    /// The value, with `${NAME}` expanded in its texts. What does not fit its shape is noted.
    pub(crate) fn shaped(&mut self, item: &Item<'_>) -> Json {
        match item.shape {
            Shape::Fields(_, needed) => self.shaped_fields(item, needed),
            Shape::Map(_) => {
                let entries = self.entries(item);
                entries.iter().map(|(name, item)| ((*name).to_owned(), self.shaped(item))).collect()
            }
            Shape::List(_) | Shape::ListOf(..) => {
                let items = self.items(item);
                items.iter().map(|item| self.shaped(item)).collect()
            }
            Shape::Pair(_) => self.shaped_pair(item),
            Shape::Either(shapes) => match shapes.iter().find(|shape| fits(shape, &item.tree.value)) {
                Some(Shape::Words(words)) => self.word(item, &words()).into(),
                Some(shape) => self.shaped(&item.taken_for(shape)),
                None => self.wrong::<()>(item, &item.shape.expected()).into(),
            },
            Shape::Named(_, shape) => self.shaped(&item.taken_for(shape)),
            Shape::Words(words) => self.word(item, &words()).into(),
            Shape::Bool => match &item.tree.value {
                Value::Bool(value) => (*value).into(),
                _ => self.wrong::<()>(item, &item.shape.expected()).into(),
            },
            Shape::Whole(least, most) => {
                let (least, most) = (*least as f64, *most as f64);
                self.number(item, |number| number.fract() == 0.0 && (least..=most).contains(&number))
            }
            Shape::Number(least, most) => self.number(item, |number| (*least..=*most).contains(&number)),
            Shape::Text | Shape::Private | Shape::Secret => self.expanded(item).into(),
            Shape::Count(..)
            | Shape::Amount
            | Shape::Bytes(..)
            | Shape::Time
            | Shape::TimeOrOff
            | Shape::Age
            | Shape::Json => self.json(item),
        }
    }

    fn shaped_fields(&mut self, item: &Item<'_>, needed: &[&str]) -> Json {
        let mut object = Map::new();
        for (name, field) in self.fields(item) {
            object.insert(name.to_owned(), self.shaped(&field));
        }
        for name in needed.iter().filter(|name| item.is_map() && !item.has(name)) {
            self.problem(item, Code::Missing, format!("needs `{name}`"), None);
        }
        Json::Object(object)
    }

    fn shaped_pair(&mut self, item: &Item<'_>) -> Json {
        let Value::List(list) = &item.tree.value else {
            return self.wrong::<()>(item, &item.shape.expected()).into();
        };
        if list.len() != 2 {
            let message = format!("must be {}, not of {}", item.shape.expected(), list.len());
            self.problem(item, Code::WrongValue, message, None);
        }
        let items = self.items(item);
        items.iter().map(|item| self.shaped(item)).collect()
    }

    /// One of the words of its shape.
    pub(crate) fn word_of(&mut self, item: &Item<'_>) -> Option<String> {
        match item.shape {
            Shape::Words(words) => self.word(item, &words()),
            _ => self.expanded(item),
        }
    }

    fn word(&mut self, item: &Item<'_>, words: &[&str]) -> Option<String> {
        let text = self.expanded(item)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let near = nearest(&text, words.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let (message, list) = match words.len() {
            ..=WORDS_LISTED_MAX => (format!("must be {}", item.shape.expected()), None),
            _ => ("is no known word".to_owned(), Some(format!("the words are {}", words.join(", ")))),
        };
        self.problem(item, Code::WrongValue, message, near.or(list));
        None
    }

    fn number(&mut self, item: &Item<'_>, fits: impl Fn(f64) -> bool) -> Json {
        let (number, json) = match &item.tree.value {
            Value::Integer(number) => (*number as f64, Json::from(*number)),
            Value::Float(number) => (*number, Json::from(*number)),
            _ => return self.wrong::<()>(item, &item.shape.expected()).into(),
        };
        if fits(number) {
            return json;
        }
        let message = format!("must be {}", item.shape.expected());
        self.problem(item, Code::WrongValue, message, None);
        Json::Null
    }
}

/// Is a value of the kind that a shape is?
fn fits(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Named(_, shape), _) => fits(shape, value),
        (Shape::Either(shapes), _) => shapes.iter().any(|shape| fits(shape, value)),
        (Shape::Fields(..) | Shape::Map(_), Value::Map(_))
        | (Shape::List(_) | Shape::ListOf(..) | Shape::Pair(_), Value::List(_))
        | (Shape::Whole(..) | Shape::Number(..), Value::Integer(_) | Value::Float(_))
        | (Shape::Text | Shape::Private | Shape::Secret | Shape::Words(_), Value::Text(_))
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Json, _) => true,
        _ => false,
    }
}
