//! Values of a known kind from the tree. Each reader gives the value, or notes what is wrong and gives `None`.

mod shaped;

use std::collections::BTreeMap;
use std::time::Duration;

use ostia_routing::nearest;

use crate::shape::{FILE, Shape};
use crate::tree::{Key, Point, Tree, Value};
use crate::{AGE_MAX, Code, ENTRIES_MAX, Place, Problem, SecretRef, TIMEOUT_MAX, expand, quantity, secret};

/// A value with its path, and what it must be.
#[derive(Clone)]
pub(crate) struct Item<'a> {
    pub(crate) path: String,
    pub(crate) tree: &'a Tree,
    pub(crate) shape: &'static Shape,
    /// The place of the key, for a field of a map: what is said of a field points at its name.
    key: Option<&'a Key>,
}

impl<'a> Item<'a> {
    pub(crate) fn root(tree: &'a Tree) -> Item<'a> {
        Item { path: String::new(), tree, shape: &FILE, key: None }
    }

    fn field(&self, key: &'a Key, tree: &'a Tree) -> Item<'a> {
        let name = key.name.escape_debug();
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Item { path, tree, shape: self.shape.of(&key.name), key: Some(key) }
    }

    fn entry(&self, index: usize, tree: &'a Tree) -> Item<'a> {
        let path = format!("{}[{index}]", self.path);
        Item { path, tree, shape: self.shape.item(), key: None }
    }

    /// The same, with another shape.
    pub(crate) fn taken_for(&self, shape: &'static Shape) -> Item<'a> {
        Item { path: self.path.clone(), tree: self.tree, shape, key: self.key }
    }

    /// The field of this name, if it is a map that has one.
    pub(crate) fn field_named(&self, name: &str) -> Option<Item<'a>> {
        let Value::Map(map) = &self.tree.value else { return None };
        let (key, tree) = map.iter().find(|(key, _)| key.name == name)?;
        Some(self.field(key, tree))
    }

    /// The items of a list; none where it is none.
    pub(crate) fn items(&self) -> Vec<Item<'a>> {
        let Value::List(items) = &self.tree.value else { return Vec::new() };
        items.iter().enumerate().map(|(index, tree)| self.entry(index, tree)).collect()
    }

    /// The names of the fields of a map.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let Value::Map(map) = &self.tree.value else { return Vec::new() };
        map.iter().map(|(key, _)| key.name.as_str()).collect()
    }

    /// Is it a list?
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.tree.value, Value::List(_))
    }

    /// Is it a map of fields?
    pub(crate) fn is_map(&self) -> bool {
        matches!(self.tree.value, Value::Map(_))
    }

    /// Has it a field of this name?
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(&self.tree.value, Value::Map(map) if map.iter().any(|(key, _)| key.name == name))
    }

    /// Where the value is.
    pub(crate) fn place(&self) -> Place {
        Place { path: self.path.clone(), line: self.tree.line, column: self.tree.column }
    }

    /// Where something below the value is, by a path like `targets[1].retry`: as near as the file has it.
    fn place_below(&self, path: &str, point: Point) -> Place {
        let (line, column) = self.tree.find(path, point);
        let joint = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        Place { path: format!("{}{joint}{path}", self.path), line, column }
    }

    /// Where its name is.
    pub(crate) fn key_place(&self) -> Place {
        let place = self.place();
        self.key.map_or(place.clone(), |key| Place { line: key.line, column: key.column, ..place })
    }
}

/// The environment, and what was found so far.
pub(crate) struct Reader<'e> {
    pub(crate) env: &'e dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'e> Reader<'e> {
    pub(crate) fn new(env: &'e dyn Fn(&str) -> Option<String>) -> Reader<'e> {
        Reader { env, problems: Vec::new() }
    }

    /// What was found.
    pub(crate) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    /// How much was found so far.
    pub(crate) fn found(&self) -> usize {
        self.problems.len()
    }

    pub(crate) fn problem(
        &mut self,
        item: &Item<'_>,
        code: Code,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problem_at(item.place(), code, message, hint);
    }

    pub(crate) fn problem_at(
        &mut self,
        place: Place,
        code: Code,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problems.push(Problem { place, code, message: message.into(), hint });
    }

    /// A problem somewhere below an item, at a path of its own.
    pub(crate) fn problem_below(
        &mut self,
        item: &Item<'_>,
        path: &str,
        code: Code,
        message: String,
        hint: Option<String>,
    ) {
        let point = if code == Code::UnknownField { Point::Key } else { Point::Value };
        self.problems.push(Problem { place: item.place_below(path, point), code, message, hint });
    }

    fn wrong<T>(&mut self, item: &Item<'_>, expected: &str) -> Option<T> {
        let message = format!("must be {expected}, not {}", kind(&item.tree.value));
        self.problem(item, Code::WrongType, message, None);
        None
    }

    /// The entries of a map that are not null. A key that is given twice is a problem.
    pub(crate) fn entries<'a>(&mut self, item: &Item<'a>) -> Vec<(&'a str, Item<'a>)> {
        let map = match &item.tree.value {
            Value::Null => return Vec::new(),
            Value::Map(map) if map.len() <= ENTRIES_MAX => map,
            Value::Map(_) => {
                self.problem(item, Code::TooLarge, format!("has more than {ENTRIES_MAX} entries"), None);
                return Vec::new();
            }
            _ => return self.wrong(item, "a map of fields").unwrap_or_default(),
        };
        let mut seen = BTreeMap::new();
        let mut found = Vec::with_capacity(map.len());
        for (key, tree) in map {
            let field = item.field(key, tree);
            if let Some(first) = seen.get(key.name.as_str()) {
                let hint = format!("the first one is in line {first}");
                self.problem_at(field.key_place(), Code::Duplicate, "is given twice", Some(hint));
                continue;
            }
            seen.insert(key.name.as_str(), key.line);
            if !matches!(tree.value, Value::Null) {
                found.push((key.name.as_str(), field));
            }
        }
        found
    }

    /// The entries of a map whose names are known. All others are problems, but for `x-...`, which is for the author's anchors.
    pub(crate) fn fields<'a>(&mut self, item: &Item<'a>) -> Vec<(&'a str, Item<'a>)> {
        let known: Vec<&str> = item.shape.fields().iter().map(|(name, ..)| *name).collect();
        let mut entries = self.entries(item);
        entries.retain(|(name, field)| {
            let good = known.contains(name);
            if !good && !is_own(name) {
                self.unknown(field, name, &known);
            }
            good
        });
        entries
    }

    fn unknown(&mut self, field: &Item<'_>, name: &str, known: &[&str]) {
        let hint = match nearest(name, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the fields here are {}", known.join(", ")),
        };
        self.problem_at(field.key_place(), Code::UnknownField, "unknown field", Some(hint));
    }

    /// The items of a list.
    pub(crate) fn items<'a>(&mut self, item: &Item<'a>) -> Vec<Item<'a>> {
        match &item.tree.value {
            Value::List(items) if items.len() <= ENTRIES_MAX => item.items(),
            Value::List(_) => {
                self.problem(item, Code::TooLarge, format!("has more than {ENTRIES_MAX} entries"), None);
                Vec::new()
            }
            _ => self.wrong(item, "a list").unwrap_or_default(),
        }
    }

    /// A text that is not empty, with `${NAME}` expanded.
    pub(crate) fn text(&mut self, item: &Item<'_>) -> Option<String> {
        let text = self.expanded(item)?;
        if text.trim().is_empty() {
            let hint = "give a value, or take the field out".to_owned();
            self.problem(item, Code::Empty, "is empty", Some(hint));
            return None;
        }
        Some(text)
    }

    fn expanded(&mut self, item: &Item<'_>) -> Option<String> {
        match &item.tree.value {
            Value::Text(text) => match expand::expand(text, self.env) {
                Ok(text) => Some(text),
                Err(fault) => {
                    let hint = (fault.code == Code::UnsetVariable).then(|| secret::SET_IT.to_owned());
                    self.problem(item, fault.code, fault.message, hint);
                    None
                }
            },
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => {
                let message = format!("must be a text, not {}", kind(&item.tree.value));
                self.problem(item, Code::WrongType, message, Some("put it in quotes".to_owned()));
                None
            }
            Value::Null | Value::List(_) | Value::Map(_) => self.wrong(item, "a text"),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, item: &Item<'_>) -> Vec<String> {
        let items = self.items(item);
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// The text that stands here, if it is one. What is wrong with it was noted when it was read.
    pub(crate) fn plain_text(&self, item: &Item<'_>) -> Option<String> {
        let Value::Text(text) = &item.tree.value else { return None };
        expand::expand(text, self.env).ok().filter(|text| !text.trim().is_empty())
    }

    /// A credential, by reference.
    pub(crate) fn secret(&mut self, item: &Item<'_>) -> Option<SecretRef> {
        let Value::Text(text) = &item.tree.value else { return self.expanded(item).and(None) };
        if text.trim().is_empty() {
            let hint = "write ${NAME}, file:/path, or the key itself".to_owned();
            self.problem(item, Code::Empty, "is empty", Some(hint));
            return None;
        }
        match secret::parse(text.trim(), self.env) {
            Ok(source) => Some(SecretRef { source, place: item.place() }),
            Err(fault) => {
                self.problem(item, fault.code, fault.message, None);
                None
            }
        }
    }

    /// A number, a size or a time, as the text that people write.
    fn quantity(&mut self, item: &Item<'_>) -> Option<String> {
        match &item.tree.value {
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Text(_) => self.text(item),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => {
                self.wrong(item, &item.shape.expected())
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, item: &Item<'_>) -> Option<bool> {
        match &item.tree.value {
            Value::Bool(value) => Some(*value),
            _ => self.wrong(item, "true or false"),
        }
    }

    /// One of the words of its shape, also where YAML takes it for a number.
    pub(crate) fn word_or_number(&mut self, item: &Item<'_>) -> Option<String> {
        let text = self.quantity(item)?;
        let is_known = matches!(item.shape, Shape::Words(words) if words().contains(&text.trim()));
        self.or_problem(item, is_known.then(|| text.trim().to_owned()))
    }

    /// A whole number within the bounds of its shape.
    pub(crate) fn integer(&mut self, item: &Item<'_>) -> Option<usize> {
        let text = self.quantity(item)?;
        let number = text.trim().parse::<u64>().ok();
        let number = number.filter(
            |number| matches!(item.shape, Shape::Count(least, most) if (*least..=*most).contains(number)),
        );
        self.or_problem(item, number).and_then(|number| usize::try_from(number).ok())
    }

    /// An amount of money.
    pub(crate) fn amount(&mut self, item: &Item<'_>) -> Option<f64> {
        let text = self.quantity(item)?;
        let amount = text.trim().parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
        self.or_problem(item, amount)
    }

    /// A size within the bounds of its shape, in bytes.
    pub(crate) fn bytes(&mut self, item: &Item<'_>) -> Option<usize> {
        let text = self.quantity(item)?;
        let bytes = quantity::bytes(&text).filter(
            |bytes| matches!(item.shape, Shape::Bytes(least, most) if (*least..=*most).contains(bytes)),
        );
        self.or_problem(item, bytes).and_then(|bytes| usize::try_from(bytes).ok())
    }

    /// A time above zero.
    pub(crate) fn duration(&mut self, item: &Item<'_>) -> Option<Duration> {
        let text = self.quantity(item)?;
        let time = quantity::duration(&text).filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX);
        self.or_problem(item, time)
    }

    /// A time above zero that may be years.
    pub(crate) fn age(&mut self, item: &Item<'_>) -> Option<Duration> {
        let text = self.quantity(item)?;
        let age = quantity::age(&text).filter(|age| !age.is_zero() && *age <= AGE_MAX);
        self.or_problem(item, age)
    }

    /// One of the words of its shape.
    pub(crate) fn one_of(&mut self, item: &Item<'_>) -> Option<String> {
        let text = self.text(item)?;
        let is_known = matches!(item.shape, Shape::Words(words) if words().contains(&&*text));
        self.or_problem(item, is_known.then_some(text))
    }

    /// A time above zero, or `off` (also as 0).
    pub(crate) fn duration_or_off(&mut self, item: &Item<'_>) -> Option<Option<Duration>> {
        let text = self.quantity(item)?;
        let time = match text.trim() {
            "off" => Some(Duration::ZERO),
            text => quantity::duration(text).filter(|time| *time <= TIMEOUT_MAX),
        };
        self.or_problem(item, time).map(|time| Some(time).filter(|time| !time.is_zero()))
    }

    fn or_problem<T>(&mut self, item: &Item<'_>, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.problem(item, Code::WrongValue, format!("must be {}", item.shape.expected()), None);
        }
        value
    }

    /// Any value as JSON, with `${NAME}` expanded in its texts.
    pub(crate) fn json(&mut self, item: &Item<'_>) -> serde_json::Value {
        match &item.tree.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(_) => self.expanded(item).into(),
            Value::List(_) => {
                let items = self.items(item);
                items.iter().map(|item| self.json(item)).collect()
            }
            Value::Map(_) => {
                let entries = self.entries(item);
                entries.iter().map(|(name, item)| ((*name).to_owned(), self.json(item))).collect()
            }
        }
    }
}

/// Is it the name of a field of the author's own, to hang an anchor on?
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with("x-")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map of fields",
    }
}
