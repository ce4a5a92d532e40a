//! Whom things that are kept belong to.

/// The owner of what is kept: nobody else can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Owner {
    /// Callers without any credential, on a gateway that asks for none.
    #[default]
    Nobody,
    /// Whoever shows this key under `auth.keys`: a keyed hash. Its place there may be another key's after a reload.
    Key(u64),
    /// Whoever shows this key of a provider, on a gateway that asks for none of its own: a keyed hash.
    Credential(u64),
}
