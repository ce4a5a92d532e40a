//! How many connections are kept without a call, and for how long.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::egress::Origin;

/// How long an idle connection is trusted where the server does not say. Many close after 60 s.
pub(super) const IDLE_AGE_MAX: Duration = Duration::from_secs(55);

/// Idle connections that one core keeps to the operator's and the built-in hosts, over all of them.
const IDLE_MAX: usize = 512;
/// The same to hosts that clients chose: they cannot crowd out the operator's.
const IDLE_TO_CLIENTS_HOSTS_MAX: usize = 64;

/// Idle connections of all hosts that the same party chose.
#[derive(Debug, Clone)]
pub(super) struct IdleCount {
    count: Rc<Cell<usize>>,
    max: usize,
}

/// Idle connections to the operator's and the built-in hosts, and to those that clients chose.
#[derive(Debug, Clone)]
pub(super) struct IdleCounts {
    operators: IdleCount,
    clients: IdleCount,
}

impl Default for IdleCounts {
    fn default() -> IdleCounts {
        let none = |max| IdleCount { count: Rc::default(), max };
        IdleCounts { operators: none(IDLE_MAX), clients: none(IDLE_TO_CLIENTS_HOSTS_MAX) }
    }
}

impl IdleCounts {
    /// Of hosts that this party chose.
    pub(super) fn of(&self, origin: Origin) -> &IdleCount {
        match origin {
            Origin::Client | Origin::Content => &self.clients,
            Origin::Operator | Origin::BuiltIn => &self.operators,
        }
    }
}

impl IdleCount {
    /// Counts one more, if there is room.
    pub(super) fn count(&self) -> Option<Counted> {
        (self.count.get() < self.max).then(|| Counted::new(&self.count))
    }
}

/// Counts one, as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Rc<Cell<usize>>);

impl Counted {
    fn new(count: &Rc<Cell<usize>>) -> Counted {
        count.set(count.get() + 1);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
