//! A request as the upstream got it. Read by hand: the gateway's own parser (`httparse`, in hyper) would not see what is wrong
//! with what the gateway sends.

use std::io::{BufRead, Read};

/// A request as it came over the wire; a chunked body is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// Path and query, exactly as sent.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
}

impl Request {
    /// The value of a header; several are joined with a comma.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// All requests in the bytes of one connection.
    pub fn all(mut bytes: &[u8]) -> Vec<Request> {
        std::iter::from_fn(|| Request::read(&mut bytes, 0)).collect()
    }

    /// Reads the next request of a connection; `None` at its end.
    pub(crate) fn read(reader: &mut impl BufRead, connection: usize) -> Option<Request> {
        let line = line(reader).filter(|line| !line.is_empty())?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut request = Request { method, target, headers: Vec::new(), body: Vec::new(), connection };
        loop {
            let line = self::line(reader)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        request.body = body(reader, &request)?;
        Some(request)
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

fn body(reader: &mut impl BufRead, request: &Request) -> Option<Vec<u8>> {
    if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return chunks(reader);
    }
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(line(reader)?.split(';').next()?.trim(), 16).ok()?;
        reader.take(size as u64).read_to_end(&mut body).ok()?;
        line(reader)?;
        if size == 0 {
            return Some(body);
        }
    }
}
