//! Values of a known kind from the tree. Each reader gives the value, or notes what is wrong and gives `None`.

use std::ops::RangeInclusive;
use std::time::Duration;

use ostia_routing::nearest;

use crate::quantity::{bytes_text, duration_text};
use crate::tree::{Key, Tree, Value};
use crate::{ENTRIES_MAX, PROBLEMS_MAX, Place, Problem, SecretRef, TIMEOUT_MAX, expand, quantity, secret};

/// A value with its path.
pub(crate) struct Item<'a> {
    pub(crate) path: String,
    pub(crate) tree: &'a Tree,
    /// The place of the key, for a field of a map: what is said of a field points at its name.
    key: Option<&'a Key>,
}

impl<'a> Item<'a> {
    pub(crate) fn root(tree: &'a Tree) -> Item<'a> {
        Item { path: String::new(), tree, key: None }
    }

    fn field(&self, key: &'a Key, tree: &'a Tree) -> Item<'a> {
        let name = key.name.escape_debug();
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Item { path, tree, key: Some(key) }
    }

    fn entry(&self, index: usize, tree: &'a Tree) -> Item<'a> {
        Item { path: format!("{}[{index}]", self.path), tree, key: None }
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
    fn place_below(&self, path: &str) -> Place {
        let mut place = self.place();
        let mut tree = self.tree;
        for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')) {
            let below = match &tree.value {
                Value::Map(map) => map.iter().find(|(key, _)| key.name == step).map(|(_, tree)| tree),
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            let Some(below) = below else { break };
            (tree, place.line, place.column) = (below, below.line, below.column);
        }
        if !path.is_empty() {
            let joint = if path.starts_with('[') { "" } else { "." };
            place.path = format!("{}{joint}{path}", place.path);
        }
        place
    }

    fn key_place(&self) -> Place {
        let place = self.place();
        self.key.map_or(place.clone(), |key| Place { line: key.line, column: key.column, ..place })
    }
}

/// The environment, and what was found so far.
pub(crate) struct Reader<'e> {
    pub(crate) env: &'e dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'e> Reader<'e> {
    pub(crate) fn new(env: &'e dyn Fn(&str) -> Option<String>) -> Reader<'e> {
        Reader { env, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The warnings about a good file, or all that is wrong with a bad one, in the order of the file.
    pub(crate) fn finish(mut self) -> Result<Vec<Problem>, Vec<Problem>> {
        let list = if self.problems.is_empty() { &mut self.warnings } else { &mut self.problems };
        list.sort_by_key(|problem| (problem.place.line, problem.place.column));
        if list.len() > PROBLEMS_MAX {
            list.truncate(PROBLEMS_MAX);
            let message = "there are more problems than these".to_owned();
            list.push(Problem { place: Place::default(), message, hint: None });
        }
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(self.problems) }
    }

    pub(crate) fn problem(&mut self, item: &Item<'_>, message: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem { place: item.place(), message: message.into(), hint });
    }

    pub(crate) fn warning(&mut self, item: &Item<'_>, message: impl Into<String>, hint: &str) {
        let entry = Problem { place: item.place(), message: message.into(), hint: Some(hint.to_owned()) };
        self.warnings.push(entry);
    }

    /// A problem somewhere below an item, at a path of its own.
    pub(crate) fn problem_below(
        &mut self,
        item: &Item<'_>,
        path: &str,
        message: String,
        hint: Option<String>,
    ) {
        self.problems.push(Problem { place: item.place_below(path), message, hint });
    }

    /// The same for a warning.
    pub(crate) fn warning_below(
        &mut self,
        item: &Item<'_>,
        path: &str,
        message: String,
        hint: Option<String>,
    ) {
        self.warnings.push(Problem { place: item.place_below(path), message, hint });
    }

    fn wrong<T>(&mut self, item: &Item<'_>, expected: &str) -> Option<T> {
        self.problem(item, format!("must be {expected}, not {}", kind(&item.tree.value)), None);
        None
    }

    /// The entries of a map that are not null. A key that is given twice is a problem.
    pub(crate) fn entries<'a>(&mut self, item: &Item<'a>) -> Vec<(&'a str, Item<'a>)> {
        let map = match &item.tree.value {
            Value::Null => return Vec::new(),
            Value::Map(map) if map.len() <= ENTRIES_MAX => map,
            Value::Map(_) => {
                self.problem(item, format!("has more than {ENTRIES_MAX} entries"), None);
                return Vec::new();
            }
            _ => return self.wrong(item, "a map of fields").unwrap_or_default(),
        };
        let mut seen = std::collections::BTreeSet::new();
        let mut found = Vec::with_capacity(map.len());
        for (key, tree) in map {
            let field = item.field(key, tree);
            if !seen.insert(key.name.as_str()) {
                let message = "is given twice".to_owned();
                self.problems.push(Problem { place: field.key_place(), message, hint: None });
            } else if !matches!(tree.value, Value::Null) {
                found.push((key.name.as_str(), field));
            }
        }
        found
    }

    /// The entries of a map whose names are known; all others are problems.
    pub(crate) fn fields<'a>(&mut self, item: &Item<'a>, known: &[&str]) -> Vec<(&'a str, Item<'a>)> {
        let mut entries = self.entries(item);
        entries.retain(|(name, field)| {
            let good = known.contains(name);
            if !good {
                self.unknown(field, name, known);
            }
            good
        });
        entries
    }

    pub(crate) fn unknown(&mut self, field: &Item<'_>, name: &str, known: &[&str]) {
        let hint = match nearest(name, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the fields here are {}", known.join(", ")),
        };
        let message = "unknown field".to_owned();
        self.problems.push(Problem { place: field.key_place(), message, hint: Some(hint) });
    }

    /// The items of a list.
    pub(crate) fn items<'a>(&mut self, item: &Item<'a>) -> Vec<Item<'a>> {
        match &item.tree.value {
            Value::List(items) if items.len() <= ENTRIES_MAX => {
                items.iter().enumerate().map(|(index, tree)| item.entry(index, tree)).collect()
            }
            Value::List(_) => {
                self.problem(item, format!("has more than {ENTRIES_MAX} entries"), None);
                Vec::new()
            }
            _ => self.wrong(item, "a list").unwrap_or_default(),
        }
    }

    /// A text that is not empty, with `${NAME}` expanded.
    pub(crate) fn text(&mut self, item: &Item<'_>) -> Option<String> {
        let text = self.expanded(item)?;
        if text.trim().is_empty() {
            self.problem(item, "is empty", Some("give a value, or take the field out".to_owned()));
            return None;
        }
        Some(text)
    }

    fn expanded(&mut self, item: &Item<'_>) -> Option<String> {
        match &item.tree.value {
            Value::Text(text) => match expand::expand(text, self.env) {
                Ok(text) => Some(text),
                Err(fault) => {
                    self.problem(item, fault, None);
                    None
                }
            },
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => {
                let message = format!("must be a text, not {}", kind(&item.tree.value));
                self.problem(item, message, Some("put it in quotes".to_owned()));
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

    /// A credential, by reference.
    pub(crate) fn secret(&mut self, item: &Item<'_>) -> Option<SecretRef> {
        let Value::Text(text) = &item.tree.value else { return self.expanded(item).and(None) };
        if text.trim().is_empty() {
            let hint = "write ${NAME}, file:/path, or the key itself".to_owned();
            self.problem(item, "is empty", Some(hint));
            return None;
        }
        match secret::parse(text.trim(), self.env) {
            Ok(source) => Some(SecretRef { source, place: item.place() }),
            Err(fault) => {
                self.problem(item, fault, None);
                None
            }
        }
    }

    /// A number, a size or a time, as the text that people write.
    fn quantity(&mut self, item: &Item<'_>, expected: &str) -> Option<String> {
        match &item.tree.value {
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Text(_) => self.text(item),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => self.wrong(item, expected),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, item: &Item<'_>) -> Option<bool> {
        match &item.tree.value {
            Value::Bool(value) => Some(*value),
            _ => self.wrong(item, "true or false"),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&mut self, item: &Item<'_>, bounds: RangeInclusive<u64>) -> Option<usize> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let text = self.quantity(item, &expected)?;
        let number = text.trim().parse::<u64>().ok().filter(|number| bounds.contains(number));
        self.or_problem(item, number, &expected).and_then(|number| usize::try_from(number).ok())
    }

    /// An amount of money: a number of at least 0.
    pub(crate) fn amount(&mut self, item: &Item<'_>) -> Option<f64> {
        let expected = "a number of at least 0";
        let text = self.quantity(item, expected)?;
        let amount = text.trim().parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
        self.or_problem(item, amount, expected)
    }

    /// A size within bounds, in bytes.
    pub(crate) fn bytes(&mut self, item: &Item<'_>, bounds: RangeInclusive<u64>) -> Option<usize> {
        let (least, most) = (bytes_text(*bounds.start()), bytes_text(*bounds.end()));
        let expected = format!("a size from {least} to {most}, like 64KiB or 64MiB");
        let text = self.quantity(item, &expected)?;
        let bytes = quantity::bytes(&text).filter(|bytes| bounds.contains(bytes));
        self.or_problem(item, bytes, &expected).and_then(|bytes| usize::try_from(bytes).ok())
    }

    /// A time above zero.
    pub(crate) fn duration(&mut self, item: &Item<'_>) -> Option<Duration> {
        let most = duration_text(TIMEOUT_MAX);
        let expected = format!("a time from 1ms to {most}, like 500ms, 5s or 2m");
        let text = self.quantity(item, &expected)?;
        let time = quantity::duration(&text).filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX);
        self.or_problem(item, time, &expected)
    }

    /// A time above zero, or `off` (also as 0).
    pub(crate) fn duration_or_off(&mut self, item: &Item<'_>) -> Option<Option<Duration>> {
        let most = duration_text(TIMEOUT_MAX);
        let expected = format!("a time from 1ms to {most}, like 500ms, 5s or 2m, or off");
        let text = self.quantity(item, &expected)?;
        let time = match text.trim() {
            "off" => Some(Duration::ZERO),
            text => quantity::duration(text).filter(|time| *time <= TIMEOUT_MAX),
        };
        self.or_problem(item, time, &expected).map(|time| Some(time).filter(|time| !time.is_zero()))
    }

    fn or_problem<T>(&mut self, item: &Item<'_>, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.problem(item, format!("must be {expected}"), None);
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
