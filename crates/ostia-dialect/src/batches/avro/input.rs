//! Avro's binary encoding (<https://avro.apache.org/docs/1.12.0/specification/#binary-encoding>).

/// Why nothing can be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There are too few bytes.
    Short,
    /// What is wrong, in words that follow on `A file`.
    Bad(&'static str),
}

/// Bytes that are read from their start.
#[derive(Debug)]
pub struct Bytes<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Bytes<'b> {
    pub fn new(bytes: &'b [u8]) -> Bytes<'b> {
        Bytes { bytes, at: 0 }
    }

    /// How many have been read.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'b [u8], Stop> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or(Stop::Short)?;
        self.at += count;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number: seven bits in each byte, the lowest first, with the sign in the lowest of all.
    pub fn long(&mut self) -> Result<i64, Stop> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
            }
        }
        Err(Stop::Bad("has a number that is too long"))
    }

    /// A number that is none below 0.
    pub fn size(&mut self) -> Result<usize, Stop> {
        usize::try_from(self.long()?).map_err(|_| Stop::Bad("has a size below 0"))
    }

    /// Bytes behind their number.
    pub fn bytes(&mut self) -> Result<&'b [u8], Stop> {
        let count = self.size()?;
        self.take(count)
    }

    /// How many items the next block of a list has; `None`: there is none. One below 0 has the size of the block behind it.
    pub fn count(&mut self) -> Result<Option<u64>, Stop> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }
}
