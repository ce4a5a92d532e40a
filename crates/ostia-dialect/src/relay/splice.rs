//! Edits of an object's fields that leave every other byte alone.

use std::borrow::Cow;

use crate::Fault;
use crate::json::{Document, Json};

/// An object in the making: the original text and what is to change in it.
#[derive(Debug)]
pub struct Splice<'a> {
    text: &'a str,
    fields: Vec<Field<'a>>,
    added: Vec<(String, Json)>,
}

#[derive(Debug)]
struct Field<'a> {
    name: Cow<'a, str>,
    /// Where the name stands, quotes included.
    key: std::ops::Range<usize>,
    /// Where the value stands.
    value: std::ops::Range<usize>,
    edit: Edit,
}

#[derive(Debug)]
enum Edit {
    Keep,
    Replace(Json),
    Rename(String),
    Remove,
}

impl<'a> Splice<'a> {
    /// Prepares the object at the root of `document`.
    pub fn new(document: &'a Document<'_>) -> Result<Splice<'a>, Fault> {
        document.root().expect_fields()?;
        let fields = document.root().entries().filter_map(|(key, value)| {
            Some(Field { name: key.as_str()?, key: key.range(), value: value.range(), edit: Edit::Keep })
        });
        Ok(Splice { text: document.text(), fields: fields.collect(), added: Vec::new() })
    }

    /// Gives the field this value, wherever it stands; adds it at the end where there is none.
    pub fn set(&mut self, name: &str, value: Json) {
        let mut found = false;
        // A name that is given twice is set twice: parsers disagree about which one counts.
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.edit = Edit::Replace(value.clone());
            found = true;
        }
        if !found {
            self.added.retain(|(added, _)| added != name);
            self.added.push((name.to_owned(), value));
        }
    }

    /// Takes the field away.
    pub fn remove(&mut self, name: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.edit = Edit::Remove;
        }
        self.added.retain(|(added, _)| added != name);
    }

    /// Gives the field another name and leaves its value.
    pub fn rename(&mut self, name: &str, new: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.edit = Edit::Rename(new.to_owned());
        }
    }

    /// Was anything edited?
    pub fn is_changed(&self) -> bool {
        !self.added.is_empty() || self.fields.iter().any(|field| !matches!(field.edit, Edit::Keep))
    }

    /// Is there such a field?
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && !matches!(field.edit, Edit::Remove))
            || self.added.iter().any(|(added, _)| added == name)
    }

    /// The value of the field as it is to be written.
    pub fn get(&self, name: &str) -> Option<&str> {
        let added = self.added.iter().find(|(added, _)| added == name).map(|(_, value)| value.as_str());
        let field = self.fields.iter().rev().find(|field| field.name == name);
        added.or_else(|| {
            field.and_then(|field| match &field.edit {
                Edit::Keep => self.text.get(field.value.clone()),
                Edit::Replace(value) => Some(value.as_str()),
                Edit::Rename(_) | Edit::Remove => None,
            })
        })
    }

    /// The edited text. Bytes between untouched neighbours stay as they were.
    pub fn finish(self) -> Vec<u8> {
        let room =
            self.added.iter().map(|(name, value)| name.len() + value.as_str().len() + 4).sum::<usize>();
        let mut out = Vec::with_capacity(self.text.len() + room + 64);
        let last =
            self.fields.last().map_or_else(|| self.text.find('{').map_or(0, |at| at + 1), |f| f.value.end);
        let first = self.fields.first().map_or(last, |field| field.key.start);
        out.extend_from_slice(&self.text.as_bytes()[..first]);
        let mut before: Option<usize> = None;
        let mut written = false;
        for field in &self.fields {
            if matches!(field.edit, Edit::Remove) {
                before = None;
                continue;
            }
            match before {
                Some(end) => out.extend_from_slice(&self.text.as_bytes()[end..field.key.start]),
                None if written => out.push(b','),
                None => {}
            }
            self.write(field, &mut out);
            before = Some(field.value.end);
            written = true;
        }
        for (name, value) in &self.added {
            if written {
                out.push(b',');
            }
            written = true;
            push_name(name, &mut out);
            out.push(b':');
            out.extend_from_slice(value.as_str().as_bytes());
        }
        out.extend_from_slice(&self.text.as_bytes()[last..]);
        out
    }

    fn write(&self, field: &Field<'_>, out: &mut Vec<u8>) {
        let text = self.text.as_bytes();
        match &field.edit {
            Edit::Rename(name) => push_name(name, out),
            Edit::Keep | Edit::Replace(_) | Edit::Remove => out.extend_from_slice(&text[field.key.clone()]),
        }
        out.extend_from_slice(&text[field.key.end..field.value.start]);
        match &field.edit {
            Edit::Replace(value) => out.extend_from_slice(value.as_str().as_bytes()),
            Edit::Keep | Edit::Rename(_) | Edit::Remove => out.extend_from_slice(&text[field.value.clone()]),
        }
    }
}

fn push_name(name: &str, out: &mut Vec<u8>) {
    // A Vec takes every write and a str is always representable, so this cannot fail.
    let _ = serde_json::to_writer(out, name);
}
