//! A credential that cannot be printed by accident.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// A key or token. `Debug` and `Display` say only that there is one; the memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the credential over.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(SecretString::from(value.into()))
    }

    /// The credential itself: for the request that needs it, and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Secret {
        Secret(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_printing_shows_it() {
        let secret = Secret::new("sk-top");
        let printed = format!("{secret} {secret:?} {secret:#?} {:?}", Some(secret.clone()));
        assert!(!printed.contains("sk-top"), "{printed}");
        assert_eq!(secret.expose(), "sk-top");
    }
}
