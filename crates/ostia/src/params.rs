//! `drop_params`: leaving out fields by path.

use ostia_dialect::Fault;
use serde_json::Value;

/// The JSON text without these paths: `key`, `a.b`, `tools[0]`, `messages[*].name`. A path that leads nowhere is fine.
pub fn without(text: &str, paths: &[String]) -> Result<String, Fault> {
    if paths.is_empty() {
        return Ok(text.to_owned());
    }
    let mut value: Value =
        serde_json::from_str(text).map_err(|fault| Fault::invalid(format!("The request body: {fault}")))?;
    for path in paths {
        let steps: Vec<Step<'_>> = steps(path);
        remove(&mut value, &steps);
    }
    Ok(value.to_string())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
    Every,
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let pieces = path.split(['.', '[']).filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| match piece.strip_suffix(']') {
            Some("*") => Step::Every,
            Some(index) => index.parse().map_or(Step::Field(piece), Step::Item),
            None => Step::Field(piece),
        })
        .collect()
}

fn remove(value: &mut Value, steps: &[Step<'_>]) {
    let Some((step, rest)) = steps.split_first() else { return };
    match (step, value) {
        (Step::Field(name), Value::Object(fields)) if rest.is_empty() => {
            fields.shift_remove(*name);
        }
        (Step::Field(name), Value::Object(fields)) => {
            fields.get_mut(*name).into_iter().for_each(|inner| remove(inner, rest));
        }
        (Step::Item(index), Value::Array(items)) if rest.is_empty() => {
            if *index < items.len() {
                items.remove(*index);
            }
        }
        (Step::Item(index), Value::Array(items)) => {
            items.get_mut(*index).into_iter().for_each(|inner| remove(inner, rest));
        }
        (Step::Every, Value::Array(items)) if rest.is_empty() => items.clear(),
        (Step::Every, Value::Array(items)) => items.iter_mut().for_each(|inner| remove(inner, rest)),
        (Step::Field(_) | Step::Item(_) | Step::Every, _) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths() {
        let text = r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#;
        let check = |path: &str, expected: &str| {
            assert_eq!(without(text, &[path.into()]).unwrap(), expected, "{path}")
        };
        check("b", r#"{"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#);
        check("a.b", r#"{"b":1,"a":{},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,2,3]}"#);
        check("l[*].n", r#"{"b":1,"a":{"b":2},"l":[{"m":2},{}],"tools":[1,2,3]}"#);
        check("tools[1]", r#"{"b":1,"a":{"b":2},"l":[{"n":1,"m":2},{"n":3}],"tools":[1,3]}"#);
        check("nowhere.at[7].all", text);
    }
}
