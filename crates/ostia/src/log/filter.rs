//! What is written and what is not: `--log warn`, `--log access=off`, `--log error,config=info`.

use std::str::FromStr;

use super::Target;

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As a level of a filter: nothing is written.
    Off,
    /// Something is broken: for a request, the status is 500 or above, or its stream broke off.
    Error,
    /// Something deserves a look: for a request, a status from 400 on, or a client that left.
    Warn,
    /// What is done.
    Info,
    /// What only helps to find a fault: for requests, probes too.
    Debug,
}

const LEVELS: [(&str, Level); 5] = [
    ("off", Level::Off),
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
];

const TARGETS: [(&str, Target); 3] =
    [("access", Target::Access), ("config", Target::Config), ("server", Target::Server)];

impl Level {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        LEVELS[self as usize].0
    }
}

impl Target {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        TARGETS[self as usize].0
    }
}

/// The least level that is written, for each target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter([Level; TARGETS.len()]);

impl Default for Filter {
    fn default() -> Filter {
        Filter([Level::Info; TARGETS.len()])
    }
}

impl Filter {
    /// What is written about this target.
    pub fn level(self, target: Target) -> Level {
        self.0[target as usize]
    }

    /// Is this written?
    pub fn takes(self, level: Level, target: Target) -> bool {
        level <= self.level(target)
    }
}

impl FromStr for Filter {
    type Err = String;

    /// Levels, and levels of targets, between commas. What comes later goes before.
    fn from_str(text: &str) -> Result<Filter, String> {
        let mut filter = Filter::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                None => filter.0 = [find(&LEVELS, word, "level")?; TARGETS.len()],
                Some((target, level)) => {
                    let target = find(&TARGETS, target.trim(), "target")?;
                    filter.0[target as usize] = find(&LEVELS, level.trim(), "level")?;
                }
            }
        }
        Ok(filter)
    }
}

fn find<T: Copy>(table: &[(&str, T)], word: &str, what: &str) -> Result<T, String> {
    let found = table.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        format!("`{word}` is no {what}; there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        use Level::{Debug, Error, Info, Off, Warn};
        for (text, access, config, server) in [
            ("", Info, Info, Info),
            ("warn", Warn, Warn, Warn),
            ("off", Off, Off, Off),
            ("access=off", Off, Info, Info),
            ("access=off,warn", Warn, Warn, Warn),
            ("error, config = DEBUG", Error, Debug, Error),
            ("server=error,", Info, Info, Error),
        ] {
            let levels = [access, config, server];
            assert_eq!(text.parse(), Ok(Filter(levels)), "{text}");
        }
        for (text, words) in [("loud", "`loud` is no level"), ("acess=off", "access, config, server")] {
            let problem = text.parse::<Filter>().err().unwrap_or_default();
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn names_stand_at_their_places() {
        for (name, level) in LEVELS {
            assert_eq!(level.as_str(), name);
        }
        for (name, target) in TARGETS {
            assert_eq!(target.as_str(), name);
        }
    }

    #[test]
    fn what_matters_less_is_left_out() {
        let filter: Filter = "warn,config=off".parse().unwrap_or_default();
        assert!(filter.takes(Level::Error, Target::Server) && filter.takes(Level::Warn, Target::Access));
        assert!(!filter.takes(Level::Info, Target::Access) && !filter.takes(Level::Error, Target::Config));
    }
}
