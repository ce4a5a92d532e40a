//! The snippets of the pages: between fences, or set in by four spaces.

use std::fmt;
use std::path::{Path, PathBuf};

/// A snippet.
#[derive(Debug, Clone)]
pub struct Snippet {
    /// The page, from the root of the repository.
    page: String,
    /// Its first line on the page.
    line: usize,
    /// What the fence says; empty where it says nothing or there is none.
    pub language: String,
    /// What stands there.
    pub text: String,
}

impl fmt::Display for Snippet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:\n{}", self.page, self.line, self.text)
    }
}

impl Snippet {
    /// Is it the one of this page that begins so?
    pub fn is(&self, page: &str, begins: &str) -> bool {
        self.page == page && self.text.starts_with(begins)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All snippets of README.md and the pages below docs/.
pub fn all() -> Vec<Snippet> {
    let mut pages = vec!["README.md".to_owned()];
    add_pages("docs", &mut pages);
    pages.sort();
    pages
        .iter()
        .flat_map(|page| snippets(page, &std::fs::read_to_string(root().join(page)).unwrap()))
        .collect()
}

fn add_pages(folder: &str, pages: &mut Vec<String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => add_pages(&path, pages),
            false if path.ends_with(".md") => pages.push(path),
            false => {}
        }
    }
}

fn snippets(page: &str, text: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut is_after_blank = true;
    while let Some((at, line)) = lines.next() {
        let mut body = Vec::new();
        let fence = line.strip_prefix("```");
        let first = match (fence.is_some(), line.strip_prefix("    ")) {
            (true, _) => {
                body.extend(lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```")));
                at + 2
            }
            (false, Some(set_in)) if is_after_blank => {
                body.push(set_in);
                while let Some(set_in) = lines.peek().and_then(|(_, line)| line.strip_prefix("    ")) {
                    body.push(set_in);
                    lines.next();
                }
                at + 1
            }
            _ => {
                is_after_blank = line.trim().is_empty();
                continue;
            }
        };
        let language = fence.unwrap_or_default().to_owned();
        found.push(Snippet { page: page.to_owned(), line: first, language, text: body.join("\n") });
    }
    found
}

#[test]
fn fences_and_indents() {
    let page = "a\n\n```sh\nb\n\nc\n```\nd\n    not one\n\n    e\n    f\ng\n```\n```\n";
    let found: Vec<_> = snippets("p", page).into_iter().map(|snippet| (snippet.line, snippet.text)).collect();
    assert_eq!(found, [(4, "b\n\nc".to_owned()), (11, "e\nf".to_owned()), (15, String::new())]);
}
