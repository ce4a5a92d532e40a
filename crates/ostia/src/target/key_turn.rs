//! A call's way through the operator's keys for its provider, where there are several.

use std::ops::ControlFlow;
use std::time::Duration;

use ostia_providers::Provider;
use ostia_providers::prepare::{Affinity, affinity};
use ostia_routing::Time;
use ostia_routing::keys::{self, KeyFault, KeyUse, Turn};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Asked, Destination, Key, Target};
use crate::clock;
use crate::config::provider_keys::KeyList;
use crate::errors::attempt_error::AttemptError;
use crate::inbound::Inbound;

/// A call's way through several keys.
#[derive(Debug)]
pub struct KeyTurn<'a> {
    list: &'a KeyList,
    turn: Turn,
    /// When the key that it shows was chosen.
    began: Time,
    /// Of the answers against keys, the one that tells the client most.
    best: Option<(Rank, AttemptError)>,
}

/// How little an answer against a key tells the client: one that says when to come back goes first, the soonest before all, and
/// one about the request before one about the key.
type Rank = (u8, Duration);

impl<'a> KeyTurn<'a> {
    /// Begins with the key that this call shares with others, or one drawn by weight.
    pub(super) fn begin(
        list: &'a KeyList,
        inbound: Inbound<'_>,
        asked: Asked<'_, '_>,
        to: &Provider,
    ) -> KeyTurn<'a> {
        let began = clock::now();
        let turn = list.keys.first(affinity_of(inbound, asked, to), fastrand::u64(..), began);
        KeyTurn { list, turn, began, best: None }
    }

    /// The key to show.
    pub(super) fn key(&self) -> Option<Key<'a>> {
        self.list.secret(self.turn.place()).map(Key::Operator)
    }

    /// The better one of this answer and an earlier one.
    fn better(&mut self, fault: KeyFault, error: AttemptError) -> (Rank, AttemptError) {
        let rank = match fault {
            KeyFault::RateLimit(wait) => (0, wait.unwrap_or(keys::REST_DEFAULT)),
            KeyFault::NotAllowed | KeyFault::NotFound => (1, Duration::ZERO),
            KeyFault::Quota | KeyFault::Refused => (2, Duration::ZERO),
        };
        match self.best.take() {
            Some(best) if best.0 < rank => best,
            Some(_) | None => (rank, error),
        }
    }
}

/// Whom a call shares its key with, as a number. It is the same after a restart and on every replica: what a provider keeps
/// is found again.
fn affinity_of(inbound: Inbound<'_>, asked: Asked<'_, '_>, provider: &Provider) -> Option<u64> {
    let (kind, caller) = caller(inbound);
    match asked {
        // Whatever is handed on unread may be about what the provider keeps.
        Asked::Unread(_) | Asked::Step(_) => Some(keys::affinity(&[kind, caller])),
        Asked::Api(call) | Asked::Row(call) => match affinity(call, provider) {
            Affinity::Caller => Some(keys::affinity(&[kind, caller])),
            Affinity::Words(words) => Some(keys::affinity(&[kind, caller, words.as_bytes()])),
            Affinity::None => None,
        },
    }
}

/// Who calls: the name of the gateway's key, or the key that was shown.
fn caller(inbound: Inbound<'_>) -> (&'static [u8], &[u8]) {
    let shown = inbound.caller.key(&inbound.core.settings.gateway_keys);
    match (shown, shown.and_then(|key| key.name.as_deref()), &inbound.caller.provider_key) {
        (_, Some(name), _) => (b"name", name.as_bytes()),
        (Some(key), None, _) => (b"key", key.secret.expose_secret().as_bytes()),
        (None, None, Some(own)) => (b"credential", own.expose().as_bytes()),
        (None, None, None) => (b"nobody", b""),
    }
}

impl<'a> Target<'a> {
    /// Are there several keys to ask with?
    pub fn has_several_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Which of several keys is shown, and which ones rest.
    pub fn key_use(&self) -> Option<KeyUse> {
        let keys = self.keys.as_deref()?;
        Some(keys.list.keys.describe(&keys.turn, clock::now()))
    }

    /// Shows this key of the operator's and no other.
    pub fn show(&mut self, only: &'a SecretString) {
        self.keys = None;
        if let Destination::Operators { key, .. } = &mut self.destination {
            *key = Some(Key::Operator(only));
        }
    }

    /// What follows from an answer: it counts, or the target is to be asked once more at once, with another of its keys. That
    /// is no retry: whoever follows a config hears of the last answer only, so that a circuit breaker counts a failure where
    /// all keys failed. `again`: what is needed to send the request again, if that can be done.
    pub fn settle<T, A>(
        &mut self,
        answer: Result<T, AttemptError>,
        again: Option<A>,
    ) -> ControlFlow<Result<T, AttemptError>, A> {
        let Some(keys) = self.keys.as_deref_mut() else { return ControlFlow::Break(answer) };
        let now = clock::now();
        let error = match answer {
            Ok(answer) => {
                keys.list.keys.answered(&keys.turn, now);
                return ControlFlow::Break(Ok(answer));
            }
            Err(error) => error,
        };
        let Some(fault) = error.key_fault() else { return ControlFlow::Break(Err(error)) };
        // All keys together have the time that one has.
        let left = self.timeouts.total.saturating_sub(now.since(keys.began));
        let Some(again) = again.filter(|_| !left.is_zero()) else {
            keys.list.keys.note(&mut keys.turn, fault, now);
            return ControlFlow::Break(Err(error));
        };
        let best = keys.better(fault, error);
        if !keys.list.keys.next(&mut keys.turn, fault, now) {
            return ControlFlow::Break(Err(best.1));
        }
        (keys.best, keys.began) = (Some(best), now);
        if let Destination::Operators { key, .. } = &mut self.destination {
            *key = keys.key();
        }
        self.timeouts.total = left;
        self.timeouts.first_byte = self.timeouts.first_byte.min(left);
        ControlFlow::Continue(again)
    }
}
