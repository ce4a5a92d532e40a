//! Undoing a content encoding that nobody asked for: upstreams are asked for plain answers, some compress all the same.

use std::io::Write;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use ostia_dialect::Fault;

/// Most bytes that one piece of an answer may unpack to.
const INFLATED_BYTES_MAX: usize = 64 << 20;

/// Unpacks an answer piece by piece. The decoders are boxed: hardly an answer needs one, and all have room for it.
#[derive(Debug)]
pub enum Inflate {
    /// RFC 1952.
    Gzip(Box<MultiGzDecoder<Bounded>>),
    /// RFC 1950, which HTTP calls `deflate`.
    Zlib(Box<ZlibDecoder<Bounded>>),
    /// RFC 1951, which some servers mean by `deflate`.
    Raw(Box<DeflateDecoder<Bounded>>),
    /// `deflate`, before the first byte has told which.
    Unknown,
}

/// What came out and was not taken yet.
#[derive(Debug, Default)]
pub struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > INFLATED_BYTES_MAX {
            return Err(std::io::Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Inflate {
    /// What these response headers call for: `None` where the body is plain.
    ///
    /// # Errors
    /// An encoding that cannot be undone here.
    pub fn of(headers: &HeaderMap) -> Result<Option<Inflate>, Fault> {
        let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(None) };
        match encoding.as_bytes().to_ascii_lowercase().as_slice() {
            b"identity" | b"" => Ok(None),
            b"gzip" | b"x-gzip" => Ok(Some(Inflate::Gzip(Box::new(MultiGzDecoder::new(Bounded::default()))))),
            b"deflate" => Ok(Some(Inflate::Unknown)),
            other => Err(Fault::upstream(format!(
                "The provider answered in the encoding `{}`, which was not asked for.",
                String::from_utf8_lossy(other)
            ))),
        }
    }

    /// Unpacks the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Bytes, Fault> {
        if let (Inflate::Unknown, Some(first)) = (&self, bytes.first()) {
            // A zlib header names method 8 in its low bits.
            *self = match first & 0x0f {
                8 => Inflate::Zlib(Box::new(ZlibDecoder::new(Bounded::default()))),
                _ => Inflate::Raw(Box::new(DeflateDecoder::new(Bounded::default()))),
            };
        }
        let unpacked = match self {
            Inflate::Gzip(decoder) => {
                write(&mut **decoder, bytes).map(|()| std::mem::take(&mut decoder.get_mut().0))
            }
            Inflate::Zlib(decoder) => {
                write(&mut **decoder, bytes).map(|()| std::mem::take(&mut decoder.get_mut().0))
            }
            Inflate::Raw(decoder) => {
                write(&mut **decoder, bytes).map(|()| std::mem::take(&mut decoder.get_mut().0))
            }
            Inflate::Unknown => Ok(Vec::new()),
        };
        unpacked.map(Bytes::from).map_err(|error| damaged(&error))
    }

    /// All of it has come: checks that gzip's own end, with its checksum, is there.
    ///
    /// # Errors
    /// The packed bytes break off, or are not what was packed.
    pub fn finish(&mut self) -> Result<(), Fault> {
        match self {
            Inflate::Gzip(decoder) => decoder.try_finish().map_err(|error| damaged(&error)),
            Inflate::Zlib(_) | Inflate::Raw(_) | Inflate::Unknown => Ok(()),
        }
    }
}

fn damaged(error: &std::io::Error) -> Fault {
    Fault::upstream(format!("The provider's compressed answer is damaged: {error}."))
}

fn write(decoder: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    decoder.write_all(bytes)?;
    decoder.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn check(encoding: &str, packed: &[u8], expected: &[u8]) {
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, encoding.parse().unwrap())]);
        for size in [1, 3, packed.len()] {
            let mut inflate = Inflate::of(&headers).unwrap().unwrap();
            let unpacked: Vec<u8> =
                packed.chunks(size).flat_map(|piece| inflate.push(piece).unwrap().to_vec()).collect();
            assert_eq!(unpacked, expected, "{encoding} in pieces of {size}");
        }
    }

    #[test]
    fn every_split_unpacks_to_the_same() {
        let text = b"data: {\"a\": 1}\n\n".repeat(20);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        check("gzip", &gzip.finish().unwrap(), &text);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        check("deflate", &zlib.finish().unwrap(), &text);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        check("deflate", &raw.finish().unwrap(), &text);
    }

    #[test]
    fn what_cannot_be_undone_is_said() {
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, "br".parse().unwrap())]);
        assert!(Inflate::of(&headers).unwrap_err().message.contains("`br`"));
        let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
        assert!(Inflate::of(&headers).unwrap().unwrap().push(b"no gzip at all").is_err());
        assert!(Inflate::of(&HeaderMap::new()).unwrap().is_none());
    }
}
