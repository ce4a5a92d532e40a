//! Colours, for people only: not in a file or a pipe, and not where `NO_COLOR` is set (<https://no-color.org>).

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
pub fn wanted(output: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    output.is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
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
