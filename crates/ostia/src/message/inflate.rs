//! Undoing content encodings (RFC 9110, section 8.4): of requests, which agents with long histories compress, and of answers
//! that nobody asked to be compressed.

use std::io::{self, Write};

use brotli_decompressor::{BrotliDecoderParameter, DecompressorWriter};
use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{self, HeaderMap};
use ostia_dialect::Fault;
use zstd::stream::raw::{self, DParameter, InBuffer, Operation as _, OutBuffer};

use crate::message::fields;

/// The encodings that are known here, for `accept-encoding`.
pub const KNOWN: &str = "gzip, deflate, br, zstd";
/// Most bytes that one piece of an answer may unpack to.
const INFLATED_BYTES_MAX: usize = 64 << 20;
/// Most encodings on top of each other. Each may multiply what a small body makes us do.
const LAYERS_MAX: usize = 3;
/// The largest window of zstd in HTTP, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Room for what brotli and zstd unpack in one step, in bytes.
const STEP_BYTES: usize = 16 << 10;

/// Unpacks a body piece by piece.
#[derive(Debug)]
pub struct Inflate {
    /// From the outermost encoding to the innermost.
    layers: Vec<Layer>,
    /// What each piece may unpack to; `None` where all pieces together have a bound, which the layers know.
    piece_bytes_max: Option<usize>,
}

/// Why a body cannot be unpacked.
#[derive(Debug)]
pub enum InflateError {
    /// An encoding that is not known here.
    Unknown(String),
    /// It unpacks to more than it may.
    TooLarge,
    /// It is not what was packed, or breaks off.
    Damaged(io::Error),
}

impl From<InflateError> for Fault {
    /// The fault of a provider.
    fn from(error: InflateError) -> Fault {
        Fault::upstream(match error {
            InflateError::Unknown(encoding) => {
                format!("The provider answered in the encoding `{encoding}`, which was not asked for.")
            }
            InflateError::TooLarge => format!(
                "The provider's compressed answer is damaged: it unpacks to more than {INFLATED_BYTES_MAX} bytes at once."
            ),
            InflateError::Damaged(error) => {
                format!("The provider's compressed answer is damaged: {error}.")
            }
        })
    }
}

impl Inflate {
    /// What these headers of an answer call for: `None` where the body is plain.
    ///
    /// # Errors
    /// An encoding that cannot be undone here.
    pub fn of(headers: &HeaderMap) -> Result<Option<Inflate>, InflateError> {
        Inflate::new(headers, INFLATED_BYTES_MAX, Some(INFLATED_BYTES_MAX))
    }

    /// The same for a body that is read as a whole, as those of requests are, and may unpack to this much.
    ///
    /// # Errors
    /// As for [`Inflate::of`].
    pub fn of_request(headers: &HeaderMap, bytes_max: usize) -> Result<Option<Inflate>, InflateError> {
        Inflate::new(headers, bytes_max, None)
    }

    fn new(
        headers: &HeaderMap,
        bytes_max: usize,
        piece_bytes_max: Option<usize>,
    ) -> Result<Option<Inflate>, InflateError> {
        if !headers.contains_key(header::CONTENT_ENCODING) {
            return Ok(None);
        }
        let names = fields::members(headers, &header::CONTENT_ENCODING);
        let names: Vec<&str> = names.filter(|name| !name.eq_ignore_ascii_case("identity")).collect();
        if names.len() > LAYERS_MAX {
            return Err(InflateError::Unknown(names.join(", ")));
        }
        let layers = names.iter().rev().map(|name| Layer::new(name, bytes_max));
        let layers = layers.collect::<Result<Vec<Layer>, _>>()?;
        Ok((!layers.is_empty()).then_some(Inflate { layers, piece_bytes_max }))
    }

    /// Unpacks the next bytes.
    ///
    /// # Errors
    /// They are not what was packed, or too much.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Bytes, InflateError> {
        let piece_bytes_max = self.piece_bytes_max;
        let mut unpacked: Option<Vec<u8>> = None;
        for layer in &mut self.layers {
            if let Some(bytes_max) = piece_bytes_max {
                layer.out().left = bytes_max;
            }
            layer.write(unpacked.as_deref().unwrap_or(bytes)).map_err(refusal)?;
            unpacked = Some(std::mem::take(&mut layer.out().bytes));
        }
        Ok(unpacked.unwrap_or_default().into())
    }

    /// All of it has come: checks that the end of each encoding is there.
    ///
    /// # Errors
    /// The packed bytes break off, or are not what was packed.
    pub fn finish(&mut self) -> Result<(), InflateError> {
        self.layers.iter_mut().try_for_each(Layer::finish).map_err(refusal)
    }
}

fn refusal(error: io::Error) -> InflateError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => InflateError::TooLarge,
        _ => InflateError::Damaged(error),
    }
}

/// One encoding. The decoders are boxed: hardly a body needs one, and all have room for it.
enum Layer {
    /// RFC 1952.
    Gzip(Box<MultiGzDecoder<Bounded>>),
    /// RFC 1950, which HTTP calls `deflate`.
    Zlib(Box<ZlibDecoder<Bounded>>),
    /// RFC 1951, which some servers mean by `deflate`.
    Raw(Box<DeflateDecoder<Bounded>>),
    /// `deflate`, before the first byte has told which.
    Unknown(Bounded),
    /// RFC 7932.
    Brotli(Box<DecompressorWriter<Bounded>>),
    /// RFC 8878.
    Zstd(Box<Zstd>),
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Layer::Gzip(_) => "Gzip",
            Layer::Zlib(_) => "Zlib",
            Layer::Raw(_) => "Raw",
            Layer::Unknown(_) => "Unknown",
            Layer::Brotli(_) => "Brotli",
            Layer::Zstd(_) => "Zstd",
        })
    }
}

impl Layer {
    fn new(name: &str, bytes_max: usize) -> Result<Layer, InflateError> {
        let out = Bounded { bytes: Vec::new(), left: bytes_max };
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Ok(Layer::Gzip(Box::new(MultiGzDecoder::new(out)))),
            "deflate" => Ok(Layer::Unknown(out)),
            "br" => {
                let mut decoder = DecompressorWriter::new(out, STEP_BYTES);
                // Windows beyond 16 MiB are no part of RFC 7932.
                decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
                Ok(Layer::Brotli(Box::new(decoder)))
            }
            "zstd" => {
                let zstd = Zstd::new(out).map_err(InflateError::Damaged)?;
                Ok(Layer::Zstd(Box::new(zstd)))
            }
            other => Err(InflateError::Unknown(other.to_owned())),
        }
    }

    fn out(&mut self) -> &mut Bounded {
        match self {
            Layer::Gzip(decoder) => decoder.get_mut(),
            Layer::Zlib(decoder) => decoder.get_mut(),
            Layer::Raw(decoder) => decoder.get_mut(),
            Layer::Unknown(out) => out,
            Layer::Brotli(decoder) => decoder.get_mut(),
            Layer::Zstd(decoder) => &mut decoder.out,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let (Layer::Unknown(out), Some(first)) = (&mut *self, bytes.first()) {
            let out = std::mem::take(out);
            // A zlib header names method 8 in its low bits.
            *self = match first & 0x0f {
                8 => Layer::Zlib(Box::new(ZlibDecoder::new(out))),
                _ => Layer::Raw(Box::new(DeflateDecoder::new(out))),
            };
        }
        match self {
            Layer::Gzip(decoder) => write(&mut **decoder, bytes),
            Layer::Zlib(decoder) => write(&mut **decoder, bytes),
            Layer::Raw(decoder) => write(&mut **decoder, bytes),
            Layer::Unknown(_) => Ok(()),
            Layer::Brotli(decoder) => write(&mut **decoder, bytes),
            Layer::Zstd(decoder) => decoder.write(bytes),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Layer::Gzip(decoder) => decoder.try_finish(),
            Layer::Brotli(decoder) => decoder.close(),
            Layer::Zstd(decoder) if !decoder.is_whole => Err(io::ErrorKind::UnexpectedEof.into()),
            // What is missing there shows in what was packed.
            Layer::Zlib(_) | Layer::Raw(_) | Layer::Unknown(_) | Layer::Zstd(_) => Ok(()),
        }
    }
}

fn write(decoder: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    decoder.write_all(bytes)?;
    decoder.flush()
}

/// One frame of zstd behind the other.
struct Zstd {
    decoder: raw::Decoder<'static>,
    out: Bounded,
    /// What came so far ends with a frame.
    is_whole: bool,
}

impl Zstd {
    fn new(out: Bounded) -> io::Result<Zstd> {
        let mut decoder = raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Zstd { decoder, out, is_whole: false })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut input = InBuffer::around(bytes);
        let mut step = [0; STEP_BYTES];
        loop {
            let before = input.pos();
            let mut output = OutBuffer::around(&mut step[..]);
            let missing = self.decoder.run(&mut input, &mut output)?;
            let unpacked = output.as_slice();
            let is_full = unpacked.len() == STEP_BYTES;
            if !unpacked.is_empty() || input.pos() > before {
                self.is_whole = missing == 0;
            }
            self.out.write_all(unpacked)?;
            if input.pos() == bytes.len() && !is_full {
                return Ok(());
            }
        }
    }
}

/// What came out and was not taken yet.
#[derive(Debug, Default)]
struct Bounded {
    bytes: Vec<u8>,
    /// How much more may come.
    left: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
