//! `ostia health`: one question to a gateway that runs, without a client or a shell at hand.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use crate::cli::{File, shown};
use crate::config::load;

/// How long it may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// As much of an answer as is read.
const ANSWER_BYTES_MAX: u64 = 16 << 10;

/// Options of `health`.
#[derive(Debug, Args)]
pub struct Health {
    /// Where the gateway's address stands.
    #[command(flatten)]
    pub file: File,
    /// Address and port; goes before the file's `listen`.
    #[arg(long, short, value_name = "ADDRESS", env = "OSTIA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// What to ask: /ready (it takes calls) or /health (it runs).
    #[arg(long, value_name = "PATH", default_value = "/ready")]
    pub path: String,
}

/// What the gateway says of itself.
///
/// # Errors
/// It says something else, or nothing.
pub fn run(options: &Health) -> Result<String, String> {
    let listen = match options.listen {
        Some(listen) => listen,
        None => load::file(options.file.config.as_deref(), None).map_err(|report| shown(&report))?.listen,
    };
    let address = reachable(listen);
    let (status, body) = ask(address, &options.path)
        .map_err(|error| format!("No answer from http://{address}{}: {error}.", options.path))?;
    match status {
        200 => Ok(format!("{body}\n")),
        _ => Err(format!("http://{address}{} answered with {status}: {body}", options.path)),
    }
}

/// Whoever listens on all addresses is reached on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Status and body of a GET.
pub fn ask(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    parse(&answer).ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn answers_are_read() {
        let check = |answer: &str, expected: Option<(u16, &str)>| {
            let parsed = parse(answer);
            assert_eq!(parsed.as_ref().map(|(status, body)| (*status, body.as_str())), expected, "{answer}");
        };
        check("HTTP/1.1 200 OK\r\na: b\r\n\r\n{}\n", Some((200, "{}")));
        check("HTTP/1.1 503 Service Unavailable\r\n\r\n", Some((503, "")));
        check("HTTP/1.1 200 OK\r\n", None);
        check("SSH-2.0\r\n\r\n", None);
    }

    #[test]
    fn all_addresses_are_reached_on_one() {
        for (listen, expected) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.7:1", "10.0.0.7:1"),
            ("127.0.0.1:1", "127.0.0.1:1"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap(), "{listen}");
        }
    }
}
