//! YAML as a tree that knows its lines. Nothing is interpreted here but YAML itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Spanned};

use crate::{Code, Place, Problem, TEXT_BYTES_MAX};

/// Most nodes that aliases (`*name`) may add to a file.
const ALIAS_EVENTS_MAX: usize = 100_000;
/// Deepest nesting of lists and maps, also by way of aliases. The parser needs up to 40 KiB of stack for each level in
/// a debug build, and the smallest stack that it must fit is a thread's usual 2 MiB.
const DEPTH_MAX: usize = 24;

/// A value and where it begins.
pub(crate) struct Tree {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

/// A key of a map and where it stands. Keys may repeat; the reader reports that.
pub(crate) struct Key {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) name: String,
}

/// What of a field is pointed at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// Its name.
    Key,
    /// Its value.
    Value,
}

impl Tree {
    /// Line and column of what a path like `targets[1].retry` leads to: as near as the file has it. Names of fields may be
    /// written in another case.
    pub(crate) fn find(&self, path: &str, point: Point) -> (u32, u32) {
        let (mut tree, mut rest) = (self, path);
        let mut place = (self.line, self.column);
        while let Some((key, below, after)) = tree.step(rest) {
            place = match (point, key) {
                (Point::Key, Some(key)) if after.is_empty() => (key.line, key.column),
                _ => (below.line, below.column),
            };
            (tree, rest) = (below, after);
        }
        place
    }

    /// The value that the first step of a path leads to, and the rest of the path.
    fn step<'t, 'p>(&'t self, path: &'p str) -> Option<(Option<&'t Key>, &'t Tree, &'p str)> {
        match &self.value {
            Value::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                Some((None, items.get(index.parse::<usize>().ok()?)?, rest))
            }
            Value::Map(map) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                // Names may have dots in them: the longest that fits is meant.
                let fitting = map.iter().filter_map(|(key, tree)| Some((key, tree, after(path, &key.name)?)));
                let (key, tree, rest) = fitting.min_by_key(|(_, _, rest)| rest.len())?;
                Some((Some(key), tree, rest))
            }
            _ => None,
        }
    }
}

/// What follows in a path behind a name.
fn after<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    if let Some(rest) = path.strip_prefix(name).filter(|rest| ends(rest)) {
        return Some(rest);
    }
    let (step, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    let letters = |text: &str| text.replace('_', "").to_ascii_lowercase();
    (!name.is_empty() && letters(step) == letters(name)).then_some(rest)
}

/// Parses the one YAML document of a file.
pub(crate) fn parse(text: &str) -> Result<Tree, Problem> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the file is longer than {TEXT_BYTES_MAX} bytes");
        return Err(Problem::of_file(Code::TooLarge, message));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, flow_nesting_limit: DEPTH_MAX },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIAS_EVENTS_MAX },
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Option<Tree>>(text, options) {
        Ok(Some(tree)) => Ok(tree),
        Ok(None) => Ok(Tree { line: 0, column: 0, value: Value::Null }),
        Err(error) => Err(syntax_problem(text, &error)),
    }
}

/// What the YAML parser says, without its own mention of the line and without quoting the text.
fn syntax_problem(text: &str, error: &Error) -> Problem {
    let location = error.location();
    let line = location.map_or(0, |location| location.line());
    let column = location.map_or(0, |location| location.column());
    let place = Place { path: String::new(), line: narrow(line), column: narrow(column) };
    let (code, message) = syntax_message(error);
    Problem { place, code, message, hint: bare_reference(text, line) }
}

fn syntax_message(error: &Error) -> (Code, String) {
    match error {
        Error::AliasError { error, .. } => return syntax_message(error),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            return (Code::TooLarge, format!("is nested deeper than {DEPTH_MAX} levels"));
        }
        _ => {}
    }
    let said = error.to_string();
    let reason = said.lines().next().unwrap_or_default();
    // Cut off: the position, which we give ourselves, and advice to programs that call the parser.
    let cut = |reason, end: &&str| str::split(reason, *end).next().unwrap_or_default();
    (Code::Syntax, format!("is not valid YAML: {}", [" at line ", "; use "].iter().fold(reason, cut)))
}

/// `{ api_key: ${NAME} }` is not YAML, because a `{` opens a map inside of braces and brackets.
fn bare_reference(text: &str, line: u64) -> Option<String> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let before = text.lines().nth(index)?.split("${").next().filter(|before| before.contains(['{', '[']))?;
    let found = text.lines().nth(index)?.len() > before.len() && !before.ends_with(['"', '\'']);
    found.then(|| "inside { } and [ ] put ${NAME} in quotes: \"${NAME}\"".to_owned())
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Tree { line: narrow(referenced.line()), column: narrow(referenced.column()), value })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<String>::deserialize(deserializer)?;
        Ok(Key { line: narrow(referenced.line()), column: narrow(referenced.column()), name: value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, a number, true or false, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Float(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
