//! A session as it is told.

use std::collections::BTreeSet;

use crate::summary::Sums;

/// Most models of one session that are told.
pub(crate) const MODELS_MAX: usize = 20;

/// A conversation, or an agent's run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: String,
    /// When its first request came, in milliseconds since 1970,
    pub first_ms: i64,
    /// and its last one.
    pub last_ms: i64,
    /// What its requests come to.
    pub sums: Sums,
    /// Which models were asked for; some of them, where there are very many.
    pub models: BTreeSet<String>,
}

impl Session {
    /// None of its requests yet.
    pub(crate) fn named(id: String) -> Session {
        Session { id, first_ms: i64::MAX, ..Session::default() }
    }

    /// One of its requests came then, for this model.
    pub(crate) fn saw(&mut self, started_ms: i64, model: Option<String>) {
        self.first_ms = self.first_ms.min(started_ms);
        self.last_ms = self.last_ms.max(started_ms);
        if let Some(model) = model
            && (self.models.len() < MODELS_MAX || self.models.contains(&model))
        {
            self.models.insert(model);
        }
    }
}
