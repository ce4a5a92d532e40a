//! Are colours wanted? <https://no-color.org>

use std::io::IsTerminal;

/// On a terminal that knows them, unless `NO_COLOR` says otherwise.
pub fn is_wanted(stream: &impl IsTerminal) -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    stream.is_terminal() && variable("NO_COLOR").is_empty() && variable("TERM") != "dumb"
}
