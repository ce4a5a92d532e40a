//! A door in a script that the test opens.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a script waits at a closed gate before it goes on: a test that forgets to open one ends all the same.
const PATIENCE: Duration = Duration::from_secs(20);

/// Holds a script back until it is opened. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let opened = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(opened, PATIENCE, |opened| !*opened).unwrap());
    }
}
