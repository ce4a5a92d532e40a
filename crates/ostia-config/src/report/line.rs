//! One line of the file, with what may not be shown hidden, and the mark below it.

use super::shown::Shown;

/// Most characters of a line that are shown.
const CHARS_MAX: usize = 110;
/// How many of them stand before the mark, if the line is cut.
const CHARS_BEFORE: usize = 40;
/// What stands in the place of what is not shown.
const HIDDEN: &str = "***";

/// A line that is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) text: String,
    /// Spaces before the mark.
    pub(super) indent: usize,
    /// Characters that are marked; at least one.
    pub(super) width: usize,
}

/// Marks what begins in a column. `number` and `column` count from 1.
pub(super) fn mark(source: &str, number: u32, column: u32, shown: &Shown) -> Marked {
    let chars: Vec<char> = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let wanted = (column as usize).saturating_sub(1);
    let (mut text, mut indent, mut width) = (Vec::new(), None, 1);
    let mut at = 0;
    while at < chars.len() {
        let end = token_end(&chars, at);
        let Some(end) = end else {
            if chars[at] == '#' && (at == 0 || chars[at - 1] == ' ') {
                break;
            }
            if at == wanted {
                indent = Some(text.len());
            }
            text.push(chars[at]);
            at += 1;
            continue;
        };
        let token: String = chars[at..end].iter().collect();
        let is_key = chars.get(end) == Some(&':') && matches!(chars.get(end + 1), None | Some(' '));
        let start = text.len();
        match shown.has(number, u32::try_from(at + 1).unwrap_or(u32::MAX), &token, is_key) {
            true => text.extend(token.chars()),
            false => text.extend(HIDDEN.chars()),
        }
        if (at..end).contains(&wanted) {
            (indent, width) = (Some(start), text.len() - start);
        }
        at = end;
    }
    while text.last() == Some(&' ') {
        text.pop();
    }
    let indent = indent.unwrap_or(text.len()).min(text.len());
    cut(&text, indent, width)
}

/// The end of the name or value that begins here; `None` where none does.
fn token_end(chars: &[char], at: usize) -> Option<usize> {
    let next = |at: usize| chars.get(at).copied();
    match chars[at] {
        ' ' | '[' | ']' | '{' | '}' | ',' | '#' => None,
        '-' | '?' | ':' if matches!(next(at + 1), None | Some(' ')) => None,
        // Behind a name in quotes no space is needed.
        ':' if at > 0 && matches!(chars[at - 1], '"' | '\'') => None,
        quote @ ('"' | '\'') => {
            let mut end = at + 1;
            while let Some(c) = next(end) {
                end += 1;
                match c {
                    '\\' if quote == '"' => end += 1,
                    c if c == quote && quote == '\'' && next(end) == Some('\'') => end += 1,
                    c if c == quote => break,
                    _ => {}
                }
            }
            Some(end.min(chars.len()))
        }
        // An anchor, an alias or a tag stands before its value.
        '&' | '*' | '!' => {
            let length = chars[at..].iter().position(|c| matches!(c, ' ' | ',' | ']' | '}'));
            Some(at + length.unwrap_or(chars.len() - at))
        }
        _ => Some(plain_end(chars, at)),
    }
}

/// The end of a text without quotes.
fn plain_end(chars: &[char], at: usize) -> usize {
    let mut end = at;
    while let Some(c) = chars.get(end) {
        let next = chars.get(end + 1);
        match c {
            '$' if next == Some(&'{') => {
                end += chars[end..].iter().position(|c| *c == '}').unwrap_or(1);
            }
            ',' | '[' | ']' | '{' | '}' => break,
            ':' if matches!(next, None | Some(' ')) => break,
            ' ' if next == Some(&'#') => break,
            _ => {}
        }
        end += 1;
    }
    let blanks = chars[at..end].iter().rev().take_while(|c| **c == ' ').count();
    (end - blanks).max(at + 1)
}

/// What of a long line stands around the mark.
fn cut(text: &[char], indent: usize, width: usize) -> Marked {
    let start = if text.len() > CHARS_MAX { indent.saturating_sub(CHARS_BEFORE) } else { 0 };
    let end = (start + CHARS_MAX).min(text.len());
    let dots = |there: bool| if there { "..." } else { "" };
    let (before, after) = (dots(start > 0), dots(end < text.len()));
    let middle: String = text[start..end].iter().collect();
    Marked {
        text: format!("{before}{middle}{after}"),
        indent: indent - start + before.len(),
        width: width.min(end.saturating_sub(indent)).max(1),
    }
}
