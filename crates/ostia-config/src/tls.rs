//! HTTPS for clients: where the certificate is, and who may connect. The files are read by the shell.

use std::path::PathBuf;

use crate::Code;
use crate::reader::{Item, Reader};

/// HTTPS for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the gateway's certificate, and behind it those between it and its authority.
    pub cert: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
    /// PEM file with the authorities of which clients must show a certificate; `None`: they need none.
    pub client_ca: Option<PathBuf>,
    /// The oldest version that is spoken. Default: 1.2.
    pub min_version: TlsVersion,
}

/// Versions of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// Reads the section. `None` where something of it is wrong: clients are not served otherwise than was meant.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Tls> {
    let (mut cert, mut key, mut client_ca) = (None, None, None);
    let mut min_version = TlsVersion::default();
    let fields = reader.fields(item);
    for (name, field) in &fields {
        match *name {
            "cert" => cert = reader.text(field).map(PathBuf::from),
            "key" => key = reader.text(field).map(PathBuf::from),
            "client_ca" => client_ca = reader.text(field).map(PathBuf::from),
            _ if reader.word_or_number(field).as_deref() == Some("1.3") => min_version = TlsVersion::Tls13,
            _ => {}
        }
    }
    for (name, what) in [("cert", "certificate"), ("key", "private key")] {
        if item.is_map() && !fields.iter().any(|(given, _)| *given == name) {
            let hint = format!("name the PEM file with the {what}, or take the section out for plain HTTP");
            reader.problem(item, Code::Missing, format!("has no `{name}`"), Some(hint));
        }
    }
    Some(Tls { cert: cert?, key: key?, client_ca, min_version })
}
