//! `drop_params`: leaving out fields by path.

use std::borrow::Cow;

use ostia_dialect::Fault;
use ostia_dialect::relay::{self, Path};

/// Most paths of one target. Each of them may lead through all of a body.
const PATHS_MAX: usize = 100;

/// The JSON text without these paths: `key`, `a.b`, `tools[0]`, `messages[*].name`. A path that leads nowhere is fine. All
/// other bytes stay as they are.
///
/// # Errors
/// 400 for too many paths, or a text that is not JSON.
pub(super) fn without<'t>(text: &'t str, paths: &[String]) -> Result<Cow<'t, str>, Fault> {
    if paths.len() > PATHS_MAX {
        let message = format!("`drop_params` has {} paths; more than {PATHS_MAX} are too many.", paths.len());
        return Err(Fault::invalid(message).with_code("invalid_config").with_param("drop_params"));
    }
    let paths: Vec<Path<'_>> = paths.iter().map(|path| Path::parse(path)).collect();
    relay::without(text, &paths).map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_have_a_bound() {
        let check = |count: usize| without(r#"{"a": 1.0}"#, &vec!["b".to_owned(); count]);
        assert!(matches!(check(PATHS_MAX), Ok(Cow::Borrowed(r#"{"a": 1.0}"#))));
        assert_eq!(check(PATHS_MAX + 1).unwrap_err().status, 400);
    }
}
