//! The compact form: bytes in which a model is found without reading the rest, so that the embedded catalogue costs nothing to
//! load and holds no memory of its own.
//!
//! ```text
//! magic, the sum of all that follows, then eight numbers of four bytes: models, slots, and where each part begins
//! slots      a hash table over provider and name: upper 16 bits of the hash, and the model's number + 1
//! offsets    where each model begins
//! models     provider, id, aliases, and the rest in the order of `write::row`; numbers are LEB128
//! prices     each set of prices once
//! editions   the versions of the sources
//! strings    each text once, behind its length; what points here is a distance from the part's beginning
//! ```
//!
//! Reading is total: bytes that are wrong give empty texts and zeros, never a panic. The embedded bytes are what
//! `cargo xtask catalog` made, and a test compares them with the rows; those of a file are checked before they are used.

mod check;
mod read;
mod write;

pub(crate) use check::check;
pub use check::{FILE_BYTES_MAX, Unfit};
pub(crate) use read::{Cursor, Pack};
pub use write::{TooLarge, compact};

/// The first bytes; the last of them is the version of the form.
pub(crate) const MAGIC: &[u8; 8] = b"ostiact\x03";
/// Those that all versions have.
pub(crate) const MAGIC_NAME: &[u8; 7] = b"ostiact";
/// Bytes of the sum behind it.
pub(crate) const SUM_BYTES: usize = 8;
/// Numbers of four bytes behind that.
pub(crate) const HEADER_NUMBERS: usize = 8;

/// A byte of a name as names are compared: without regard to case, and with `@` (Vertex's mark before a version) as `-`.
pub(crate) const fn canonical(byte: u8) -> u8 {
    match byte {
        b'@' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// Are they the same name?
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    // Nearly always they are the same bytes, and those are compared many at a time.
    one == other
        || one.len() == other.len() && one.iter().zip(other).all(|(a, b)| canonical(*a) == canonical(*b))
}

/// The hash of the provider and the name; the same on every machine, because it is written into the bytes.
pub(crate) fn hash(provider: &str, name: &str) -> u64 {
    let bytes = provider.bytes().chain(std::iter::once(b'/')).chain(name.bytes());
    let hash = fnv(bytes.map(canonical));
    // The low bits choose the slot: let the high ones have their say.
    hash ^ hash >> 32
}

/// By what damage is known. It keeps nobody out who means to change something.
pub(crate) fn sum(bytes: &[u8]) -> [u8; SUM_BYTES] {
    fnv(bytes.iter().copied()).to_le_bytes()
}

/// FNV-1a (<https://www.rfc-editor.org/rfc/rfc9923>).
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.fold(START, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// What a slot says of a hash, besides the model.
pub(crate) const fn fingerprint(hash: u64) -> u32 {
    (hash >> 48) as u32
}

#[cfg(test)]
mod tests;
