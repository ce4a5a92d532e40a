//! Rows as ClickHouse takes and gives them: `RowBinary` (<https://clickhouse.com/docs/interfaces/formats/RowBinary>).
//!
//! Values stand one behind the other without names, numbers little-endian, what may be of any length behind that length.

use super::Error;

/// Rows that are written.
#[derive(Debug, Default)]
pub(super) struct Encoder(pub(super) Vec<u8>);

impl Encoder {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn i128(&mut self, value: i128) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn f64(&mut self, value: f64) {
        self.0.extend(value.to_le_bytes());
    }

    /// A `String`: bytes of any kind.
    pub(super) fn text(&mut self, value: impl AsRef<[u8]>) {
        self.length(value.as_ref().len());
        self.0.extend_from_slice(value.as_ref());
    }

    /// A `Nullable`.
    pub(super) fn optional<T>(&mut self, value: Option<T>, one: impl FnOnce(&mut Encoder, T)) {
        self.byte(u8::from(value.is_none()));
        if let Some(value) = value {
            one(self, value);
        }
    }

    /// An `Array`, or a `Map` of which each pair is written by `one`.
    pub(super) fn list<T>(
        &mut self,
        values: impl ExactSizeIterator<Item = T>,
        mut one: impl FnMut(&mut Encoder, T),
    ) {
        self.length(values.len());
        values.for_each(|value| one(self, value));
    }

    /// Seven bits in each byte, the least first (LEB128).
    fn length(&mut self, length: usize) {
        let mut left = length;
        while left > 0x7f {
            self.byte(left as u8 | 0x80);
            left >>= 7;
        }
        self.byte(left as u8);
    }
}

/// Rows that were answered.
#[derive(Debug)]
pub(super) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder(bytes)
    }

    /// Is there no more row?
    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        Ok(u8::from_le_bytes(self.fixed()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.fixed()?))
    }

    pub(super) fn i64(&mut self) -> Result<i64, Error> {
        Ok(i64::from_le_bytes(self.fixed()?))
    }

    pub(super) fn i128(&mut self) -> Result<i128, Error> {
        Ok(i128::from_le_bytes(self.fixed()?))
    }

    pub(super) fn f64(&mut self) -> Result<f64, Error> {
        Ok(f64::from_le_bytes(self.fixed()?))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn optional<T>(
        &mut self,
        one: impl FnOnce(&mut Decoder<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.byte()? {
            0 => one(self).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Decoder<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let length = self.length()?;
        (0..length).map(|_| one(self)).collect()
    }

    fn length(&mut self) -> Result<usize, Error> {
        let mut length = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            length |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(length).map_err(|_| Error::Garbled);
            }
        }
        Err(Error::Garbled)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N)?.try_into().map_err(|_| Error::Garbled)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Error::Garbled)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(300);
        let mut encoder = Encoder::default();
        encoder.i64(-7);
        encoder.text(&long);
        encoder.optional(Some(9), Encoder::u64);
        encoder.optional(None, Encoder::u64);
        encoder.list(["a", ""].into_iter(), Encoder::text);
        encoder.i128(-1);
        encoder.f64(0.5);
        assert_eq!(encoder.0[8..11], [0xac, 0x02, b'x'], "as the format's page has it");
        let all = |bytes: &[u8]| {
            let mut decoder = Decoder::new(bytes);
            let told = (
                decoder.i64()?,
                decoder.text()?,
                decoder.optional(Decoder::u64)?,
                decoder.optional(Decoder::u64)?,
                decoder.list(Decoder::text)?,
                (decoder.i128()?, decoder.f64()?, decoder.is_over()),
            );
            Ok::<_, Error>(told)
        };
        let expected =
            (-7, long.clone(), Some(9), None, vec!["a".to_owned(), String::new()], (-1, 0.5, true));
        assert_eq!(all(&encoder.0).unwrap(), expected);
        for end in 0..encoder.0.len() {
            assert!(all(&encoder.0[..end]).is_err(), "{end}");
        }
        assert!(Decoder::new(&[0xff; 20]).bytes().is_err());
    }
}
