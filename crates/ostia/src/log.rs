//! The log on the terminal: one line for each request, and what the gateway has to say of itself.
//!
//! Nobody who serves requests waits for it. The account of a request goes into a queue with a bound; a thread makes the text and
//! writes it. What does not fit is dropped, counted, and the count is said. So there is no `tracing` here: its subscribers make
//! the text where the event happens, on the core, and the one event that matters here happens once for every request.
//! What it costs a core to hand over one line, `what_a_line_costs` in `log/tests.rs` prints.
//!
//! Nothing secret comes here. A line is made of what is listed in [`Access`], a view of the account of its request: there is no room
//! in it for headers, bodies or messages of errors.

mod access;
pub mod cause;
mod filter;
#[cfg(test)]
mod tests;
mod text;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

pub use access::{Access, End, Logged, NAME_BYTES_MAX, name};
pub use filter::{Filter, Level};
pub use text::Format;
pub use writer::Writer;

/// Lines that wait to be written. The longest take some kilobyte.
const LINES_MAX: usize = 4096;

/// Where lines are handed over. Each thread has one of its own.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Entry>,
    filter: Filter,
    lost: Arc<AtomicU64>,
}

/// What is written.
#[derive(Debug)]
enum Entry {
    Access(Arc<dyn Logged>),
    Said(Said),
    /// Lines are priced so from here on.
    Pricer(Pricer),
}

/// Says what the answer of a request cost, where that is known.
type Pricing = dyn Fn(&Access) -> Option<Price> + Send;

/// Whoever prices lines: asked on the thread that writes them.
pub struct Pricer(pub Box<Pricing>);

/// A sum of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// A decimal number.
    pub amount: String,
    /// Three letters (ISO 4217).
    pub currency: String,
}

impl std::fmt::Debug for Pricer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pricer")
    }
}

/// Something that the gateway says of itself.
#[derive(Debug)]
struct Said {
    at: Instant,
    level: Level,
    target: Target,
    text: String,
}

/// What a line is about: the names that `--log` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Requests.
    Access,
    /// The configuration, and how another one is put in force.
    Config,
    /// The gateway itself.
    Server,
}

impl Log {
    /// A log, and whoever writes it down.
    pub fn new(filter: Filter, format: Format) -> (Log, Writer) {
        let (sender, entries) = sync_channel(LINES_MAX);
        let lost = Arc::<AtomicU64>::default();
        let log = Log { lines: sender, filter, lost: lost.clone() };
        (log, Writer::new(entries, format, lost))
    }

    /// Is there to be anything about requests?
    pub fn has_access(&self) -> bool {
        self.filter.level(Target::Access) != Level::Off
    }

    /// Says something about the gateway itself.
    pub fn say(&self, level: Level, target: Target, text: impl Into<String>) {
        if self.filter.takes(level, target) {
            self.hand_over(Entry::Said(Said { at: Instant::now(), level, target, text: text.into() }));
        }
    }

    /// Lines of requests say what they cost from here on.
    pub fn price_by(&self, pricer: Pricer) {
        self.hand_over(Entry::Pricer(pricer));
    }

    /// A request has come to its end.
    pub fn access<L: Logged + 'static>(&self, request: &Arc<L>) {
        if self.filter.takes(request.access().level(), Target::Access) {
            self.hand_over(Entry::Access(request.clone()));
        }
    }

    fn hand_over(&self, entry: Entry) {
        if self.lines.try_send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
