//! The load generator: one thread, one poll, checked answers.
//!
//! With a closed pace each connection sends its next request when the last answer is whole. With an
//! open pace requests are due at fixed moments, and latency counts from there, also where a request
//! had to wait for a connection: a server that stalls can't hide it by slowing the load.
//!
//! TLS and HTTP/2 are spoken by libraries, and heavier (`client`); what they are held against is asked by the same client. So are
//! WebSockets (`sockets`).

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use serde::{Deserialize, Serialize};

use crate::account::{Between, Snapshot, Used};
use crate::clock::now_ns;
use crate::histogram::Quantiles;
use crate::workloads::{Pace, Transport, Workload};
use connection::{Connection, Step};
use recorder::Recorder;

mod client;
mod connection;
mod recorder;
mod sockets;

/// More wrong answers than this end the measurement.
const ERRORS_MAX: u64 = 1_000;
/// With an open pace, how long to wait for answers that are due when the window ends.
const DRAIN_NS_MAX: u64 = 2_000_000_000;
/// Events taken in one poll.
const EVENTS_MAX: usize = 1_024;
const READ_BYTES: usize = 1 << 18;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The server.
    pub target: SocketAddr,
    /// In wire form, from [`crate::body::request`].
    pub request: &'a [u8],
    /// How to load it, and what its answers must have.
    pub workload: &'a Workload,
    /// Length of the measured window, behind the warm-up.
    pub window_ms: u64,
    /// Processes to account for, with the name that each has in [`Measured::processes`].
    pub watched: &'a [(String, u32)],
    /// The certificate (PEM) that is believed, for [`crate::workloads::Transport`]s with TLS.
    pub certificate: Option<&'a Path>,
}

/// What was measured in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Length of the window as it came out.
    pub seconds: f64,
    /// Right and whole answers that ended in the window.
    pub answers: u64,
    /// Wrong answers and broken connections, warm-up included.
    pub errors: u64,
    /// What was wrong with the first.
    pub error_first: Option<String>,
    /// With an open pace: requests due in the window that were never answered.
    pub unfinished: u64,
    /// From the sending (closed) or the due time (open) to the answer's end.
    pub latency: Option<Quantiles>,
    /// Chunks of streams that came in the window.
    pub chunks: u64,
    /// From the sending to the first chunk.
    pub first_chunk: Option<Quantiles>,
    /// From the mock's writing of a chunk to its arrival.
    pub chunk: Option<Quantiles>,
    /// The share (0 to 1) of chunks later than 35 ms: where a delayed acknowledgement holds bytes back.
    pub chunks_late: f64,
    /// Streams open at the window's end, each with a chunk received; or WebSockets, each with a frame that came back.
    pub streams_open: u64,
    /// Reloads of the configuration, warm-up included, where the runner asks for them.
    #[serde(default)]
    pub reloads: Option<u64>,
    /// The watched processes, and `load`, the generator itself. `resident_before_kb` is from before the
    /// first connection.
    pub processes: BTreeMap<String, Used>,
    /// CPU time of everything that is not watched, in cores.
    pub foreign_cores: f64,
}

/// Runs one measurement.
///
/// # Errors
/// Where the server can't be reached or gives too many wrong answers.
pub fn run(job: &Job) -> io::Result<Measured> {
    // Else the kernel may wake us 50 us late to save power, and that would count as the server's latency.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let mut pids: Vec<u32> = job.watched.iter().map(|(_, pid)| *pid).collect();
    pids.push(std::process::id());
    let unloaded = Snapshot::take(&pids);
    if job.workload.transport == Some(Transport::WebSocket) {
        let load = sockets::Load::new(job)?;
        let (between, after) = window(&pids, load.moments(), |until_ns| load.drive(until_ns))?;
        let counted = Measured { streams_open: load.open(), ..load.measured() };
        return Ok(account(job, between, &unloaded.until(&after).used, counted));
    }
    if let Some(transport) = job.workload.transport {
        let load = client::Load::new(job, transport)?;
        let moments = load.moments();
        let (between, after) = window(&pids, moments, |until_ns| load.drive(until_ns))?;
        let counted = Measured { streams_open: load.streams_open(), ..load.measured() };
        return Ok(account(job, between, &unloaded.until(&after).used, counted));
    }
    let mut load = Load::new(job)?;
    let (between, after) = window(&pids, [load.warm_end_ns, load.end_ns], |until_ns| load.drive(until_ns))?;
    let streams_open = load.streams_open();
    load.drain()?;
    let counted = Measured { streams_open, unfinished: load.unfinished(), ..load.recorder.measured() };
    Ok(account(job, between, &unloaded.until(&after).used, counted))
}

/// Drives a load to the end of its warm-up, and on to its end: what happened in between, and the accounts at the end.
fn window(
    pids: &[u32],
    [warm_end_ns, end_ns]: [u64; 2],
    mut drive: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<(Between, Snapshot)> {
    drive(warm_end_ns)?;
    let before = Snapshot::take(pids);
    drive(end_ns)?;
    let after = Snapshot::take(pids);
    Ok((before.until(&after), after))
}

/// What was counted, with what it cost. `resident`: from before the first connection on.
fn account(job: &Job, between: Between, resident: &[Used], counted: Measured) -> Measured {
    let names = job.watched.iter().map(|(name, _)| name.as_str()).chain(["load"]);
    let used = between.used.iter().zip(resident);
    let used = used.map(|(used, whole)| Used { resident_before_kb: whole.resident_before_kb, ..*used });
    let processes = names.map(str::to_owned).zip(used).collect();
    Measured { seconds: between.seconds, processes, foreign_cores: between.foreign_cores, ..counted }
}

struct Load<'a> {
    job: &'a Job<'a>,
    poll: rustix::fd::OwnedFd,
    events: Vec<Event>,
    buffer: Vec<u8>,
    connections: Vec<Connection>,
    start_ns: u64,
    warm_end_ns: u64,
    end_ns: u64,
    /// Requests begun by the clock: connections started (closed), or requests that came due (open).
    begun: u64,
    /// Open pace: connections without a request, and due times without a connection.
    idle: Vec<usize>,
    waiting: VecDeque<u64>,
    recorder: Recorder,
}

impl<'a> Load<'a> {
    fn new(job: &'a Job<'a>) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut load = Self {
            job,
            poll,
            events: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; READ_BYTES],
            connections: Vec::new(),
            start_ns: 0,
            warm_end_ns: 0,
            end_ns: 0,
            begun: 0,
            idle: Vec::new(),
            waiting: VecDeque::new(),
            recorder: Recorder::new(job.workload.pace)?,
        };
        if job.workload.pace == Pace::Closed {
            for _ in 0..job.workload.connections {
                load.connect()?;
            }
        }
        load.start_ns = now_ns();
        load.warm_end_ns = load.start_ns + job.workload.warm_ms * 1_000_000;
        load.end_ns = load.warm_end_ns + job.window_ms * 1_000_000;
        load.recorder.window(load.warm_end_ns, load.end_ns);
        Ok(load)
    }

    /// Loads the server until a moment.
    fn drive(&mut self, until_ns: u64) -> io::Result<()> {
        loop {
            let mut now = now_ns();
            // However late: where this machine stalls, the load must not become lighter.
            while let Some(due_ns) = self.due_ns(self.begun).filter(|due| *due <= now && *due < until_ns) {
                self.begin(due_ns)?;
                now = now_ns();
            }
            if now >= until_ns {
                return Ok(());
            }
            let wake_ns = self.due_ns(self.begun).map_or(until_ns, |due_ns| due_ns.min(until_ns));
            self.poll(wake_ns.saturating_sub(now))?;
        }
    }

    /// Open pace: waits for what is still to be answered, without sending more than what is due.
    fn drain(&mut self) -> io::Result<()> {
        if self.job.workload.pace == Pace::Closed {
            return Ok(());
        }
        let until_ns = now_ns() + DRAIN_NS_MAX;
        while self.unfinished() > 0 && now_ns() < until_ns {
            self.poll(until_ns.saturating_sub(now_ns()))?;
        }
        Ok(())
    }

    /// When the clock begins its n-th request, if it ever does.
    fn due_ns(&self, n: u64) -> Option<u64> {
        match self.job.workload.pace {
            Pace::Open { per_second } => {
                Some(self.start_ns + n * 1_000_000_000 / u64::from(per_second.max(1)))
            }
            Pace::Closed => {
                let connections = self.connections.len() as u64;
                let ramp_ns = self.job.workload.ramp_ms * 1_000_000;
                (n < connections).then(|| self.start_ns + n * ramp_ns / connections)
            }
        }
    }

    fn begin(&mut self, due_ns: u64) -> io::Result<()> {
        let n = self.begun;
        self.begun += 1;
        if self.job.workload.pace == Pace::Closed {
            return self.send(n as usize, due_ns);
        }
        if self.idle.is_empty() && self.connections.len() < self.job.workload.connections {
            self.connect()?;
            self.idle.push(self.connections.len() - 1);
        }
        match self.idle.pop() {
            Some(index) => self.send(index, due_ns),
            None => {
                self.waiting.push_back(due_ns);
                Ok(())
            }
        }
    }

    fn connect(&mut self) -> io::Result<()> {
        let connection = Connection::open(self.job.target, self.job.workload)?;
        let token = EventData::new_u64(self.connections.len() as u64);
        epoll::add(&self.poll, &connection.socket, token, EventFlags::IN)?;
        self.connections.push(connection);
        Ok(())
    }

    /// Puts a new connection in the place of one that is of no more use. Closing takes it off the poll.
    fn reconnect(&mut self, index: usize) -> io::Result<()> {
        let fresh = Connection::open(self.job.target, self.job.workload)?;
        epoll::add(&self.poll, &fresh.socket, EventData::new_u64(index as u64), EventFlags::IN)?;
        if let Some(connection) = self.connections.get_mut(index) {
            *connection = fresh;
        }
        Ok(())
    }

    fn send(&mut self, index: usize, due_ns: u64) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(index) else { return Ok(()) };
        let from_ns = if self.job.workload.pace == Pace::Closed { now_ns() } else { due_ns };
        connection.begin(from_ns);
        self.write(index)
    }

    /// Writes as much of the request as the socket takes, and asks to be told when it takes more.
    fn write(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(index) else { return Ok(()) };
        let was_blocked = connection.blocked;
        // A broken connection is seen, and counted, when its end is read.
        let _ = connection.write(self.job.request);
        if connection.blocked != was_blocked {
            let more = if connection.blocked { EventFlags::OUT } else { EventFlags::empty() };
            let token = EventData::new_u64(index as u64);
            epoll::modify(&self.poll, &connection.socket, token, EventFlags::IN | more)?;
        }
        Ok(())
    }

    fn poll(&mut self, wait_ns: u64) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: (wait_ns / 1_000_000_000).cast_signed(),
            tv_nsec: (wait_ns % 1_000_000_000).cast_signed(),
        };
        self.events.clear();
        match epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let events = std::mem::take(&mut self.events);
        for event in &events {
            let (flags, index) = (event.flags, event.data.u64() as usize);
            if flags.contains(EventFlags::OUT) {
                self.write(index)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(index)?;
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(index) else { return Ok(()) };
        match connection.read(&mut self.buffer, &mut self.recorder) {
            Step::More => return Ok(()),
            Step::Idle => return self.reconnect(index),
            Step::Whole { now_ns, verdict: Ok(()) } => {
                self.recorder.answered(now_ns, connection.started_ns());
                if connection.closes() {
                    self.reconnect(index)?;
                }
            }
            Step::Whole { verdict: Err(reason), .. } | Step::Broken(reason) => {
                if self.recorder.wrong(reason) > ERRORS_MAX {
                    return Err(io::Error::other(format!(
                        "{ERRORS_MAX} wrong answers: {}",
                        self.recorder.error_first()
                    )));
                }
                self.reconnect(index)?;
            }
        }
        self.next(index)
    }

    /// The connection is free: what does it do next?
    fn next(&mut self, index: usize) -> io::Result<()> {
        if self.job.workload.pace == Pace::Closed {
            return self.send(index, 0);
        }
        match self.waiting.pop_front() {
            Some(due_ns) => self.send(index, due_ns),
            None => {
                if let Some(connection) = self.connections.get_mut(index) {
                    connection.rest();
                }
                self.idle.push(index);
                Ok(())
            }
        }
    }

    fn streams_open(&self) -> u64 {
        self.connections.iter().filter(|connection| connection.chunks() > 0).count() as u64
    }

    /// Open pace: requests begun and not answered.
    fn unfinished(&self) -> u64 {
        match self.job.workload.pace {
            Pace::Closed => 0,
            Pace::Open { .. } => (self.connections.len() - self.idle.len() + self.waiting.len()) as u64,
        }
    }
}

#[cfg(test)]
mod tests;
