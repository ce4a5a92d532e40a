//! Columns of many requests in memory, and each as bytes: numbers in as few bytes as the largest of them needs, texts once each.

use std::collections::HashMap;

use super::{Number, Text, Wanted};

/// Stands for a number where there is none.
const NONE: i64 = i64::MIN;

/// Some columns of requests. Those that were not asked for are empty.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// How many requests.
    pub(crate) requests: usize,
    numbers: [Vec<i64>; Number::ALL.len()],
    texts: [Words; Text::ALL.len()],
}

/// A column of texts, each of which stands there once. 0 is the code of none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    all: String,
    ends: Vec<usize>,
    codes: Vec<u32>,
}

impl Columns {
    /// Of so many requests, none of which is there yet.
    pub(crate) fn of(requests: usize) -> Columns {
        Columns { requests, ..Columns::default() }
    }

    pub(crate) fn number(&self, column: Number, row: usize) -> Option<i64> {
        self.numbers[column as usize].get(row).copied().filter(|number| *number != NONE)
    }

    pub(crate) fn words(&self, column: Text) -> &Words {
        &self.texts[column as usize]
    }

    pub(crate) fn code(&self, column: Text, row: usize) -> u32 {
        self.words(column).codes.get(row).copied().unwrap_or_default()
    }

    pub(crate) fn text(&self, column: Text, row: usize) -> Option<&str> {
        self.words(column).word(self.code(column, row))
    }

    /// Is there such a column already?
    pub(crate) fn has_numbers(&self, column: Number) -> bool {
        !self.numbers[column as usize].is_empty()
    }

    pub(crate) fn has_texts(&self, column: Text) -> bool {
        !self.words(column).codes.is_empty()
    }

    pub(crate) fn push_number(&mut self, column: Number, number: Option<i64>) {
        self.numbers[column as usize].push(number.unwrap_or(NONE));
    }

    /// Takes a column that was made to bytes. Is it whole?
    pub(crate) fn decode_numbers(&mut self, column: Number, bytes: &[u8]) -> Option<()> {
        self.numbers[column as usize] = numbers(bytes, self.requests)?;
        Some(())
    }

    /// As [`Columns::decode_numbers`].
    pub(crate) fn decode_texts(&mut self, column: Text, bytes: &[u8]) -> Option<()> {
        self.texts[column as usize] = Words::decoded(bytes, self.requests)?;
        Some(())
    }

    /// Takes a column by its name, if it is whole and one of these.
    pub(crate) fn decode(&mut self, wanted: &Wanted, name: &str, bytes: &[u8]) {
        if let Some(column) = wanted.numbers.iter().find(|column| column.name() == name) {
            self.decode_numbers(*column, bytes);
        }
        if let Some(column) = wanted.texts.iter().find(|column| column.name() == name) {
            self.decode_texts(*column, bytes);
        }
    }

    /// Are these there?
    pub(crate) fn has(&self, wanted: &Wanted) -> bool {
        wanted.numbers.iter().all(|column| self.has_numbers(*column))
            && wanted.texts.iter().all(|column| self.has_texts(*column))
    }

    pub(crate) fn encoded_numbers(&self, column: Number) -> Vec<u8> {
        encoded(&self.numbers[column as usize])
    }

    pub(crate) fn encoded_texts(&self, column: Text) -> Vec<u8> {
        self.words(column).encoded()
    }
}

impl Words {
    /// The text of a code.
    pub(crate) fn word(&self, code: u32) -> Option<&str> {
        let place = (code as usize).checked_sub(1)?;
        let first = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.all.get(first..*self.ends.get(place)?)
    }

    /// What each code comes to, that of none first.
    pub(crate) fn each<T>(&self, of: impl Fn(Option<&str>) -> T) -> Vec<T> {
        (0..=self.ends.len()).map(|code| of(self.word(code as u32))).collect()
    }

    fn add(&mut self, word: &str) -> u32 {
        self.all.push_str(word);
        self.ends.push(self.all.len());
        self.ends.len() as u32
    }

    /// How many texts there are, the length of each, the texts, and the codes.
    fn encoded(&self) -> Vec<u8> {
        let mut bytes = (self.ends.len() as u32).to_le_bytes().to_vec();
        let mut first = 0;
        for end in &self.ends {
            bytes.extend(((end - first) as u32).to_le_bytes());
            first = *end;
        }
        bytes.extend(self.all.as_bytes());
        bytes.extend(encoded(&self.codes.iter().map(|code| i64::from(*code)).collect::<Vec<_>>()));
        bytes
    }

    fn decoded(bytes: &[u8], requests: usize) -> Option<Words> {
        let (count, bytes) = bytes.split_first_chunk()?;
        let count = u32::from_le_bytes(*count) as usize;
        let (lengths, bytes) = bytes.split_at_checked(count.checked_mul(4)?)?;
        let (lengths, _) = lengths.as_chunks();
        let mut end = 0_usize;
        let ends: Vec<usize> = lengths
            .iter()
            .map(|length| {
                end = end.saturating_add(u32::from_le_bytes(*length) as usize);
                end
            })
            .collect();
        let (all, bytes) = bytes.split_at_checked(end)?;
        let code = |code: i64| u32::try_from(code).ok().filter(|code| *code as usize <= ends.len());
        let codes = numbers(bytes, requests)?.into_iter().map(code).collect::<Option<_>>()?;
        Some(Words { all: std::str::from_utf8(all).ok()?.to_owned(), ends, codes })
    }
}

/// Codes of texts while a column is filled.
#[derive(Debug, Default)]
pub(crate) struct Codes([HashMap<String, u32>; Text::ALL.len()]);

impl Codes {
    pub(crate) fn push(&mut self, columns: &mut Columns, column: Text, text: Option<&str>) {
        let words = &mut columns.texts[column as usize];
        let known = &mut self.0[column as usize];
        let code = match text {
            None => 0,
            Some(text) => match known.get(text) {
                Some(code) => *code,
                None => {
                    let code = words.add(text);
                    known.insert(text.to_owned(), code);
                    code
                }
            },
        };
        words.codes.push(code);
    }
}

/// Where a number may be none, 0 stands for that and the least of them is 1.
const HAS_NONE: u8 = 0x80;

/// How many bytes each has, the least of them, and by how much each is more.
fn encoded(numbers: &[i64]) -> Vec<u8> {
    let known = || numbers.iter().copied().filter(|number| *number != NONE);
    let (least, most) = (known().min().unwrap_or_default(), known().max().unwrap_or_default());
    let (has_none, has_any) = (numbers.contains(&NONE), known().next().is_some());
    let shift = u64::from(has_none && has_any);
    let width: u8 = match most.abs_diff(least).saturating_add(shift) {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let mut bytes = vec![width | if has_none { HAS_NONE } else { 0 }];
    bytes.extend(least.to_le_bytes());
    for number in numbers {
        let more = if *number == NONE { 0 } else { number.abs_diff(least).wrapping_add(shift) };
        bytes.extend(&more.to_le_bytes()[..usize::from(width)]);
    }
    bytes
}

/// So many numbers of these bytes; none where they are not so many.
fn numbers(bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let (head, bytes) = bytes.split_first()?;
    let (least, bytes) = bytes.split_first_chunk()?;
    let (least, has_none, width) = (i64::from_le_bytes(*least), head & HAS_NONE != 0, head & !HAS_NONE);
    let of = |more: u64| match (has_none, more) {
        (false, more) => least.wrapping_add_unsigned(more),
        (true, 0) => NONE,
        (true, more) => least.wrapping_add_unsigned(more - 1),
    };
    let numbers: Vec<i64> = match width {
        0 => vec![of(0); count],
        1 => bytes.iter().map(|byte| of(u64::from(*byte))).collect(),
        2 => bytes.as_chunks().0.iter().map(|bytes| of(u64::from(u16::from_le_bytes(*bytes)))).collect(),
        4 => bytes.as_chunks().0.iter().map(|bytes| of(u64::from(u32::from_le_bytes(*bytes)))).collect(),
        8 => bytes.as_chunks().0.iter().map(|bytes| of(u64::from_le_bytes(*bytes))).collect(),
        _ => return None,
    };
    (numbers.len() == count).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_in_few_bytes() {
        let check = |own: &[i64], bytes_each: usize| {
            let bytes = encoded(own);
            assert_eq!(bytes.len(), 9 + bytes_each * own.len(), "{own:?}");
            assert_eq!(numbers(&bytes, own.len()).unwrap(), own);
            // What is cut is not taken for a column.
            for end in 0..bytes.len() {
                assert_eq!(numbers(&bytes[..end], own.len()), None, "{own:?} up to {end}");
            }
        };
        check(&[], 0);
        check(&[7; 20], 0);
        check(&[NONE; 3], 0);
        check(&[0, 255], 1);
        check(&[NONE, 5, 259], 1);
        check(&[NONE, 5, 260], 2);
        check(&[1_795_939_200_000, 1_795_939_265_535], 2);
        check(&[-70_000, 70_000, NONE], 4);
        check(&[0, i64::MAX, NONE], 8);
        check(&[i64::MIN + 1, i64::MAX], 8);
    }

    #[test]
    fn texts_come_back() {
        let (mut columns, mut codes) = (Columns::default(), Codes::default());
        let texts = [Some("groq"), None, Some(""), Some("größer"), Some("groq")];
        texts.iter().for_each(|text| codes.push(&mut columns, Text::Provider, *text));
        columns.requests = texts.len();
        let bytes = columns.encoded_texts(Text::Provider);
        let mut again = Columns { requests: texts.len(), ..Columns::default() };
        again.decode_texts(Text::Provider, &bytes).unwrap();
        for (row, text) in texts.iter().enumerate() {
            assert_eq!((columns.text(Text::Provider, row), again.text(Text::Provider, row)), (*text, *text));
        }
        assert_eq!(again.code(Text::Provider, 0), again.code(Text::Provider, 4));
        assert_eq!(
            again.words(Text::Provider).each(|word| word.map(str::len)),
            [None, Some(4), Some(0), Some(8)]
        );
        for end in 0..bytes.len() {
            assert_eq!(Words::decoded(&bytes[..end], texts.len()), None, "up to {end}");
        }
        assert_eq!(Words::default().word(1), None);
        let unknown = Words { codes: vec![1], ..Words::default() };
        assert_eq!(Words::decoded(&unknown.encoded(), 1), None, "a code of no text");
    }
}
