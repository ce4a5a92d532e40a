//! Rows from Avro's object container files, however their bytes are cut, each as the JSON that it stands for
//! (<https://avro.apache.org/docs/1.12.0/specification/#object-container-files>).
//!
//! A file says by itself what its rows are made of. No more of it is kept than its head and the block that is being read.

mod codec;
mod input;
mod schema;
#[cfg(test)]
mod tests;

use super::RESULT_BYTES_MAX;
use crate::Fault;
use crate::json::Writer;
use codec::Codec;
use input::{Bytes, Stop};
use schema::{Schema, Type};

/// Longest head, in bytes: what the rows are made of stands in it.
const HEAD_BYTES_MAX: usize = 1 << 20;
/// Longest block, in bytes, and what it may unpack to.
const BLOCK_BYTES_MAX: usize = 64 << 20;
/// Most values of a row: lists of nothing take no room.
const VALUES_MAX: usize = 1 << 20;
/// Deepest value.
const DEPTH_MAX: usize = 64;

/// How a file begins.
const MAGIC: &[u8] = b"Obj\x01";
/// Bytes that stand behind the head and behind each block.
const SYNC_BYTES: usize = 16;

/// Cuts a file into its rows while its bytes come.
#[derive(Debug, Default)]
pub struct Avro {
    /// What has come and is not read.
    rest: Vec<u8>,
    /// Known once the head has come.
    head: Option<Head>,
}

#[derive(Debug)]
struct Head {
    schema: Schema,
    codec: Codec,
    sync: [u8; SYNC_BYTES],
}

impl Avro {
    /// Takes bytes that have come, and gives each row that they end.
    ///
    /// # Errors
    /// What `each` says; or 502 for what is no such file.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = &self.rest[at..];
            let read = match &self.head {
                None => read_head(rest).map(|(head, bytes)| {
                    self.head = Some(head);
                    bytes
                }),
                Some(_) if rest.is_empty() => break,
                Some(head) => match block(head, rest) {
                    Ok((rows, data, bytes)) => {
                        tell(head, rows, data, each)?;
                        Ok(bytes)
                    }
                    Err(stop) => Err(stop),
                },
            };
            match read {
                Ok(bytes) => at += bytes,
                Err(Stop::Short) => break,
                Err(Stop::Bad(why)) => return Err(bad(why)),
            }
        }
        self.rest.drain(..at);
        let most = if self.head.is_some() { BLOCK_BYTES_MAX } else { HEAD_BYTES_MAX };
        // What stands around a block is short.
        match self.rest.len() <= most + HEAD_BYTES_MAX {
            true => Ok(()),
            false => Err(bad("is longer than it may be")),
        }
    }

    /// The file has ended.
    ///
    /// # Errors
    /// 502 for one that is not whole.
    pub fn finish(self) -> Result<(), Fault> {
        match self.head.is_some() && self.rest.is_empty() {
            true => Ok(()),
            false => Err(bad("is not whole")),
        }
    }
}

fn bad(why: &str) -> Fault {
    Fault::upstream(format!("A file of the provider's results {why}."))
}

/// The head, and how long it is.
fn read_head(bytes: &[u8]) -> Result<(Head, usize), Stop> {
    let mut input = Bytes::new(bytes);
    if input.take(MAGIC.len())? != MAGIC {
        return Err(Stop::Bad("is no Avro file"));
    }
    let (mut schema, mut codec) = (None, Codec::Null);
    while let Some(count) = input.count()? {
        for _ in 0..count {
            let name = input.bytes()?;
            let value = input.bytes()?;
            match name {
                b"avro.schema" => schema = Some(Schema::read(value)?),
                b"avro.codec" => codec = Codec::of(value)?,
                _ => {}
            }
        }
    }
    let mut sync = [0; SYNC_BYTES];
    sync.copy_from_slice(input.take(SYNC_BYTES)?);
    let schema = schema.ok_or(Stop::Bad("does not say what its rows are"))?;
    Ok((Head { schema, codec, sync }, input.at()))
}

/// A block that is whole: how many rows it has, and they, and how long it is.
fn block<'b>(head: &Head, bytes: &'b [u8]) -> Result<(usize, &'b [u8], usize), Stop> {
    let mut input = Bytes::new(bytes);
    let (rows, size) = (input.size()?, input.size()?);
    if size > BLOCK_BYTES_MAX {
        return Err(Stop::Bad("has a block that is too long"));
    }
    let data = input.take(size)?;
    match input.take(SYNC_BYTES)? == head.sync {
        true => Ok((rows, data, input.at())),
        false => Err(Stop::Bad("has a block that does not end")),
    }
}

/// Gives the rows of a block.
fn tell(
    head: &Head,
    rows: usize,
    data: &[u8],
    each: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let data = head.codec.unpack(data, BLOCK_BYTES_MAX).map_err(bad)?;
    if rows > data.len() {
        return Err(bad("counts rows that are not there"));
    }
    let mut input = Bytes::new(&data);
    for _ in 0..rows {
        let mut w = Writer::with_capacity(data.len() / rows);
        let mut row = Row { schema: &head.schema, values: 0 };
        row.write(&mut w, Schema::ROOT, &mut input, 0).map_err(|stop| match stop {
            Stop::Short => bad("has a row that is not whole"),
            Stop::Bad(why) => bad(why),
        })?;
        let json = w.into_bytes();
        if json.len() > RESULT_BYTES_MAX {
            return Err(bad("has a row that is too long"));
        }
        each(&json)?;
    }
    match input.is_empty() {
        true => Ok(()),
        false => Err(bad("has a block with more than its rows")),
    }
}

/// A row that is written as JSON.
struct Row<'s> {
    schema: &'s Schema,
    values: usize,
}

impl Row<'_> {
    fn write(&mut self, w: &mut Writer, at: usize, input: &mut Bytes<'_>, depth: usize) -> Result<(), Stop> {
        self.values += 1;
        if self.values > VALUES_MAX || depth > DEPTH_MAX {
            return Err(Stop::Bad("has a row with too much in it"));
        }
        let schema = self.schema;
        match schema.of(at) {
            Type::Null => w.null(),
            Type::Boolean => w.bool(input.take(1)? != [0]),
            Type::Long => w.raw(&input.long()?.to_string()),
            Type::Float => number(w, f64::from(f32::from_le_bytes(input.array()?))),
            Type::Double => number(w, f64::from_le_bytes(input.array()?)),
            Type::Bytes => w.string(&String::from_utf8_lossy(input.bytes()?)),
            Type::Fixed(size) => w.string(&String::from_utf8_lossy(input.take(*size)?)),
            Type::Enum(words) => w.string(words.get(input.size()?).ok_or(UNKNOWN)?),
            Type::Union(types) => {
                let own = *types.get(input.size()?).ok_or(UNKNOWN)?;
                return self.write(w, own, input, depth + 1);
            }
            Type::Record(fields) => {
                let mut done = Ok(());
                w.object(|w| {
                    done = fields.iter().try_for_each(|(name, own)| {
                        w.key(name);
                        self.write(w, *own, input, depth + 1)
                    });
                });
                return done;
            }
            Type::Array(item) => {
                let mut done = Ok(());
                w.array(|w| done = self.items(input, |row, input| row.write(w, *item, input, depth + 1)));
                return done;
            }
            Type::Map(value) => {
                let mut done = Ok(());
                w.object(|w| {
                    done = self.items(input, |row, input| {
                        w.key(&String::from_utf8_lossy(input.bytes()?));
                        row.write(w, *value, input, depth + 1)
                    });
                });
                return done;
            }
        }
        Ok(())
    }

    /// The items of a list or a map, which come in blocks.
    fn items(
        &mut self,
        input: &mut Bytes<'_>,
        mut each: impl FnMut(&mut Self, &mut Bytes<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        while let Some(count) = input.count()? {
            for _ in 0..count {
                each(self, input)?;
            }
        }
        Ok(())
    }
}

const UNKNOWN: Stop = Stop::Bad("has a row with a value that its schema does not know");

/// JSON has no words for numbers that are none.
fn number(w: &mut Writer, number: f64) {
    match number.is_finite() {
        true => w.raw(&number.to_string()),
        false => w.null(),
    }
}
