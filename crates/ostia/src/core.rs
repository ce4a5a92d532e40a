//! What one core works with: the operator's settings, shared, and connections of its own.

use std::cell::Cell;
use std::sync::Arc;

use ostia_dialect::Fault;
use ostia_routing::{Route, State};

use crate::call::Call;
use crate::kept::Kept;
use crate::records::{Records, Ring};
use crate::routes::{self, Compiled};
use crate::settings::Settings;
use crate::upstream::{Tls, Upstreams};

/// What all cores share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The operator's decisions, never changed.
    pub settings: Arc<Settings>,
    /// What is needed for TLS.
    pub tls: Tls,
    /// What is remembered for clients.
    pub kept: Kept,
    /// What the requests of one config share: breakers, balancers, budgets.
    pub state: Arc<State>,
    /// What was decided for the last requests.
    pub records: Records,
}

/// The state of one core.
#[derive(Debug)]
pub struct Core {
    /// Shared by all cores, and never changed.
    pub settings: Arc<Settings>,
    /// What is remembered for clients, shared by all cores.
    pub kept: Kept,
    /// Configs, compiled.
    pub compiled: Compiled,
    /// What was decided for the last requests, of all cores.
    pub records: Records,
    /// Those of this core.
    pub ring: Arc<Ring>,
    /// Connections to providers.
    pub upstreams: Upstreams,
    /// Counts the requests of this core, for their ids.
    counter: Cell<u64>,
    /// Sets this core's ids apart from all others.
    seed: u64,
}

impl Core {
    /// A core without connections.
    pub fn new(shared: Shared) -> Core {
        let Shared { settings, tls, kept, state, records } = shared;
        let upstreams = Upstreams::new(settings.guard.clone(), tls);
        Core {
            compiled: Compiled::new(&settings.named, state),
            settings,
            kept,
            ring: records.ring(),
            records,
            upstreams,
            counter: Cell::new(0),
            seed: fastrand::u64(..),
        }
    }

    /// The route of a request: of the config that it names or brings, of its key, of its model, or the operator's default.
    ///
    /// # Errors
    /// 400 for a config that is wrong or not there, or asks for what the gateway cannot do.
    pub fn route(&self, call: &Call, model: Option<&str>) -> Result<Option<Arc<Route>>, Fault> {
        routes::find(&self.settings, &self.compiled, call, model)
    }

    /// A name that no other request has: 32 hexadecimal digits.
    pub fn new_id(&self) -> String {
        let count = self.counter.get();
        self.counter.set(count + 1);
        let own = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.seed.rotate_left(32);
        hexadecimal((u128::from(self.seed) << 64) | u128::from(own))
    }
}

/// All 32 digits. The formatter of the standard library takes ten times as long, and every request has an id.
fn hexadecimal(number: u128) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8_lossy(&digits).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        for number in [0, 1, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210, u128::MAX] {
            assert_eq!(hexadecimal(number), format!("{number:032x}"));
        }
    }
}
