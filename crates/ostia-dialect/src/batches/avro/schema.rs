//! What rows are made of (<https://avro.apache.org/docs/1.12.0/specification/#schema-declaration>).

use std::collections::BTreeMap;

use super::input::Stop;
use crate::json::{Document, Node};

/// Most types of a schema.
const TYPES_MAX: usize = 4096;
/// Deepest type.
const DEPTH_MAX: usize = 64;

const WRONG: Stop = Stop::Bad("has a schema that cannot be read");

/// The types of a file, each by its place.
#[derive(Debug)]
pub struct Schema {
    types: Vec<Type>,
    names: BTreeMap<String, usize>,
}

/// A type. Others that it is made of stand at their places.
#[derive(Debug)]
pub enum Type {
    /// Nothing.
    Null,
    /// True or false.
    Boolean,
    /// A whole number, of 32 or 64 bits.
    Long,
    /// A number of 32 bits.
    Float,
    /// A number of 64 bits.
    Double,
    /// A text, or bytes.
    Bytes,
    /// So many bytes.
    Fixed(usize),
    /// One of these words.
    Enum(Vec<String>),
    /// A list.
    Array(usize),
    /// Values by names.
    Map(usize),
    /// One of several.
    Union(Vec<usize>),
    /// Fields in their order.
    Record(Vec<(String, usize)>),
}

impl Schema {
    /// The place of what a row is.
    pub const ROOT: usize = 0;

    /// Reads a schema, as a file has it.
    pub fn read(json: &[u8]) -> Result<Schema, Stop> {
        let document = Document::parse(json).map_err(|_| WRONG)?;
        let mut schema = Schema { types: Vec::new(), names: BTreeMap::new() };
        match schema.add(document.root(), "", 0)? {
            Schema::ROOT => Ok(schema),
            _ => Err(WRONG),
        }
    }

    /// The type at a place.
    pub fn of(&self, at: usize) -> &Type {
        self.types.get(at).unwrap_or(&Type::Null)
    }

    /// Adds a type: its place. Names inside of it belong to this space where they name none.
    fn add(&mut self, node: Node<'_>, space: &str, depth: usize) -> Result<usize, Stop> {
        if self.types.len() >= TYPES_MAX || depth > DEPTH_MAX {
            return Err(WRONG);
        }
        if let Some(word) = node.as_str() {
            return match simple(&word) {
                Some(own) => Ok(self.put(own)),
                None => self.named(&word, space).ok_or(WRONG),
            };
        }
        if node.is_array() {
            let at = self.put(Type::Null);
            let types: Result<Vec<usize>, Stop> =
                node.items().map(|item| self.add(item, space, depth + 1)).collect();
            self.types[at] = Type::Union(types?);
            return Ok(at);
        }
        let kind = node.some("type").ok_or(WRONG)?;
        match kind.as_str().as_deref() {
            Some("record" | "error" | "enum" | "fixed") => self.add_named(node, space, depth),
            Some("array") => self.add_around(node, "items", space, depth, Type::Array),
            Some("map") => self.add_around(node, "values", space, depth, Type::Map),
            // `{"type": "string", ...}`, and a type inside of one.
            _ => self.add(kind, space, depth + 1),
        }
    }

    fn add_around(
        &mut self,
        node: Node<'_>,
        field: &str,
        space: &str,
        depth: usize,
        around: fn(usize) -> Type,
    ) -> Result<usize, Stop> {
        let at = self.put(Type::Null);
        let inner = self.add(node.some(field).ok_or(WRONG)?, space, depth + 1)?;
        self.types[at] = around(inner);
        Ok(at)
    }

    /// A type with a name, by which others may mean it, and it itself.
    fn add_named(&mut self, node: Node<'_>, space: &str, depth: usize) -> Result<usize, Stop> {
        let name = node.str("name").ok_or(WRONG)?;
        let own = node.str("namespace");
        let space = match name.rsplit_once('.') {
            Some((space, _)) => space,
            None => own.as_deref().unwrap_or(space),
        };
        let at = self.put(Type::Null);
        self.names.insert(full(&name, space), at);
        self.types[at] = match node.str("type").as_deref() {
            Some("enum") => {
                let words = node.some("symbols").ok_or(WRONG)?;
                let words: Option<Vec<String>> =
                    words.items().map(|word| Some(word.as_str()?.into_owned())).collect();
                Type::Enum(words.ok_or(WRONG)?)
            }
            Some("fixed") => {
                let size = node.u64("size").and_then(|size| usize::try_from(size).ok());
                Type::Fixed(size.ok_or(WRONG)?)
            }
            _ => {
                let mut fields = Vec::new();
                for field in node.some("fields").ok_or(WRONG)?.items() {
                    let name = field.str("name").ok_or(WRONG)?.into_owned();
                    fields.push((name, self.add(field.some("type").ok_or(WRONG)?, space, depth + 1)?));
                }
                Type::Record(fields)
            }
        };
        Ok(at)
    }

    fn put(&mut self, own: Type) -> usize {
        self.types.push(own);
        self.types.len() - 1
    }

    fn named(&self, name: &str, space: &str) -> Option<usize> {
        self.names.get(&full(name, space)).or_else(|| self.names.get(name)).copied()
    }
}

fn full(name: &str, space: &str) -> String {
    if space.is_empty() || name.contains('.') { name.to_owned() } else { format!("{space}.{name}") }
}

fn simple(word: &str) -> Option<Type> {
    Some(match word {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" | "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" | "string" => Type::Bytes,
        _ => return None,
    })
}
