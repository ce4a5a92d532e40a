//! The thread that makes the text of lines and writes them.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::text::{Format, Formatter};
use super::{Entry, Level, Pricer, Said, Target};
use crate::terminal;

/// How long the thread rests when there is nothing to write, at first and at most. It does not sleep on the queue: whoever hands
/// over a line would have to wake it, and that is a call to the system on the way of a request.
const REST: Duration = Duration::from_millis(5);
const REST_MAX: Duration = Duration::from_millis(50);
/// Text that is written at once, in bytes.
const TEXT_BYTES: usize = 64 << 10;
/// How long the end of the gateway waits for the last lines.
const LAST_LINES_WITHIN: Duration = Duration::from_secs(1);

/// Whoever writes lines.
#[derive(Debug)]
pub struct Writer {
    entries: Receiver<Entry>,
    formatter: Formatter,
    lost: Arc<AtomicU64>,
    pricer: Option<Pricer>,
}

/// Lets a log come to its end.
#[derive(Debug)]
pub struct Ending {
    stop: Sender<()>,
    is_over: Receiver<()>,
}

impl Writer {
    /// Writes these entries to the standard error output.
    pub(super) fn new(entries: Receiver<Entry>, format: Format, lost: Arc<AtomicU64>) -> Writer {
        let has_colours = format == Format::Text && terminal::takes_colours(&std::io::stderr());
        Writer { entries, formatter: Formatter { format, has_colours }, lost, pricer: None }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub fn start(self) -> std::io::Result<Ending> {
        let (stop, stopped) = channel();
        let (over, is_over) = channel();
        thread::Builder::new().name("ostia-log".to_owned()).spawn(move || {
            self.run(&stopped, &mut std::io::stderr());
            let _ = over.send(());
        })?;
        Ok(Ending { stop, is_over })
    }

    /// Writes until `stopped` says so, and then what is still there.
    pub(super) fn run(mut self, stopped: &Receiver<()>, out: &mut impl Write) {
        let mut rest = REST;
        let mut text = String::new();
        loop {
            // Asked for before it is looked whether there is more, so that nothing that was handed over is left.
            let is_last = stopped.try_recv() != Err(TryRecvError::Empty);
            let is_more = self.take(&mut text);
            if !text.is_empty() {
                // Nobody may be listening; that is no reason to stop.
                let _ = out.write_all(text.as_bytes());
                text.clear();
                rest = REST;
            }
            if is_more {
                continue;
            }
            if is_last {
                return;
            }
            thread::sleep(rest);
            rest = (rest * 2).min(REST_MAX);
        }
    }

    /// The text of as many lines as are written at once. Are there more?
    fn take(&mut self, text: &mut String) -> bool {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let told = format!("{lost} lines of the log were lost: they were not read as fast as they came.");
            let said = Said { at: Instant::now(), level: Level::Warn, target: Target::Server, text: told };
            self.formatter.said(&said, text);
        }
        while text.len() < TEXT_BYTES {
            match self.entries.try_recv() {
                Ok(entry) => self.write(entry, text),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn write(&mut self, entry: Entry, text: &mut String) {
        match entry {
            Entry::Pricer(pricer) => self.pricer = Some(pricer),
            Entry::Said(said) => self.formatter.said(&said, text),
            Entry::Access(request) => {
                let mut access = request.access();
                access.cost = self.pricer.as_ref().and_then(|Pricer(price)| price(&access));
                self.formatter.access(&access, text);
            }
        }
    }
}

impl Ending {
    /// Waits for the last lines, unless nobody takes them.
    pub fn finish(self) {
        let _ = self.stop.send(());
        match self.is_over.recv_timeout(LAST_LINES_WITHIN) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}
