//! How many tokens a conversation has, counted with the vocabularies that OpenAI publishes, for providers that do not count.
//!
//! To others than OpenAI it is an estimate, and so it is marked as one for all. A vocabulary is unpacked when it is first asked for, and
//! stays; until then it takes no memory. That, and texts of some length, are kept off the threads that serve.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ostia_dialect::{Request, estimate_tokens};
use tiktoken::CoreBpe;
use tokio::task::spawn_blocking;

/// Longest texts, taken together, that are counted where requests are served, in bytes: some tenths of a millisecond.
const SERVED_BYTES_MAX: usize = 4 << 10;
/// As much of a request is counted, in bytes; the rest by the rule. It bounds the time that one request takes to some tenths of a second.
const COUNTED_BYTES_MAX: usize = 2 << 20;
/// As much is looked at together, in bytes. Without spaces in it, it is one word, and the time for a word grows with its square.
const WINDOW_BYTES: usize = 1 << 10;

/// A way of OpenAI's to cut texts.
#[derive(Debug)]
struct Vocabulary {
    name: &'static str,
    /// It has been unpacked.
    is_there: AtomicBool,
}

static O200K: Vocabulary = Vocabulary { name: "o200k_base", is_there: AtomicBool::new(false) };
static CL100K: Vocabulary = Vocabulary { name: "cl100k_base", is_there: AtomicBool::new(false) };

/// How names of models begin that are older than `o200k`, and how among them those that are not
/// (<https://github.com/openai/tiktoken/blob/main/tiktoken/model.py>).
const OLDER: [&str; 3] = ["gpt-3.5", "gpt-35", "gpt-4"];
const NEWER: [&str; 3] = ["gpt-4o", "gpt-4.1", "gpt-4.5"];

/// The tokens of a conversation.
pub async fn count(request: Box<Request>) -> u64 {
    let vocabulary = Vocabulary::of(&request.model);
    if vocabulary.is_there.load(Ordering::Relaxed) && bytes(&request) <= SERVED_BYTES_MAX as u64 {
        return vocabulary.count(&request);
    }
    let request = Arc::new(*request);
    let shared = request.clone();
    let counted = spawn_blocking(move || vocabulary.count(&shared)).await;
    counted.unwrap_or_else(|_| request.estimated_tokens())
}

/// How long its texts are, taken together, and a little more.
fn bytes(request: &Request) -> u64 {
    request.counted_tokens(&|text| text.len() as u64)
}

impl Vocabulary {
    fn of(model: &str) -> &'static Vocabulary {
        let name = model.rsplit('/').next().unwrap_or(model);
        let begins = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
        if begins(&OLDER) && !begins(&NEWER) { &CL100K } else { &O200K }
    }

    fn count(&self, request: &Request) -> u64 {
        let Some(encoding) = tiktoken::get_encoding(self.name) else { return request.estimated_tokens() };
        self.is_there.store(true, Ordering::Relaxed);
        let left = Cell::new(COUNTED_BYTES_MAX);
        request.counted_tokens(&|text| {
            let (counted, rest) = text.split_at(floor(text, left.get()));
            left.set(left.get() - counted.len());
            of_text(encoding, counted) + estimate_tokens(rest)
        })
    }
}

fn of_text(encoding: &CoreBpe, mut text: &str) -> u64 {
    let mut tokens = 0;
    while !text.is_empty() {
        let (window, rest) = text.split_at(window(text));
        tokens += encoding.count(window) as u64;
        text = rest;
    }
    tokens
}

/// Where a text is cut: before the last space of a window, where a word begins, or where there is none at its end.
fn window(text: &str) -> usize {
    let end = floor(text, WINDOW_BYTES);
    if end == text.len() {
        return end;
    }
    match text[..end].rfind([' ', '\n']) {
        Some(at) if at > 0 => at,
        _ => end,
    }
}

/// The greatest place that is no more than `at`, and between two characters.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use ostia_dialect::{Message, Role};

    use super::*;

    /// Texts with their numbers of tokens in `o200k`, from OpenAI's own tokenizer.
    const O200K_COUNTS: [(&str, u64); 5] = [
        ("", 0),
        ("hello world", 2),
        ("人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。", 37),
        (
            "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
            41,
        ),
        (
            "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
            51,
        ),
    ];

    fn request(model: &str, text: &str) -> Request {
        Request { model: model.into(), messages: vec![Message::text(Role::User, text)], ..Request::default() }
    }

    /// The tokens of one text, without those of its message.
    fn tokens(model: &str, text: &str) -> u64 {
        let count = |text: &str| Vocabulary::of(model).count(&request(model, text));
        count(text) - count("")
    }

    #[test]
    fn counts_are_openais() {
        for (text, expected) in O200K_COUNTS {
            assert_eq!(tokens("any", text), expected, "{text}");
        }
        assert_eq!(tokens("gpt-4-turbo", "hello world"), 2);
        assert_ne!(tokens("gpt-4", O200K_COUNTS[3].0), tokens("gpt-4o", O200K_COUNTS[3].0));
    }

    #[test]
    fn the_vocabulary_of_a_model() {
        for (model, expected) in [
            ("gpt-4", "cl100k_base"),
            ("openai/gpt-3.5-turbo", "cl100k_base"),
            ("gpt-35-turbo", "cl100k_base"),
            ("gpt-4o-mini", "o200k_base"),
            ("gpt-4.1", "o200k_base"),
            ("gpt-5", "o200k_base"),
            ("llama3", "o200k_base"),
        ] {
            assert_eq!(Vocabulary::of(model).name, expected, "{model}");
        }
    }

    #[test]
    fn windows_change_next_to_nothing() {
        let text = "The quick brown fox jumps over the lazy dog, and does so again.\n".repeat(200);
        let encoding = tiktoken::get_encoding("o200k_base").unwrap();
        let (whole, cut) = (encoding.count(&text) as u64, of_text(encoding, &text));
        assert!(whole.abs_diff(cut) * 200 < whole, "{whole} {cut}");
        assert_eq!(window(&"é".repeat(1000)), WINDOW_BYTES);
        assert_eq!(window(&format!("{} {}", "a".repeat(700), "b".repeat(700))), 700);
    }

    /// One word without end, and more than is counted.
    #[test]
    fn hostile_texts_end() {
        let began = Instant::now();
        for text in ["a".repeat(COUNTED_BYTES_MAX + 4), " ".repeat(COUNTED_BYTES_MAX), "🦀".repeat(1 << 18)]
        {
            assert!(tokens("any", &text) > 1000);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn it_is_the_same_on_either_thread() {
        let small = request("gpt-4o", "hello world");
        let (first, second) = (count(Box::new(small.clone())).await, count(Box::new(small)).await);
        assert_eq!((first, second), (6, 6));
        let large = request("gpt-4o", &"hello world ".repeat(1000));
        assert!(count(Box::new(large)).await > 2000);
    }
}
