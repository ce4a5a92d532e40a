#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

/// Reads `bytes` in the given pieces; the body, or the fault.
fn read(pieces: &[&[u8]]) -> Result<(u16, Vec<u8>, Progress, bool), &'static str> {
    let (mut reader, mut body, mut progress) = (ResponseReader::default(), Vec::new(), Progress::More);
    for piece in pieces {
        progress = reader.push(piece, &mut |bytes| body.extend_from_slice(bytes))?;
    }
    Ok((reader.status(), body, progress, reader.closes()))
}

/// The same answer must come out of every cut into three pieces.
fn check(text: &str, expected: Result<(u16, &str, Progress, bool), &'static str>) {
    let bytes = text.as_bytes();
    let expected = expected.map(|(status, body, progress, closes)| (status, body.into(), progress, closes));
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let found = read(&pieces);
            // A last empty piece tells nothing new about a response that is already whole.
            assert_eq!(found, expected, "{first} {second} {text:?}");
        }
    }
}

#[test]
fn a_body_of_known_length() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Ok((200, "hello", Progress::Whole, false)));
    check("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", Ok((200, "", Progress::Whole, false)));
    check(
        "HTTP/1.1 429 Slow\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno",
        Ok((429, "no", Progress::Whole, true)),
    );
    check("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhell", Ok((200, "hell", Progress::More, false)));
}

#[test]
fn a_chunked_body() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let whole = |body| Ok((200, body, Progress::Whole, false));
    check(&format!("{head}5\r\nhello\r\nA;x=y\r\n, world\r\n!\r\n0\r\n\r\n"), whole("hello, world\r\n!"));
    check(&format!("{head}0\r\nx-trailer: 1\r\n\r\n"), whole(""));
    check(&format!("{head}5\r\nhel"), Ok((200, "hel", Progress::More, false)));
    check(&format!("{head}5\r\nhello\r\n0\r\n"), Ok((200, "hello", Progress::More, false)));
}

#[test]
fn a_body_until_close() {
    check("HTTP/1.1 200 OK\r\n\r\nhello", Ok((200, "hello", Progress::More, true)));
    let mut reader = ResponseReader::default();
    reader.push(b"HTTP/1.1 200 OK\r\n\r\nhello", &mut |_| ()).unwrap();
    assert!(reader.ends());
    reader.reset();
    assert!(!reader.ends());
}

#[test]
fn an_interim_response_is_passed_over() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    check(text, Ok((204, "", Progress::Whole, false)));
}

#[test]
fn what_is_refused() {
    check("HTTP/1.0 200 OK\r\n\r\n", Err("no HTTP/1.1 status line"));
    check("HTTP/1.1 2\u{e4} OK\r\n\r\n", Err("no HTTP/1.1 status line"));
    check("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", Err("content-length is no number"));
    check("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", Err("compressed body"));
    check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Err("chunk size is no number"));
    check(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
        Err("chunk longer than its size"),
    );
    let long = vec![b'a'; HEAD_BYTES_MAX];
    assert_eq!(read(&[b"HTTP/1.1 200 OK\r\nx: ", &long]), Err("head too long"));
    check("SSH-2.0-OpenSSH_9.2\r\n", Err("no HTTP/1.1 status line"));
}

#[test]
fn bytes_behind_the_end_are_a_fault() {
    assert!(read(&[b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"]).is_err());
}
