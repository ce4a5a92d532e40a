//! How blocks are packed (<https://avro.apache.org/docs/1.12.0/specification/#required-codecs>).

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

use super::input::Stop;

/// Bytes of the checksum behind a block of snappy's.
const CHECKSUM_BYTES: usize = 4;
/// What is unpacked in one step, in bytes.
const STEP_BYTES: usize = 64 << 10;

const DAMAGED: &str = "has a block that is damaged";
const TOO_LONG: &str = "has a block that is too long";

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Null,
    /// RFC 1951.
    Deflate,
    /// <https://github.com/google/snappy/blob/main/format_description.txt>
    Snappy,
}

impl Codec {
    /// By its name.
    pub fn of(name: &[u8]) -> Result<Codec, Stop> {
        match name {
            b"null" => Ok(Codec::Null),
            b"deflate" => Ok(Codec::Deflate),
            b"snappy" => Ok(Codec::Snappy),
            _ => Err(Stop::Bad("is packed in a way that is not known here")),
        }
    }

    /// A block as it was before, no longer than this.
    pub fn unpack(self, block: &[u8], bytes_max: usize) -> Result<Cow<'_, [u8]>, &'static str> {
        match self {
            Codec::Null => Ok(Cow::Borrowed(block)),
            Codec::Deflate => inflate(block, bytes_max).map(Cow::Owned),
            Codec::Snappy => {
                let (packed, checksum) =
                    block.split_at_checked(block.len().wrapping_sub(CHECKSUM_BYTES)).ok_or(DAMAGED)?;
                let plain = unsnap(packed, bytes_max)?;
                match crc32fast::hash(&plain).to_be_bytes() == checksum {
                    true => Ok(Cow::Owned(plain)),
                    false => Err(DAMAGED),
                }
            }
        }
    }
}

fn inflate(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, &'static str> {
    let (mut stream, mut out) = (Decompress::new(false), Vec::new());
    loop {
        let read = usize::try_from(stream.total_in()).unwrap_or(packed.len());
        let before = out.len();
        out.reserve(STEP_BYTES);
        let status = stream.decompress_vec(&packed[read..], &mut out, FlushDecompress::Finish);
        match status.map_err(|_| DAMAGED)? {
            Status::StreamEnd => return Ok(out),
            _ if out.len() > bytes_max => return Err(TOO_LONG),
            _ if out.len() == before => return Err(DAMAGED),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Snappy's own format: how long it is unpacked, then pieces that are new, and places in what came before.
fn unsnap(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, &'static str> {
    let (bytes, mut rest) = length(packed)?;
    if bytes > bytes_max {
        return Err(TOO_LONG);
    }
    let mut out = Vec::with_capacity(bytes);
    while let Some((&tag, behind)) = rest.split_first() {
        let (kind, top) = (tag & 3, usize::from(tag >> 2));
        rest = match kind {
            0 => new(top, behind, &mut out)?,
            1 => {
                let (low, behind) = behind.split_first().ok_or(DAMAGED)?;
                let offset = usize::from(tag >> 5) << 8 | usize::from(*low);
                copy((top & 7) + 4, offset, bytes, &mut out)?;
                behind
            }
            kind => {
                let (offset, behind) =
                    behind.split_at_checked(if kind == 2 { 2 } else { 4 }).ok_or(DAMAGED)?;
                copy(top + 1, little(offset), bytes, &mut out)?;
                behind
            }
        };
        if out.len() > bytes {
            return Err(DAMAGED);
        }
    }
    if out.len() == bytes { Ok(out) } else { Err(DAMAGED) }
}

fn length(packed: &[u8]) -> Result<(usize, &[u8]), &'static str> {
    let mut length = 0;
    for (place, byte) in packed.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Ok((length, &packed[place + 1..]));
        }
    }
    Err(DAMAGED)
}

/// A piece that is new: its length less one, or in how many bytes that is written.
fn new<'p>(top: usize, behind: &'p [u8], out: &mut Vec<u8>) -> Result<&'p [u8], &'static str> {
    let (length, behind) = match top {
        0..60 => (top, behind),
        _ => {
            let (length, behind) = behind.split_at_checked(top - 59).ok_or(DAMAGED)?;
            (little(length), behind)
        }
    };
    let (piece, behind) = behind.split_at_checked(length.saturating_add(1)).ok_or(DAMAGED)?;
    out.extend_from_slice(piece);
    Ok(behind)
}

/// A piece that came before, so far back. It may go on into what it makes itself.
fn copy(length: usize, offset: usize, bytes: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let from = out.len().checked_sub(offset).filter(|_| offset > 0 && out.len() + length <= bytes);
    let from = from.ok_or(DAMAGED)?;
    for at in from..from + length {
        out.push(out[at]);
    }
    Ok(())
}

/// A number whose lowest byte is the first.
fn little(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
