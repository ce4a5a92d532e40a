//! One request and its answer, blocking: to see whether a server is up, and to set the mock.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{Progress, ResponseReader};

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request in wire form and gives the status and the body.
///
/// # Errors
/// Where the server can't be reached, is silent, or answers what is not HTTP.
pub fn send(server: SocketAddr, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut socket = TcpStream::connect_timeout(&server, PROBE_TIMEOUT)?;
    socket.set_read_timeout(Some(PROBE_TIMEOUT))?;
    socket.write_all(request)?;
    let (mut reader, mut body, mut buffer) = (ResponseReader::default(), Vec::new(), [0; 8192]);
    loop {
        let count = socket.read(&mut buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        let progress =
            reader.push(bytes, &mut |bytes| body.extend_from_slice(bytes)).map_err(io::Error::other)?;
        if progress == Progress::Whole || (count == 0 && reader.ends()) {
            return Ok((reader.status(), body));
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Sets the mock's streams.
///
/// # Errors
/// Where the mock can't be reached or refuses.
pub fn set_mock(mock: SocketAddr, chunks: u32, gap_ms: u64) -> io::Result<()> {
    let request =
        format!("GET /_control?chunks={chunks}&gap_ms={gap_ms}&latency_ms=0 HTTP/1.1\r\nhost: mock\r\n\r\n");
    match send(mock, request.as_bytes())? {
        (200, _) => Ok(()),
        (status, body) => {
            Err(io::Error::other(format!("the mock answers {status}: {}", String::from_utf8_lossy(&body))))
        }
    }
}
