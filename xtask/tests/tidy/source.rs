//! Rust source, cut into code, comments and texts: just enough to look for words in the right one.

/// A source file without what the compiler does not run.
#[derive(Debug, Default)]
pub struct Source {
    /// The code; comments and the inside of texts are blanks, line ends stay.
    pub code: String,
    /// The texts in the code: line and content, escapes as written.
    pub texts: Vec<(usize, String)>,
}

impl Source {
    /// Cuts a file. Modules under `#[cfg(test)]` count as comments.
    pub fn of(text: &str) -> Source {
        let mut source = Source::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '/' if rest.starts_with("//") => source.blank(rest, rest.find('\n').unwrap_or(rest.len())),
                '/' if rest.starts_with("/*") => source.blank(rest, comment_length(rest)),
                '"' => source.text(rest, 1, plain_length(rest)),
                'r' if is_raw(rest) && !source.in_word() => {
                    let (open, length) = raw_lengths(rest);
                    source.text(rest, open, length)
                }
                '\'' => {
                    let length = char_length(rest);
                    source.blank(rest, length)
                }
                _ => source.keep(first),
            };
            rest = &rest[length..];
        }
        source.without_tests()
    }

    /// The lines in which a word stands in the code, counted from 1. A word that begins or ends with a letter is not
    /// found inside a longer one.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let goes_on = |a: Option<char>, b: Option<char>| letter(a) && letter(b);
        let found = self.code.match_indices(word).filter(|(at, _)| {
            let before = self.code[..*at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            !goes_on(before, word.chars().next()) && !goes_on(word.chars().next_back(), after)
        });
        found.map(|(at, _)| line_of(&self.code, at)).collect()
    }

    fn in_word(&self) -> bool {
        // `br"..."` and `cr"..."` are texts too.
        let before: String =
            self.code.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        !matches!(before.as_str(), "" | "b" | "c")
    }

    fn keep(&mut self, c: char) -> usize {
        self.code.push(c);
        c.len_utf8()
    }

    fn blank(&mut self, rest: &str, length: usize) -> usize {
        self.code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        length
    }

    fn text(&mut self, rest: &str, open: usize, length: usize) -> usize {
        let close = if open == 1 { 1 } else { open - 1 };
        let inside = &rest[open..length.saturating_sub(close).max(open)];
        self.texts.push((line_of(&self.code, self.code.len()), inside.to_owned()));
        self.blank(rest, length)
    }

    fn without_tests(mut self) -> Source {
        const MARK: &str = "#[cfg(test)]";
        while let Some(start) = self.code.find(MARK) {
            let end = item_end(&self.code, start + MARK.len());
            let lines = line_of(&self.code, start)..=line_of(&self.code, end);
            self.texts.retain(|(line, _)| !lines.contains(line));
            let blank: String =
                self.code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            self.code.replace_range(start..end, &blank);
        }
        self
    }
}

/// Behind the item that begins here: its `;`, or its braces.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[from..].char_indices() {
        match c {
            ';' if depth == 0 => return from + at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return from + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn plain_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn is_raw(rest: &str) -> bool {
    rest[1..].trim_start_matches('#').starts_with('"') && !rest[1..].starts_with("##\"#")
}

/// Of `r##"..."##`: up to and with the first quote, and all of it.
fn raw_lengths(rest: &str) -> (usize, usize) {
    let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    let open = hashes + 2;
    let close = format!("\"{}", "#".repeat(hashes));
    (open, rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len()))
}

/// A character, or only the mark of a lifetime.
fn char_length(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match (inside.next(), inside.next()) {
        (Some('\\'), Some(escaped)) => {
            let from = 2 + escaped.len_utf8();
            rest[from..].find('\'').map_or(rest.len(), |at| from + at + 1)
        }
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 1,
    }
}

#[test]
fn code_comments_and_texts_are_told_apart() {
    let check = |text: &str, code: &str, texts: &[&str]| {
        let source = Source::of(text);
        let squeezed: Vec<&str> = source.code.split_whitespace().collect();
        let found: Vec<&str> = source.texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!((squeezed.join(" ").as_str(), found.as_slice()), (code, texts), "{text}");
        assert_eq!(source.code.matches('\n').count(), text.matches('\n').count(), "{text}");
    };
    check("let a = 1; // std::env\nb();", "let a = 1; b();", &[]);
    check("a /* x /* y */ z */ b", "a b", &[]);
    check(r#"f("a \" // b", 'c', '"', '\'', 'static)"#, "f( , , , , static)", &[r#"a \" // b"#]);
    check(r###"f(r"a\", r#"b"c"#, br"d")"###, "f( , , b )", &[r"a\", r#"b"c"#, "d"]);
    check("for r in x {}", "for r in x {}", &[]);
    check("a();\n#[cfg(test)]\nmod tests {\n fn f() { g(\"x\") }\n}\nb(\"y\");", "a(); b( );", &["y"]);
    check("#[cfg(test)]\nmod tests;\nb();", "b();", &[]);
}

#[test]
fn words_are_whole() {
    let lines = |text: &str, word: &str| Source::of(text).lines_with(word);
    assert_eq!(lines("x();\nstd::env::var(a);", "std::env"), [2]);
    assert_eq!(lines("std::environment()", "std::env"), [0_usize; 0]);
    assert_eq!(lines("my_fs::read()", "fs::read"), [0_usize; 0]);
    assert_eq!(lines("// Instant::now()\nInstant::now()", "Instant::now"), [2]);
}
