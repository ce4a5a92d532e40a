//! Hashes that are the same on every machine and in every version, and the little randomness that is grown
//! from a seed. None of it keeps a secret: whoever may choose the input may choose the hash.

use serde_json::Value;

/// A hash in the making (FNV-1a, mixed at the end).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    /// The hash of nothing.
    pub(crate) const fn new() -> Hash {
        Hash(0xCBF2_9CE4_8422_2325)
    }

    /// With these bytes.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Hash {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        Hash(bytes.iter().fold(self.0, step))
    }

    /// With this number.
    pub(crate) fn number(self, number: u64) -> Hash {
        self.bytes(&number.to_le_bytes())
    }

    /// With this value. Its kind and its ends are hashed too, so that `["a", "b"]` differs from `["ab"]`.
    pub(crate) fn value(self, value: &Value) -> Hash {
        match value {
            Value::Null => self.bytes(b"n"),
            Value::Bool(given) => self.bytes(if *given { b"t" } else { b"f" }),
            Value::Number(number) => self.text(b"d", &number.to_string()),
            Value::String(text) => self.string(text),
            Value::Array(items) => items.iter().fold(self.bytes(b"["), Hash::value).bytes(b"]"),
            Value::Object(map) => {
                let entries = map.iter();
                entries
                    .fold(self.bytes(b"{"), |hash, (key, item)| hash.text(b"k", key).value(item))
                    .bytes(b"}")
            }
        }
    }

    /// With this text, as a value.
    pub(crate) fn string(self, text: &str) -> Hash {
        self.text(b"s", text)
    }

    fn text(self, mark: &[u8], text: &str) -> Hash {
        self.bytes(mark).number(text.len() as u64).bytes(text.as_bytes())
    }

    /// The number.
    pub(crate) fn finish(self) -> u64 {
        mixed(self.0)
    }
}

/// The hash of a JSON value; the order of its keys counts.
pub(crate) fn of_value(value: &Value) -> u64 {
    Hash::new().value(value).finish()
}

/// Numbers that look random, the same ones for the same seed (SplitMix64, Steele and others, 2014).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// At least 0 and less than 1.
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.next())
    }

    /// Less than `below`; 0 where that is 0.
    pub(crate) fn index(&mut self, below: usize) -> usize {
        self.next().checked_rem(below as u64).unwrap_or_default() as usize
    }
}

/// A number's place between 0 and 1, without 1.
pub(crate) fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_differ_hash_differently() {
        let values = [
            json!(null),
            json!([]),
            json!({}),
            json!(["a", "b"]),
            json!(["ab"]),
            json!([["a"], "b"]),
            json!({"a": "b"}),
            json!({"b": "a"}),
            json!("1"),
            json!(1),
            json!(1.5),
        ];
        let mut hashes: Vec<u64> = values.iter().map(of_value).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), values.len());
    }

    #[test]
    fn hashes_stay_what_they_are() {
        // Replicas of different versions keep a sticky caller with the same target.
        assert_eq!(of_value(&json!({"a": [1, "x"]})), 970_403_302_013_688_855);
    }

    #[test]
    fn dice_are_even() {
        let mut dice = Dice::new(7);
        let mean = (0..10_000).map(|_| dice.unit()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let mut counts = [0_usize; 3];
        (0..9_000).for_each(|_| counts[dice.index(3)] += 1);
        assert!(counts.iter().all(|count| (2_800..3_200).contains(count)), "{counts:?}");
        assert_eq!(dice.index(0), 0);
    }
}
