//! Values of a label that clients choose: so many of them, and one name for all others.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What stands for all values beyond the bound.
pub(super) const OTHER: &str = "other";

/// The values that a label has.
#[derive(Debug)]
pub(super) struct Capped {
    known: Mutex<HashSet<String>>,
    values_max: usize,
}

impl Capped {
    pub(super) fn new(values_max: usize) -> Capped {
        Capped { known: Mutex::default(), values_max }
    }

    /// What the label says for this value, the first of its kind only where it `may_be_new`. None is an empty text, and takes no place.
    pub(super) fn value(&self, value: &str, may_be_new: bool) -> String {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if value.is_empty() || known.contains(value) {
            return value.to_owned();
        }
        if !may_be_new || known.len() >= self.values_max {
            return OTHER.to_owned();
        }
        known.insert(value.to_owned());
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_values_and_no_more() {
        let capped = Capped::new(2);
        for (value, may_be_new, expected) in [
            ("", true, ""),
            ("made-up", false, OTHER),
            ("a", true, "a"),
            ("b", true, "b"),
            ("c", true, OTHER),
            ("a", false, "a"),
        ] {
            assert_eq!(capped.value(value, may_be_new), expected, "{value}");
        }
    }
}
