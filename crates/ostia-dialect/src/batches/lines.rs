//! Lines from bytes, however they are cut.

use memchr::memchr;

use super::{LINE_BYTES_MAX, RESULT_BYTES_MAX};

/// What some editors put before a text, and what says nothing.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts a file into its lines while its bytes come. Lines with nothing in them are counted and left out.
#[derive(Debug)]
pub struct Lines {
    /// What has come of a line that is not at its end.
    rest: Vec<u8>,
    /// Lines so far.
    count: u64,
    /// The longest line.
    bytes_max: usize,
}

impl Default for Lines {
    /// Lines of a client's file.
    fn default() -> Lines {
        Lines { rest: Vec::new(), count: 0, bytes_max: LINE_BYTES_MAX }
    }
}

/// A line with something in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number; the first one is 1.
    pub number: u64,
    /// What stands there, without its end.
    pub text: &'a [u8],
}

impl Lines {
    /// Lines of a vendor's results, which may be longer.
    pub fn of_results() -> Lines {
        Lines { bytes_max: RESULT_BYTES_MAX, ..Lines::default() }
    }

    /// Takes bytes that have come, and gives each line that they end.
    ///
    /// # Errors
    /// What `each` says; or the number of a line that is too long.
    pub fn push<E: From<TooLong>>(
        &mut self,
        mut bytes: &[u8],
        each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, further) = (&bytes[..end], &bytes[end + 1..]);
            bytes = further;
            self.check(line.len())?;
            self.count += 1;
            if self.rest.is_empty() {
                give(self.count, line, each)?;
            } else {
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                give(self.count, &whole, each)?;
                self.rest = whole;
                self.rest.clear();
            }
        }
        self.check(bytes.len())?;
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The file has ended: gives its last line, if it has no end of its own.
    ///
    /// # Errors
    /// What `each` says.
    pub fn finish<E>(&mut self, each: &mut impl FnMut(Line<'_>) -> Result<(), E>) -> Result<(), E> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return Ok(());
        }
        self.count += 1;
        give(self.count, &rest, each)
    }

    fn check(&self, further: usize) -> Result<(), TooLong> {
        if self.rest.len() + further > self.bytes_max { Err(TooLong(self.count + 1)) } else { Ok(()) }
    }
}

/// The number of a line that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong(pub u64);

fn give<E>(number: u64, line: &[u8], each: &mut impl FnMut(Line<'_>) -> Result<(), E>) -> Result<(), E> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(line);
    match line.trim_ascii() {
        [] => Ok(()),
        text => each(Line { number, text }),
    }
}
