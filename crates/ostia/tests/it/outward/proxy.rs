//! A proxy that does what a script says, and remembers what it was asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What a proxy does with a call.
#[derive(Debug, Clone)]
pub enum Script {
    /// Connects to this one, whoever was asked for.
    Connect(SocketAddr),
    /// The same, by SOCKS 5, and only with this name and password where they are given.
    Socks(SocketAddr, Option<(&'static str, &'static str)>),
    /// Answers with these bytes, and waits until the other side leaves.
    Say(Vec<u8>),
}

/// A proxy on a free port of 127.0.0.1.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that acts so.
    pub fn new(script: Script) -> Proxy {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let asking = asked.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, script.clone(), asking.clone()));
                }
            });
        });
        Proxy { address, asked }
    }

    /// One that says this status to every call.
    pub fn refusing(status: &str) -> Proxy {
        Proxy::new(Script::Say(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno").into_bytes()))
    }

    /// What it was asked: heads of HTTP, or the destinations of SOCKS.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of what it was asked.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

async fn serve(mut stream: TcpStream, script: Script, asked: Arc<Mutex<Vec<String>>>) {
    if let Script::Socks(to, sign_in) = script {
        let Some(wanted) = socks(&mut stream, sign_in).await else { return };
        asked.lock().unwrap().push(wanted);
        return hand_on(stream, to).await;
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    asked.lock().unwrap().push(String::from_utf8(head).unwrap());
    match script {
        Script::Connect(to) => {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n").await.unwrap();
            hand_on(stream, to).await;
        }
        Script::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0]).await;
        }
        Script::Socks(..) => {}
    }
}

async fn hand_on(mut stream: TcpStream, to: SocketAddr) {
    let Ok(mut behind) = TcpStream::connect(to).await else { return };
    let _ = copy_bidirectional(&mut stream, &mut behind).await;
}

/// The server's side of RFC 1928 and RFC 1929. Gives what was wanted.
async fn socks(stream: &mut TcpStream, sign_in: Option<(&str, &str)>) -> Option<String> {
    let [version, count] = read(stream).await?;
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await.ok()?;
    let method = if sign_in.is_some() { 2 } else { 0 };
    assert_eq!(version, 5);
    if !methods.contains(&method) {
        stream.write_all(&[5, 0xff]).await.ok()?;
        return None;
    }
    stream.write_all(&[5, method]).await.ok()?;
    if let Some((name, password)) = sign_in {
        let [_, length] = read(stream).await?;
        let shown_name = text(stream, length).await?;
        let [length] = read(stream).await?;
        let shown = (&*shown_name, &*text(stream, length).await?);
        let is_right = shown == (name, password);
        stream.write_all(&[1, u8::from(!is_right)]).await.ok()?;
        if !is_right {
            return None;
        }
    }
    let [_, _, _, kind] = read(stream).await?;
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(stream).await?).to_string(),
        3 => {
            let [length] = read(stream).await?;
            text(stream, length).await?
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(read(stream).await?);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    Some(format!("{host}:{port}"))
}

async fn read<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}

async fn text(stream: &mut TcpStream, length: u8) -> Option<String> {
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}
