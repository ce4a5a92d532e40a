//! Stands between an agent and the gateway: hands every byte on as it comes, and remembers the gateway's, so that a test can
//! read headers that the agent does not show.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It listens until the test's process ends.
pub(super) struct Tap {
    pub address: SocketAddr,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub fn before(gateway: SocketAddr) -> Tap {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::<Mutex<Vec<u8>>>::default();
        let heard = answers.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(gateway).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(from, to, |_| {}));
                let heard = heard.clone();
                thread::spawn(move || pass(server, client, |bytes| heard.lock().unwrap().extend(bytes)));
            }
        });
        Tap { address, answers }
    }

    /// The words of a header in all answers.
    pub fn header(&self, name: &str) -> Vec<String> {
        let answers = String::from_utf8_lossy(&self.answers.lock().unwrap()).into_owned();
        let lines = answers.split("\r\n").filter_map(|line| line.split_once(": "));
        let values = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.flat_map(|value| value.split(", ")).map(str::to_owned).collect()
    }
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
