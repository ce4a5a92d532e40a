//! `${NAME}` in texts: the value of an environment variable. `$${` stands for `${` itself; a `$` alone for itself.

use crate::Code;

/// What is wrong with a reference.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into() }
    }
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Text(&'a str),
    Env(&'a str),
}

/// Cuts a text into its pieces.
///
/// Errors: what is wrong with a reference, without the text around it.
pub(crate) fn parts(text: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, reference) = rest.split_at(start);
        if let Some(before) = before.strip_suffix('$') {
            parts.extend([Part::Text(before), Part::Text("${")]);
            rest = &reference[2..];
            continue;
        }
        let Some((name, after)) = reference[2..].split_once('}') else {
            return Err(Fault::new(Code::WrongValue, "has a `${` without its `}`"));
        };
        if !is_name(name) {
            let message = "has a `${...}` that does not hold the name of an environment variable";
            return Err(Fault::new(Code::WrongValue, message));
        }
        parts.extend([Part::Text(before), Part::Env(name)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    Ok(parts)
}

/// The text with all references replaced.
///
/// Errors: as in [`parts`], or which variable is not set.
pub(crate) fn expand(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let mut whole = String::with_capacity(text.len());
    for part in parts(text)? {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Env(name) => {
                whole.push_str(&env(name).ok_or_else(|| Fault::new(Code::UnsetVariable, unset(name)))?)
            }
        }
    }
    Ok(whole)
}

/// What is said of a variable that is not there.
pub(crate) fn unset(name: &str) -> String {
    format!("refers to the environment variable {name}, which is not set")
}

fn is_name(name: &str) -> bool {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}
