//! The password of a server that records are kept in. Operators change passwords, and a gateway goes on running: each connection, and each
//! call, is made with the one that holds then.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::SecretString;

/// A password, shared by all who show it; none where the server wants none. It is never printed.
#[derive(Clone, Default)]
pub struct Password(Arc<RwLock<Option<SecretString>>>);

impl Password {
    /// The one that holds now.
    pub fn now(&self) -> Option<SecretString> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this one holds.
    pub fn replace(&self, by: Option<SecretString>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = by;
    }
}

impl From<Option<SecretString>> for Password {
    fn from(password: Option<SecretString>) -> Password {
        Password(Arc::new(RwLock::new(password)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn all_who_share_it_show_the_newest() {
        let first = Password::from(Some("s3cret".into()));
        let other = first.clone();
        let shown = || other.now().map(|password| password.expose_secret().to_owned());
        assert_eq!(shown().as_deref(), Some("s3cret"));
        first.replace(Some("n3w".into()));
        assert_eq!(shown().as_deref(), Some("n3w"));
        first.replace(None);
        assert_eq!(shown(), None);
        assert_eq!(format!("{other:?}"), "Password");
    }
}
