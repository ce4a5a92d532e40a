//! What was found, as a table: a verdict, what it is about, what was found, and what to do.

use crate::terminal::{Tone, paint};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    verdict: Verdict,
    about: String,
    found: String,
    next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    /// It works.
    pub fn ok(about: &str, found: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Ok, about: about.to_owned(), found: found.into(), next: None }
    }

    /// It works, but perhaps not as meant.
    pub fn warn(about: &str, found: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Warn, next: Some(next.into()), ..Finding::ok(about, found) }
    }

    /// It does not work.
    pub fn fail(about: &str, found: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Fail, next: Some(next.into()), ..Finding::ok(about, found) }
    }
}

/// How many do not work.
pub fn failures(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count()
}

/// All of it; what to do stands below what was found.
pub fn table(findings: &[Finding], coloured: bool) -> String {
    let width = findings.iter().map(|finding| finding.about.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { verdict, about, found, next } in findings {
        let (word, tone) = match verdict {
            Verdict::Ok => ("ok  ", Tone::Good),
            Verdict::Warn => ("warn", Tone::Careful),
            Verdict::Fail => ("FAIL", Tone::Bad),
        };
        text.push_str(&format!("{}  {about:<width$}  {found}\n", paint(word, tone, coloured)));
        if let Some(next) = next {
            text.push_str(&format!("      {:<width$}  -> {next}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_and_what_to_do_below() {
        let findings = [
            Finding::ok("listen", "free"),
            Finding::warn("clock", "late", "set it"),
            Finding::fail("a", "b", "c"),
        ];
        let expected = "ok    listen  free\n\
                        warn  clock   late\n              -> set it\n\
                        FAIL  a       b\n              -> c\n";
        assert_eq!(table(&findings, false), expected);
        assert_eq!(failures(&findings), 1);
        assert!(table(&findings, true).starts_with("\u{1b}[32mok  \u{1b}[0m  listen"));
    }
}
