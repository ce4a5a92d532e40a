//! What the id of a model tells: the words of its name, and its version.

/// Words of an id that are found at once. Hardly an id has more; those behind them are searched for.
const WORDS_USUAL: usize = 12;

/// A model's id in parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'i> {
    /// Its first words, and empty ones.
    words: [&'i str; WORDS_USUAL],
    /// The id, where it has more words.
    long: Option<&'i str>,
    /// Major and minor number; (0, 0) where the id names none.
    pub(super) version: (u32, u32),
}

impl<'i> Name<'i> {
    /// Reads an id. Vendor and cloud may stand before the name, a tenant and a revision behind it.
    pub(super) fn of(id: &'i str) -> Name<'i> {
        let id = id.rsplit('/').next().unwrap_or(id);
        // In a path of somebody's making the slash is encoded.
        let id = if id.contains('%') { id.rsplit("%2F").next().unwrap_or(id) } else { id };
        // `ft:gpt-4.1-mini:acme::x`: what follows the model is the tenant's.
        let id = id.strip_prefix("ft:").map_or(id, |rest| rest.split(':').next().unwrap_or(rest));
        let (mut known, mut all) = ([""; WORDS_USUAL], words(id));
        known.iter_mut().zip(&mut all).for_each(|(known, word)| *known = word);
        let long = all.next().map(|_| id);
        let version = match long {
            Some(id) => version(words(id)),
            None => version(known.iter().copied().filter(|word| !word.is_empty())),
        };
        Name { words: known, long, version }
    }

    /// Is this one of its words? Case does not matter.
    pub(super) fn has(&self, word: &str) -> bool {
        let known = self.words.iter().take_while(|own| !own.is_empty());
        known.copied().chain(self.long.into_iter().flat_map(words)).any(|own| is_word(own, word))
    }
}

fn words(id: &str) -> impl Iterator<Item = &str> + Clone {
    id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Is this the word, or the word with its version at one end (`o3`, `4o`)?
fn is_word(own: &str, word: &str) -> bool {
    own.eq_ignore_ascii_case(word)
        || own.len() > word.len() && word == "o" && family(own).is_some_and(|name| name == word)
}

/// The letters of a name that has its version in the same word.
fn family(own: &str) -> Option<&str> {
    let name = own.trim_start_matches(|c: char| c.is_ascii_digit());
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (name.len() < own.len() && own.starts_with(name)).then_some(name)
}

/// The first run of one or two short numbers: `3-5-haiku-20241022` is 3.5, `opus-4-20250514` is 4.0, `o3-mini` is 3.0.
fn version<'i>(mut words: impl Iterator<Item = &'i str>) -> (u32, u32) {
    let short = |word: &str| if word.len() <= 2 { word.parse::<u32>().ok() } else { None };
    let major = |word: &str| short(word.trim_start_matches('o').trim_end_matches('o'));
    let Some(major) = words.by_ref().find_map(major) else { return (0, 0) };
    (major, words.next().and_then(short).unwrap_or(0))
}
