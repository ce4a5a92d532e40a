//! Stands between an agent and the gateway: hands every byte on as it comes, and remembers it, so that a test can read headers
//! that the agent does not show and ask once more what the agent asked.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ostia_testkit::Request;

/// It listens until the test's process ends.
pub(crate) struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

/// All bytes of either side, by connection.
#[derive(Default)]
struct Heard {
    asked: Vec<Vec<u8>>,
    answered: Vec<Vec<u8>>,
}

impl Tap {
    pub fn before(gateway: SocketAddr) -> Tap {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Heard>>::default();
        let hears = heard.clone();
        thread::spawn(move || {
            for (at, client) in listener.incoming().flatten().enumerate() {
                let server = TcpStream::connect(gateway).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (asks, answers) = (hears.clone(), hears.clone());
                thread::spawn(move || {
                    pass(from, to, |bytes| add(&mut asks.lock().unwrap().asked, at, bytes))
                });
                thread::spawn(move || {
                    pass(server, client, |bytes| add(&mut answers.lock().unwrap().answered, at, bytes));
                });
            }
        });
        Tap { address, heard }
    }

    /// The words of a header in all answers.
    pub fn header(&self, name: &str) -> Vec<String> {
        let answers = String::from_utf8_lossy(&self.heard.lock().unwrap().answered.concat()).into_owned();
        let lines = answers.split("\r\n").filter_map(|line| line.split_once(": "));
        let values = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.flat_map(|value| value.split(", ")).map(str::to_owned).collect()
    }

    /// All requests of the agent that have a body.
    pub fn requests(&self) -> Vec<Request> {
        let heard = self.heard.lock().unwrap();
        let all = heard.asked.iter().flat_map(|connection| Request::all(connection));
        all.filter(|request| !request.body.is_empty()).collect()
    }
}

fn add(connections: &mut Vec<Vec<u8>>, at: usize, bytes: &[u8]) {
    if connections.len() <= at {
        connections.resize(at + 1, Vec::new());
    }
    connections[at].extend(bytes);
}

fn pass(mut from: TcpStream, mut to: TcpStream, hear: impl Fn(&[u8])) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
