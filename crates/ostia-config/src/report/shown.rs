//! What of a file may be shown to whoever reads a report: it may land in a log, and a line of the file may hold a credential.

use std::collections::BTreeSet;

use ostia_providers::Providers;

use crate::expand::{Part, parts};
use crate::shape::{FILE, Shape};
use crate::tree::{Key, Tree, Value};

/// The places of a file whose text may be shown. Whatever is not listed is hidden.
pub(super) struct Shown {
    /// Line and column of names and values; `None` where the file could not be parsed.
    places: Option<BTreeSet<(u32, u32)>>,
    /// All names of fields and providers, for files that could not be parsed.
    names: BTreeSet<&'static str>,
}

impl Shown {
    /// Of a file that was parsed, or of one that could not be.
    pub(super) fn of(tree: Option<&Tree>) -> Shown {
        let places = tree.map(|tree| {
            let mut places = BTreeSet::new();
            collect(tree, &FILE, &mut places);
            places
        });
        let mut names: BTreeSet<&str> = Providers::builtin().iter().map(|provider| &*provider.id).collect();
        collect_names(&FILE, &mut names, &mut BTreeSet::new());
        Shown { places, names }
    }

    /// May a name or value that begins here be shown?
    pub(super) fn has(&self, line: u32, column: u32, token: &str, is_key: bool) -> bool {
        if is_reference(token) {
            return true;
        }
        match &self.places {
            // No value begins so in a file that could be parsed, but the names of anchors do.
            Some(places) => places.contains(&(line, column)) || token.starts_with(['&', '*', '!']),
            None => is_key && self.names.contains(token.trim_matches(['"', '\''])),
        }
    }
}

fn collect(tree: &Tree, shape: &Shape, places: &mut BTreeSet<(u32, u32)>) {
    match &tree.value {
        Value::Null => {}
        Value::Bool(_) => drop(places.insert((tree.line, tree.column))),
        Value::Integer(number) => {
            if shape.is_public() || number.unsigned_abs() <= NUMBER_MAX {
                places.insert((tree.line, tree.column));
            }
        }
        Value::Float(_) => drop(places.insert((tree.line, tree.column))),
        Value::Text(text) => {
            if shape.is_public() && !looks_secret(text) {
                places.insert((tree.line, tree.column));
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, shape.item(), places)),
        Value::Map(map) => {
            let is_map = is_map(map, shape);
            for (key, tree) in map {
                let is_operator = key.name.starts_with('$');
                if (is_map || is_operator) && !looks_secret(&key.name) {
                    places.insert((key.line, key.column));
                }
                collect(tree, shape.of(&key.name), places);
            }
        }
    }
}

/// `- KEY: x`, without quotes, is a map to YAML, and may be a credential to its author.
pub(super) fn is_map(map: &[(Key, Tree)], shape: &Shape) -> bool {
    let known = |(key, _): &(Key, Tree)| shape.fields().iter().any(|(name, ..)| *name == key.name);
    match shape {
        Shape::Map(_) | Shape::Fields(..) | Shape::Named(..) => true,
        _ => map.iter().any(known),
    }
}

fn collect_names(shape: &Shape, names: &mut BTreeSet<&'static str>, seen: &mut BTreeSet<&'static str>) {
    match shape {
        Shape::Fields(fields, _) => {
            for (name, shape, _) in *fields {
                names.insert(name);
                collect_names(shape, names, seen);
            }
        }
        Shape::Map(shape) | Shape::List(shape) | Shape::ListOf(.., shape) | Shape::Pair(shape) => {
            collect_names(shape, names, seen);
        }
        Shape::Named(name, shape) if seen.insert(name) => collect_names(shape, names, seen),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| collect_names(shape, names, seen)),
        _ => {}
    }
}

/// Largest number that is surely no credential.
pub(super) const NUMBER_MAX: u64 = 9999;
/// How keys of well-known vendors begin. One of them in the wrong field should not be shown either.
const BEGINNINGS: [&str; 10] = ["sk-", "sk_", "pk-", "pk_", "rk_", "gsk_", "xai-", "hf_", "AIza", "eyJ"];

pub(super) fn looks_secret(text: &str) -> bool {
    let has_password = text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    has_password || BEGINNINGS.iter().any(|beginning| text.contains(beginning))
}

/// `${NAME}` and nothing else.
pub(super) fn is_reference(token: &str) -> bool {
    let token = token.trim_matches(['"', '\'']);
    parts(token).is_ok_and(|parts| matches!(parts.as_slice(), [Part::Env(_)]))
}
