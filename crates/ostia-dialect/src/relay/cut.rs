//! Fields and items taken out of a JSON text by path. Every byte outside of what is cut stays as it is: numbers as they
//! were written, white space, names that are there twice.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::json::{Document, Node, SyntaxFault};

/// Which values are meant: `key`, `a.b`, `tools[0]`, `messages[*].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'p>(Vec<Step<'p>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'p> {
    Field(&'p str),
    Item(usize),
    Every,
}

impl<'p> Path<'p> {
    /// Reads a path. Every text is one; what makes no sense leads nowhere.
    pub fn parse(text: &'p str) -> Path<'p> {
        let pieces = text.split(['.', '[']).filter(|piece| !piece.is_empty());
        let step = |piece: &'p str| match piece.strip_suffix(']') {
            Some("*") => Step::Every,
            Some(index) => index.parse().map_or(Step::Field(piece), Step::Item),
            None => Step::Field(piece),
        };
        Path(pieces.map(step).collect())
    }

    /// How many levels below the root it goes.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The values that it leads to, of a name that is there twice both.
    pub fn find<'d>(&self, root: Node<'d>) -> Vec<Node<'d>> {
        let all = Marked::default();
        self.0.iter().fold(vec![root], |holders, &step| {
            holders.into_iter().flat_map(|holder| all.follow(holder, step)).collect()
        })
    }
}

/// The text without what these paths lead to, one path after the other: behind an item that is gone, the next one has its
/// number. The work is bounded by the length of the text times the number of paths.
///
/// ```
/// use ostia_dialect::relay::{Path, without};
/// let paths = [Path::parse("tools[0]"), Path::parse("messages[*].name")];
/// let text = r#"{"n": 1.0, "tools": [1, 2], "messages": [{"name": "x", "role": "user"}]}"#;
/// let rest = without(text, &paths).unwrap();
/// assert_eq!(rest, r#"{"n": 1.0, "tools": [2], "messages": [{"role": "user"}]}"#);
/// ```
///
/// # Errors
/// The text is not JSON.
pub fn without<'t>(text: &'t str, paths: &[Path<'_>]) -> Result<Cow<'t, str>, SyntaxFault> {
    let depth = paths.iter().map(Path::depth).max().unwrap_or_default();
    let document = Document::parse_to(text.as_bytes(), depth)?;
    let mut marked = Marked::default();
    for path in paths {
        marked.mark(document.root(), path);
    }
    let mut patch = Patch::new(text);
    for holder in marked.holders.values() {
        patch.cut(children(*holder).map(|(range, value)| (range, marked.is_gone(value))));
    }
    Ok(patch.finish())
}

/// What is to be cut.
#[derive(Default)]
struct Marked<'d> {
    /// Where the values begin that are gone.
    gone: HashSet<usize>,
    /// The objects and arrays that hold them, by where they begin.
    holders: BTreeMap<usize, Node<'d>>,
}

impl<'d> Marked<'d> {
    fn mark(&mut self, root: Node<'d>, path: &Path<'_>) {
        let Some((last, before)) = path.0.split_last() else { return };
        let mut holders = vec![root];
        for &step in before {
            holders = holders.into_iter().flat_map(|holder| self.follow(holder, step)).collect();
        }
        for holder in holders {
            let found = self.follow(holder, *last);
            if !found.is_empty() {
                self.holders.insert(holder.range().start, holder);
                self.gone.extend(found.iter().map(|value| value.range().start));
            }
        }
    }

    /// The values that a step leads to and that are not gone.
    fn follow(&self, holder: Node<'d>, step: Step<'_>) -> Vec<Node<'d>> {
        let mut items = holder.items().filter(|item| !self.is_gone(*item));
        match step {
            Step::Every => items.collect(),
            Step::Item(index) => items.nth(index).into_iter().collect(),
            Step::Field(name) => {
                let named = holder.fields().filter(|(own, value)| own == name && !self.is_gone(*value));
                named.map(|(_, value)| value).collect()
            }
        }
    }

    fn is_gone(&self, value: Node<'_>) -> bool {
        self.gone.contains(&value.range().start)
    }
}

/// What an object or array holds: where each child stands, its name included, and its value.
fn children<'d>(holder: Node<'d>) -> impl Iterator<Item = (Range<usize>, Node<'d>)> {
    let fields = holder.entries().map(|(key, value)| (key.range().start..value.range().end, value));
    fields.chain(holder.items().map(|item| (item.range(), item)))
}

/// A text and what is to change in it, in any order.
#[derive(Debug)]
pub struct Patch<'t> {
    text: &'t str,
    edits: Vec<(Range<usize>, &'t str)>,
}

impl<'t> Patch<'t> {
    /// Nothing is to change.
    pub fn new(text: &'t str) -> Patch<'t> {
        Patch { text, edits: Vec::new() }
    }

    /// Puts something else in the place of these bytes.
    pub fn replace(&mut self, range: Range<usize>, with: &'t str) {
        self.edits.push((range, with));
    }

    /// Takes children of one object or array out, with the commas that they leave. All children, in their order: where each
    /// stands, and whether it is to go.
    pub fn cut(&mut self, children: impl Iterator<Item = (Range<usize>, bool)>) {
        let mut kept: Option<usize> = None;
        let mut run: Option<Range<usize>> = None;
        for (child, goes) in children {
            if goes {
                let start = run.map_or(kept.unwrap_or(child.start), |run| run.start);
                run = Some(start..child.end);
                continue;
            }
            if let Some(run) = run.take() {
                // The comma before goes, or the one behind where nothing stays before.
                let end = if kept.is_some() { run.end } else { child.start };
                self.replace(run.start..end, "");
            }
            kept = Some(child.end);
        }
        if let Some(run) = run {
            self.replace(run, "");
        }
    }

    /// The changed text. A change inside of another one's bytes does not count.
    pub fn finish(mut self) -> Cow<'t, str> {
        if self.edits.is_empty() {
            return Cow::Borrowed(self.text);
        }
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(self.text.len() + 16);
        let mut at = 0;
        for (range, with) in self.edits {
            if range.start >= at {
                out.push_str(&self.text[at..range.start]);
                out.push_str(with);
                at = range.end;
            }
        }
        out.push_str(&self.text[at..]);
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests;
