//! JSON text to a value, with one more rule than usual: a key may stand only once in an object. Otherwise of two
//! providers, keys or limits one would be dropped in silence, and not every reader would drop the same one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::report::{Path, Report};

/// Parses a text. Keys that are given twice are reported, and the first one counts.
///
/// Errors: the text is not JSON, or is nested deeper than serde_json allows (128 levels).
pub(super) fn parse(text: &str, report: &mut Report) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Distinct { path: &Path::Root, report }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

/// Reads one value, which stands at `path`.
struct Distinct<'a> {
    path: &'a Path<'a>,
    report: &'a mut Report,
}

impl<'de> DeserializeSeed<'de> for Distinct<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Distinct<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = self.path.index(list.len());
            match items.next_element_seed(Distinct { path: &path, report: self.report })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = self.path.key(&key);
            let value = entries.next_value_seed(Distinct { path: &path, report: self.report })?;
            if map.contains_key(&key) {
                self.report.problem(&path, "is given twice");
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }
}
