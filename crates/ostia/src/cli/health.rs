//! `ostia health`: one question to a gateway that runs, without a client or a shell at hand.
//!
//! Where the gateway speaks HTTPS it has to show the certificate of the configuration, and that one is believed whatever its name,
//! its date or its authority: it is asked under an address that hardly stands in it.

mod https;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::{File, shown};
use crate::config::load::{self, Secrets};
pub use https::{Credentials, WANTS_CERTIFICATE};

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
    /// PEM file with a certificate to show, where clients have to (tls.client_ca).
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// PEM file with its private key.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// What to ask: /ready (it takes calls) or /health (it runs).
    #[arg(long, value_name = "PATH", default_value = "/ready")]
    pub path: String,
}

/// What the gateway says of itself.
///
/// # Errors
/// It says something else, or nothing.
pub fn run(options: &Health) -> Result<String, String> {
    // Where the address is said, a file that cannot be read only means that nobody speaks of HTTPS.
    let (listen, tls) = match load::check(options.file.config.as_deref(), None, Secrets::Ignored) {
        Ok(loaded) => (options.listen.unwrap_or(loaded.listen), loaded.tls),
        Err(report) => (options.listen.ok_or_else(|| shown(&report))?, None),
    };
    let address = reachable(listen);
    let url = format!("{}://{address}{}", if tls.is_some() { "https" } else { "http" }, options.path);
    let shows = options.client_cert.as_deref().zip(options.client_key.as_deref());
    let credentials = tls.map(|tls| Credentials::read(&tls.cert, shows)).transpose()?;
    let (status, body) = ask(address, &options.path, credentials)
        .map_err(|error| format!("No answer from {url}: {error}."))?;
    match status {
        200 => Ok(format!("{body}\n")),
        _ => Err(format!("{url} answered with {status}: {body}")),
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

/// Status and body of a GET: by HTTPS with these credentials, else in plain HTTP.
pub fn ask(address: SocketAddr, path: &str, credentials: Option<Credentials>) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match credentials {
        None => exchange(&mut stream, address, path),
        Some(credentials) => exchange(&mut credentials.secure(stream, address)?, address, path),
    }
}

fn exchange(stream: &mut (impl Read + Write), address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let sent = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    // Whoever takes no request may have said why.
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    sent?;
    let answer = String::from_utf8_lossy(&answer);
    parse(&answer).ok_or_else(|| io::Error::other("the answer is not HTTP"))
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
