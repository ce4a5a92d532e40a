//! Several keys of one provider: which one a call shows, which ones rest meanwhile and for how long.
//!
//! A key that the provider answered with "too many requests" rests as long as it said. One that the provider does not
//! accept, or whose account is empty, rests for a moment, and for longer once another key was good enough for the same
//! request: until then the cause may be the request, and a client must not be able to put all keys to rest. What rests is
//! not forbidden. If all keys rest, the one that is free first is asked, because to ask nobody is certain to fail.
//!
//! A key's state is one atomic word that all cores share. Its orders are checked as those of the breaker are.

pub(crate) mod rest;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::balance::{Pool, Set};
use crate::breaker::remaining_ms;
use crate::hash::{Dice, Hash};
use crate::state::State;
use crate::time::Time;

use rest::Rest;
pub use rest::Why;

/// Most keys of one provider.
pub const KEYS_MAX: usize = 64;
/// How long a key rests that was asked too much of, where the provider does not say; and one that was refused, until it is
/// known that another one is not.
pub const REST_DEFAULT: Duration = Duration::from_secs(10);
/// The longest rest that a provider can ask for: a daily limit that is lifted is so found out within the hour.
pub const REST_MAX: Duration = Duration::from_secs(3600);
/// How long a key rests that was refused where another one was not.
pub const REST_REFUSED: Duration = Duration::from_secs(600);

/// How many further keys are asked for one request because a key may not do it or does not find it. Where a caller's key rested
/// or a key was added, what the caller has is at the key that comes next for it.
const ELSEWHERE_MAX: u32 = 3;

const _: () = assert!(KEYS_MAX <= Set::MEMBERS_MAX);

/// What an answer says against the key that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// Too many requests were made with it, and it is to be left alone for so long.
    RateLimit(Option<Duration>),
    /// Its account has no credit left.
    Quota,
    /// It is not accepted.
    Refused,
    /// It may not do this. It may do other things, so it does not rest.
    NotAllowed,
    /// What is asked for is not there, which may be because it belongs to another key. It does not rest either.
    NotFound,
}

/// The keys of one provider, without the keys themselves: their weights, and what is known of them.
#[derive(Debug)]
pub struct Keys {
    weights: Box<[f64]>,
    /// What callers are assigned to keys by, so that a key keeps its callers wherever it stands in the list.
    identities: Box<[u64]>,
    rests: Box<[Arc<Rest>]>,
}

/// One request's way through the keys.
#[derive(Debug)]
pub struct Turn {
    /// The key to show now.
    place: usize,
    /// What its word was when it was chosen.
    word: u64,
    /// Those that were shown.
    tried: Set,
    /// Those of them that were refused.
    refused: Set,
    /// One was asked although it rests.
    forced: bool,
    /// One said that it will do later.
    is_later: bool,
    /// How many may not do it, or do not find it.
    elsewhere: u32,
    affinity: Option<u64>,
    dice: Dice,
}

/// A key in use, for people. Never the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// `2 of 3`.
    pub key: String,
    /// Those that rest.
    #[serde(rename = "keys_resting", skip_serializing_if = "Vec::is_empty")]
    pub resting: Vec<RestingKey>,
}

/// A key that rests, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestingKey {
    /// `1 of 3`.
    pub key: String,
    /// Why.
    pub why: Why,
    /// For how long still.
    pub for_ms: u64,
}

/// A number for whoever should keep the same key: made of these words, the same on every machine.
pub fn affinity(words: &[&[u8]]) -> u64 {
    let with = |hash: Hash, word: &&[u8]| hash.number(word.len() as u64).bytes(word);
    words.iter().fold(Hash::new(), with).finish()
}

impl Keys {
    /// The keys of a provider with their weights, at most [`KEYS_MAX`] and at least one. A key that was there before finds
    /// its state.
    pub fn new(provider: &str, keys: &[(&SecretString, u32)], state: &State) -> Keys {
        let identities: Box<[u64]> = keys
            .iter()
            .map(|(key, _)| affinity(&[provider.as_bytes(), key.expose_secret().as_bytes()]))
            .collect();
        Keys {
            weights: keys.iter().map(|(_, weight)| f64::from(*weight)).collect(),
            rests: identities.iter().map(|identity| state.rest(*identity)).collect(),
            identities,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rests.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.rests.is_empty()
    }

    /// The first key for a request: of those that do not rest, the one that this affinity is assigned to, or one drawn by
    /// weight. `seed` should differ from request to request.
    pub fn first(&self, affinity: Option<u64>, seed: u64, now: Time) -> Turn {
        let mut turn = Turn {
            place: 0,
            word: 0,
            tried: Set::default(),
            refused: Set::default(),
            forced: false,
            is_later: false,
            elsewhere: 0,
            affinity,
            dice: Dice::new(seed),
        };
        if !self.choose_awake(&mut turn, now) {
            self.choose_resting(&mut turn);
        }
        turn
    }

    /// The key that a turn shows was not good for the request. False if there is none left to ask with.
    pub fn next(&self, turn: &mut Turn, fault: KeyFault, now: Time) -> bool {
        self.note(turn, fault, now);
        if matches!(fault, KeyFault::NotAllowed | KeyFault::NotFound) {
            turn.elsewhere += 1;
            if turn.elsewhere > ELSEWHERE_MAX {
                return false;
            }
        }
        self.choose_awake(turn, now)
            // A client is not told of a bad key while another one only rests.
            || !turn.forced && !turn.is_later && self.choose_resting(turn)
    }

    /// The same where the request cannot be made once more.
    pub fn note(&self, turn: &mut Turn, fault: KeyFault, now: Time) {
        turn.tried.insert(turn.place);
        let (why, time) = match fault {
            KeyFault::RateLimit(told) => (Why::RateLimit, told.unwrap_or(REST_DEFAULT).min(REST_MAX)),
            KeyFault::Quota => (Why::Quota, REST_DEFAULT),
            KeyFault::Refused => (Why::Refused, REST_DEFAULT),
            KeyFault::NotAllowed | KeyFault::NotFound => return,
        };
        match why {
            Why::RateLimit => turn.is_later = true,
            Why::Quota | Why::Refused => turn.refused.insert(turn.place),
        }
        if let Some(rest) = self.rests.get(turn.place) {
            rest.begin(turn.word, why, now.after(time));
        }
    }

    /// The key that a turn shows was good for the request.
    pub fn answered(&self, turn: &Turn, now: Time) {
        if let Some(rest) = self.rests.get(turn.place).filter(|_| turn.word != 0) {
            rest.end(turn.word);
        }
        let refused = self.rests.iter().enumerate().filter(|(place, _)| turn.refused.contains(*place));
        for (_, rest) in refused {
            rest.prolong(now.after(REST_REFUSED));
        }
    }

    /// Which key a turn shows, and which ones rest.
    pub fn describe(&self, turn: &Turn, now: Time) -> KeyUse {
        let name = |place: usize| format!("{} of {}", place + 1, self.len());
        let resting = self.rests.iter().enumerate().filter_map(|(place, rest)| {
            let (why, until) = rest.state(now)?;
            Some(RestingKey { key: name(place), why, for_ms: remaining_ms(until, now) })
        });
        KeyUse { key: name(turn.place), resting: resting.collect() }
    }

    fn choose_awake(&self, turn: &mut Turn, now: Time) -> bool {
        let mut out = turn.tried;
        let resting = self.rests.iter().enumerate().filter(|(_, rest)| rest.state(now).is_some());
        resting.for_each(|(place, _)| out.insert(place));
        let pool = Pool { weights: &self.weights, tried: out };
        let chosen = match turn.affinity {
            Some(affinity) => pool.of_key(affinity, &self.identities),
            None => pool.at(turn.dice.unit()),
        };
        chosen.is_some_and(|place| self.show(turn, place))
    }

    /// Of those that were not shown, the one that is free first.
    fn choose_resting(&self, turn: &mut Turn) -> bool {
        turn.forced = true;
        let left = (0..self.len()).filter(|place| !turn.tried.contains(*place));
        let first = left.min_by_key(|place| self.rests.get(*place).map(|rest| rest.until()));
        first.is_some_and(|place| self.show(turn, place))
    }

    fn show(&self, turn: &mut Turn, place: usize) -> bool {
        turn.place = place;
        turn.word = self.rests.get(place).map_or(0, |rest| rest.word());
        true
    }
}

impl Turn {
    /// The place of the key to show now, from 0.
    pub fn place(&self) -> usize {
        self.place
    }
}

impl Why {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::RateLimit => "too many requests",
            Why::Quota => "no credit left",
            Why::Refused => "not accepted",
        }
    }
}
