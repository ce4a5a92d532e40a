//! Whose files and batches are, known again after a restart: a hash of the key that was shown, which tells nothing of it to
//! whoever has the disk alone and not the key that it was made with.

use aws_lc_rs::hmac;
use ostia_store::SECRET_BYTES;

/// How much of a hash is kept, in bytes.
const HASH_BYTES: usize = 16;

/// What a caller shows.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// Nothing, on a gateway that asks for nothing.
    Nothing,
    /// A key of the gateway's own.
    Key(&'a str),
    /// A key of a provider's, on a gateway that asks for none of its own.
    Credential(&'a str),
}

impl Shown<'_> {
    /// The owner's name in the tables.
    pub fn owner(self, secret: &[u8; SECRET_BYTES]) -> String {
        match self {
            Shown::Nothing => "nobody".to_owned(),
            Shown::Key(key) => format!("key:{}", hash(secret, key)),
            Shown::Credential(key) => format!("credential:{}", hash(secret, key)),
        }
    }
}

fn hash(secret: &[u8; SECRET_BYTES], key: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), key.as_bytes());
    tag.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_apart_and_known_again() {
        let secret = [7; SECRET_BYTES];
        let owners = [
            Shown::Nothing.owner(&secret),
            Shown::Key("a").owner(&secret),
            Shown::Key("b").owner(&secret),
            Shown::Credential("a").owner(&secret),
            Shown::Key("a").owner(&[8; SECRET_BYTES]),
        ];
        for (place, owner) in owners.iter().enumerate() {
            assert!(!owners[..place].contains(owner), "{owners:?}");
        }
        assert_eq!(Shown::Key("a").owner(&secret), owners[1]);
    }
}
