//! Patterns, and the search for them, of which the work is known beforehand.
//!
//! A text is read by a table that is made on the way (a lazy DFA), one step for each byte whatever the pattern is. For some
//! patterns and texts that table would be large, and it cannot tell where a word ends in a text that is not ASCII. Then all
//! states of the pattern are followed side by side (an NFA), each byte for as many steps as there are states.

use std::fmt;
use std::sync::Mutex;

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};

/// Longest pattern, in bytes of its text: a class of two letters may stand for hundreds of ranges.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// Largest compiled pattern, in bytes.
pub(super) const COMPILED_BYTES_MAX: usize = 256 << 10;
/// Largest table that is made for one text, in bytes.
const TABLE_BYTES_MAX: usize = 128 << 10;
/// Largest table that is kept for the next text, in bytes.
const KEPT_BYTES_MAX: usize = 16 << 10;
/// How often a full table is begun anew before it has to be worth its while.
const TABLES_MAX: usize = 3;
/// Following one state over one byte takes so many times as long as reading the byte by a table.
const STATE_WORK: u64 = 4;
/// The work of tables that came to nothing.
const TABLES_WORK: u64 = 4 << 20;

/// A compiled pattern. A copy learns its own table.
pub(crate) struct Pattern {
    states: NFA,
    table: DFA,
    learnt: Mutex<Option<Box<Cache>>>,
}

/// Why there is no such pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    TooLarge,
    Unknown,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl Clone for Pattern {
    fn clone(&self) -> Pattern {
        Pattern { states: self.states.clone(), table: self.table.clone(), learnt: Mutex::default() }
    }
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn new(text: &str) -> Result<Pattern, Refusal> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let config = thompson::Config::new()
            .nfa_size_limit(Some(COMPILED_BYTES_MAX))
            .which_captures(WhichCaptures::None);
        let states = NFA::compiler().configure(config).build(text);
        let states = states.map_err(|fault| match fault.size_limit() {
            Some(_) => Refusal::TooLarge,
            None => Refusal::Unknown,
        })?;
        // A table whose states are each used for fewer bytes than the pattern has states costs more than it saves.
        let config = DFA::config()
            .unicode_word_boundary(true)
            .cache_capacity(TABLE_BYTES_MAX)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(TABLES_MAX))
            .minimum_bytes_per_state(Some(states.states().len()));
        let table = DFA::builder().configure(config).build_from_nfa(states.clone());
        Ok(Pattern { states, table: table.map_err(|_| Refusal::TooLarge)?, learnt: Mutex::default() })
    }

    /// Most memory that it takes between searches, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Pattern>() + self.states.memory_usage() + self.table.memory_usage() + KEPT_BYTES_MAX
    }

    /// Whether a text has it. `afford` is asked before any work is done; where it says no, nothing is found.
    pub(super) fn is_in(&self, text: &str, afford: impl Fn(u64) -> bool) -> bool {
        if !afford(text.len() as u64) {
            return false;
        }
        match self.search_by_table(text) {
            Some(found) => found,
            None => {
                let steps = (self.states.states().len() as u64).saturating_mul(text.len() as u64);
                afford(TABLES_WORK.saturating_add(steps.saturating_mul(STATE_WORK)))
                    && self.search_by_states(text)
            }
        }
    }

    /// `None` if that was given up.
    fn search_by_table(&self, text: &str) -> Option<bool> {
        // Whoever finds the table in use makes one of his own, and nobody waits.
        let kept = self.learnt.try_lock().ok().and_then(|mut learnt| learnt.take());
        let mut cache = kept.unwrap_or_else(|| Box::new(self.table.create_cache()));
        let found = self.table.try_search_fwd(&mut cache, &Input::new(text).earliest(true));
        if cache.memory_usage() <= KEPT_BYTES_MAX
            && let Ok(mut learnt) = self.learnt.try_lock()
        {
            *learnt = Some(cache);
        }
        found.ok().map(|found| found.is_some())
    }

    fn search_by_states(&self, text: &str) -> bool {
        PikeVM::new_from_nfa(self.states.clone())
            .is_ok_and(|machine| machine.is_match(&mut machine.create_cache(), text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;

    use super::*;

    /// Whether it is found, and for how much work.
    fn search(pattern: &str, text: &str) -> (bool, u64) {
        let work = Cell::new(0);
        let afford = |more| {
            work.set(work.get() + more);
            true
        };
        (Pattern::new(pattern).unwrap().is_in(text, afford), work.get())
    }

    #[test]
    fn found_in_one_step_a_byte() {
        let long = "a b ".repeat(1000);
        for (pattern, text, expected) in [
            ("^gpt-4", "gpt-4o", true),
            ("^gpt-4", "a gpt-4", false),
            ("(?i)CHAT", "/v1/chat", true),
            ("", "", true),
            ("^$", "x", false),
            (r"\bmoney\b", "my money.", true),
            (r"\bmoney\b", "moneybag", false),
            (r"\w+@\w+\.de", &format!("{long}m\u{fc}ller@b\u{e4}r.de"), true),
            ("(x+x+)+y", &"x".repeat(1000), false),
            ("[a-z]+$", &long, false),
        ] {
            assert_eq!(search(pattern, text), (expected, text.len() as u64), "{pattern}");
        }
    }

    #[test]
    fn what_the_table_cannot_do_costs_more_and_is_found_too() {
        let noise: String = (0..8_000_u64)
            .map(|at| if at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 0 { 'a' } else { 'b' })
            .collect();
        for (pattern, text, expected) in [
            (r"\bm\u{f6}gen\b", "sie m\u{f6}gen es", true),
            (r"\bm\u{f6}gen\b", "m\u{f6}gend", false),
            ("a.{300}z", &noise, false),
            ("a.{300}z", &format!("{noise}z"), true),
        ] {
            let (found, work) = search(pattern, text);
            assert!(found == expected && work > TABLES_WORK, "{pattern}: {found} for {work}");
        }
    }

    #[test]
    fn nothing_is_searched_that_cannot_be_afforded() {
        let pattern = Pattern::new("a.{300}z").unwrap();
        assert!(!pattern.is_in("a", |_| false));
        let noise = "ab".repeat(10_000) + "z";
        assert!(Pattern::new("z").unwrap().is_in(&noise, |work| work < TABLES_WORK));
        assert!(!Pattern::new(r"\bz\b").unwrap().is_in("\u{f6} z", |work| work < TABLES_WORK));
    }

    #[test]
    fn what_is_refused() {
        for (pattern, expected) in [
            ("(", Refusal::Unknown),
            ("a(?=b)", Refusal::Unknown),
            (r"(a)\1", Refusal::Unknown),
            ("(.{1000}){1000}", Refusal::TooLarge),
            (&"a".repeat(TEXT_BYTES_MAX + 1), Refusal::TooLarge),
            (&r"\w".repeat(TEXT_BYTES_MAX / 2), Refusal::TooLarge),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), expected, "{pattern}");
        }
        for pattern in ["^gpt-4", r"\w+@\w+\.\w+", "[ab].{300}z"] {
            let pattern = Pattern::new(pattern).unwrap();
            pattern.is_in(&"ab ".repeat(10_000), |_| true);
            assert!((KEPT_BYTES_MAX..KEPT_BYTES_MAX + COMPILED_BYTES_MAX).contains(&pattern.bytes()));
            let kept = pattern.learnt.lock().unwrap();
            assert!(kept.as_ref().is_none_or(|cache| cache.memory_usage() <= KEPT_BYTES_MAX));
        }
    }
}
