//! Where `cargo verify` is: a line at every step's beginning and end, and one now and then while it lasts, so that a step
//! that says nothing itself does not look hung.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::tool;

/// How often a step that lasts is spoken of.
const EVERY: Duration = Duration::from_secs(10);
/// Below the target folder: how many seconds each step took when it last went well.
const TIMES: &str = "verify-times.txt";

/// How long the steps took last time.
#[derive(Debug, Clone, Default)]
pub struct Times {
    seconds: BTreeMap<String, u64>,
}

impl Times {
    /// Those of the last run in this target folder; none where there was none.
    pub fn read() -> Times {
        let text = path().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        Times::parse(&text)
    }

    fn parse(text: &str) -> Times {
        let entry = |line: &str| {
            let (name, seconds) = line.rsplit_once(' ')?;
            Some((name.to_owned(), seconds.parse().ok()?))
        };
        Times { seconds: text.lines().filter_map(entry).collect() }
    }

    /// Remembers how long a step took.
    pub fn set(&mut self, step: &str, took: Duration) {
        self.seconds.insert(step.to_owned(), took.as_secs());
    }

    /// Writes them for the next run. Where that fails, it just knows less.
    pub fn write(&self) {
        let lines: Vec<String> =
            self.seconds.iter().map(|(name, seconds)| format!("{name} {seconds}\n")).collect();
        let _ = path().map(|path| std::fs::write(path, lines.concat()));
    }

    /// `12 s`, or with what it took last time: `12 s of some 40 s`.
    pub fn so_far(&self, step: &str, elapsed: Duration) -> String {
        match self.seconds.get(step) {
            Some(last) if *last > elapsed.as_secs() => {
                format!("{} of some {}", seconds(elapsed), minutes(*last))
            }
            Some(_) | None => seconds(elapsed),
        }
    }
}

fn path() -> Option<PathBuf> {
    tool::target_folder().ok().map(|folder| folder.join(TIMES))
}

fn seconds(duration: Duration) -> String {
    minutes(duration.as_secs())
}

/// `40 s`, `3 min 5 s`.
pub fn minutes(seconds: u64) -> String {
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}

/// Speaks of a step until it is dropped.
#[derive(Debug)]
pub struct Heartbeat {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// `line` is asked for the words, with the time since now.
    pub fn start(line: impl Fn(Duration) -> String + Send + 'static) -> Heartbeat {
        Heartbeat::every(EVERY, move |elapsed| eprintln!("{}", line(elapsed)))
    }

    fn every(interval: Duration, say: impl Fn(Duration) + Send + 'static) -> Heartbeat {
        let (end, ended) = mpsc::channel();
        let start = Instant::now();
        let thread = thread::spawn(move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                say(start.elapsed());
            }
        });
        Heartbeat { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.end.take());
        // It has nothing more to say, and its last line must not come behind the step's own.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let times = Times::parse("doc tests 90\nlints 7\nbroken\nalso x\n");
        let check = |step: &str, elapsed: u64, expected: &str| {
            assert_eq!(times.so_far(step, Duration::from_secs(elapsed)), expected, "{step} {elapsed}");
        };
        check("doc tests", 30, "30 s of some 1 min 30 s");
        check("doc tests", 95, "1 min 35 s");
        check("lints", 5, "5 s of some 7 s");
        check("never seen", 61, "1 min 1 s");
    }

    #[test]
    fn a_heartbeat_speaks_until_it_is_dropped() {
        let (said, heard) = mpsc::channel();
        let beat = Heartbeat::every(Duration::from_millis(1), move |elapsed| {
            let _ = said.send(elapsed);
        });
        let first = heard.recv().ok();
        assert!(heard.recv().ok() > first);
        drop(beat);
        while heard.try_recv().is_ok() {}
        // Its thread is over, and with it the channel's other end.
        assert!(heard.recv().is_err());
    }
}
