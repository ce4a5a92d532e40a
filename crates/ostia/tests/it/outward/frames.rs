//! Frames of HTTP/2 by hand, for what no library would send.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ostia_testkit::vendor::openai;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// What a server does with the first whole request of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Last {
    /// Answers it.
    Answer,
    /// Says that it takes no more requests, and read those up to this one; then the connection ends.
    GoAway(u32),
    /// The connection ends.
    Close,
    /// Resets it: REFUSED_STREAM.
    Refuse,
}

/// A server whose connections do these things in turn, and the last one from then on.
pub struct Frames {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<usize>>>,
}

impl Frames {
    pub fn new(script: &'static [Last]) -> Frames {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<usize>>>::default();
        let counting = requests.clone();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (last, requests) = (script[number.min(script.len() - 1)], counting.clone());
                thread::spawn(move || serve(stream.unwrap(), last, || requests.lock().unwrap().push(number)));
            }
        });
        Frames { address, requests }
    }

    /// The connection of each whole request, in the order in which they came.
    pub fn requests(&self) -> Vec<usize> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, last: Last, mut count: impl FnMut()) -> Option<()> {
    let mut preface = [0; PREFACE.len()];
    stream.read_exact(&mut preface).ok()?;
    assert_eq!(preface, PREFACE);
    send(&mut stream, SETTINGS, 0, 0, &[])?;
    loop {
        let (kind, flags, id, payload) = receive(&mut stream)?;
        match kind {
            SETTINGS if flags & ACK == 0 => send(&mut stream, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => send(&mut stream, PING, ACK, 0, &payload)?,
            HEADERS | DATA if flags & END_STREAM != 0 => {
                count();
                match last {
                    Last::Answer => answer(&mut stream, id)?,
                    Last::Refuse => send(&mut stream, RST_STREAM, 0, id, &7_u32.to_be_bytes())?,
                    Last::GoAway(read) => {
                        let payload = [read.to_be_bytes(), 0_u32.to_be_bytes()].concat();
                        send(&mut stream, GOAWAY, 0, 0, &payload)?;
                        // What comes is read, so that no reset of the connection overtakes the frame.
                        stream.shutdown(Shutdown::Write).ok()?;
                        while receive(&mut stream).is_some() {}
                        return None;
                    }
                    Last::Close => return None,
                }
            }
            _ => {}
        }
    }
}

fn answer(stream: &mut TcpStream, id: u32) -> Option<()> {
    // RFC 7541: `:status: 200` from the table, and a literal with the table's name `content-type`.
    let value = b"application/json";
    let head = [&[0x88, 0x0f, 0x10, value.len() as u8][..], value].concat();
    send(stream, HEADERS, END_HEADERS, id, &head)?;
    send(stream, DATA, END_STREAM, id, openai::chat("x").to_string().as_bytes())
}

fn send(stream: &mut TcpStream, kind: u8, flags: u8, id: u32, payload: &[u8]) -> Option<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &id.to_be_bytes()].concat();
    stream.write_all(&[&head, payload].concat()).ok()
}

fn receive(stream: &mut TcpStream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}
