//! One connection to the server under load.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::recorder::Recorder;
use crate::answer::Answer;
use crate::clock::now_ns;
use crate::http::{Progress, ResponseReader};
use crate::workloads::Workload;

pub(super) struct Connection {
    pub(super) socket: TcpStream,
    /// The socket takes no more for now.
    pub(super) blocked: bool,
    reader: ResponseReader,
    answer: Answer,
    written: usize,
    /// When the request was sent or due; nothing while there is none.
    request_ns: Option<u64>,
}

/// What reading brought.
pub(super) enum Step {
    /// The answer is not yet whole.
    More,
    /// The answer is whole: is it right?
    Whole { now_ns: u64, verdict: Result<(), String> },
    /// The server closed while no request was under way.
    Idle,
    /// No answer will come of it.
    Broken(String),
}

impl Connection {
    pub(super) fn open(target: SocketAddr, workload: &Workload) -> io::Result<Self> {
        let socket = TcpStream::connect(target)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            blocked: false,
            reader: ResponseReader::default(),
            answer: Answer::new(workload.expected(), workload.client),
            written: 0,
            request_ns: None,
        })
    }

    /// A request begins, whose latency counts from `from_ns`.
    pub(super) fn begin(&mut self, from_ns: u64) {
        self.reader.reset();
        self.answer.reset();
        self.written = 0;
        self.request_ns = Some(from_ns);
    }

    /// There is no request.
    pub(super) fn rest(&mut self) {
        self.request_ns = None;
    }

    pub(super) fn started_ns(&self) -> u64 {
        self.request_ns.unwrap_or(0)
    }

    pub(super) fn closes(&self) -> bool {
        self.reader.closes()
    }

    /// Chunks of the answer under way.
    pub(super) fn chunks(&self) -> u32 {
        self.answer.chunks()
    }

    /// Writes what is left of the request.
    pub(super) fn write(&mut self, request: &[u8]) -> io::Result<()> {
        self.blocked = false;
        while let Some(left) = request.get(self.written..).filter(|left| !left.is_empty()) {
            match self.socket.write(left) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once.
    pub(super) fn read(&mut self, buffer: &mut [u8], recorder: &mut Recorder) -> Step {
        let count = match self.socket.read(buffer) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Step::More;
            }
            Err(_) if self.request_ns.is_none() => return Step::Idle,
            Err(error) => return Step::Broken(format!("connection: {error}")),
        };
        let now_ns = now_ns();
        let Some(request_ns) = self.request_ns else {
            return if count == 0 { Step::Idle } else { Step::Broken("bytes without a request".into()) };
        };
        if count == 0 {
            return if self.reader.ends() {
                self.whole(now_ns)
            } else {
                Step::Broken("the server broke off".into())
            };
        }
        let answer = &mut self.answer;
        let mut take = |bytes: &[u8]| {
            let had = answer.chunks();
            answer.push(bytes, &mut |sent_ns| recorder.chunk(now_ns, sent_ns));
            if had == 0 && answer.chunks() > 0 {
                recorder.first_chunk(now_ns, request_ns);
            }
        };
        match self.reader.push(buffer.get(..count).unwrap_or_default(), &mut take) {
            Ok(Progress::More) => Step::More,
            Ok(Progress::Whole) => self.whole(now_ns),
            Err(fault) => Step::Broken(fault.into()),
        }
    }

    fn whole(&self, now_ns: u64) -> Step {
        let verdict = match self.reader.status() {
            200 => self.answer.check(),
            status => Err(format!("status {status}")),
        };
        Step::Whole { now_ns, verdict }
    }
}
