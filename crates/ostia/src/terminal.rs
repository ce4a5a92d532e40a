//! Colours, for people only: not in a file or a pipe, and not where `NO_COLOR` is set (<https://no-color.org>).

use std::ffi::OsString;
use std::io::IsTerminal;

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Look at it.
    Careful,
    /// It does not work.
    Bad,
}

/// Whether this output takes colours.
pub fn takes_colours(output: &impl IsTerminal) -> bool {
    decide(output.is_terminal(), &|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn decide(is_terminal: bool, set: &dyn Fn(&str) -> Option<OsString>) -> bool {
    is_terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// The word, in its colour where that is wanted.
pub fn paint(word: &str, tone: Tone, coloured: bool) -> String {
    let code = match tone {
        Tone::Good => 32,
        Tone::Careful => 33,
        Tone::Bad => 31,
    };
    if coloured { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_whose_owner_wants_them() {
        for (is_terminal, variable, value, expected) in [
            (true, "TERM", "xterm", true),
            (false, "TERM", "xterm", false),
            (true, "TERM", "dumb", false),
            (true, "NO_COLOR", "1", false),
            (true, "OTHER", "1", true),
        ] {
            let set = |name: &str| (name == variable).then(|| OsString::from(value));
            assert_eq!(decide(is_terminal, &set), expected, "{is_terminal} {variable}={value}");
        }
    }
}
