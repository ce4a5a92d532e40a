//! How connections to hosts are made: for all of them under `upstream:`, for those of one provider in its entry.

use std::path::PathBuf;

use serde_json::Value;

use crate::reader::{Item, Reader};
use crate::{Code, SecretRef};

/// How connections are made. What an entry of `providers:` says goes before what `upstream:` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// Whom to trust, and who to be.
    pub tls: TlsFiles,
    /// The URL of the proxy on the way, or `none`. It may hold a password.
    pub proxy: Option<SecretRef>,
    /// Whether HTTP/2 is spoken.
    pub http2: Option<Http2>,
}

/// Whether HTTP/2 is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Http2 {
    /// No.
    #[default]
    Off,
    /// Where a server behind TLS chooses it.
    Offered,
    /// The same, and to servers without TLS at once.
    PriorKnowledge,
}

/// Whom a TLS connection trusts, and what it shows. All files are PEM; a relative path is the shell's to understand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Further certificates of authorities that are trusted.
    pub ca: Option<PathBuf>,
    /// Are those trusted that the system trusts? Default: yes.
    pub system_roots: Option<bool>,
    /// The certificate that is shown to a server that asks for one, and those that lead to its authority.
    pub cert: Option<PathBuf>,
    /// The private key of that certificate.
    pub key: Option<PathBuf>,
}

impl Transport {
    /// Reads one of its fields.
    pub(crate) fn read_field(&mut self, name: &str, item: &Item<'_>, reader: &mut Reader<'_>) {
        match name {
            "tls" => self.tls = read_tls(item, reader),
            "http2" => self.http2 = read_http2(item, reader),
            _ => self.proxy = reader.secret(item),
        }
    }
}

/// `true`, `false`, or (at a provider) `prior_knowledge`.
fn read_http2(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<Http2> {
    match reader.shaped(item) {
        Value::Bool(true) => Some(Http2::Offered),
        Value::Bool(false) => Some(Http2::Off),
        Value::String(_) => Some(Http2::PriorKnowledge),
        // What is wrong was said.
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read_tls(item: &Item<'_>, reader: &mut Reader<'_>) -> TlsFiles {
    let mut tls = TlsFiles::default();
    for (name, field) in reader.fields(item) {
        if name == "system_roots" {
            tls.system_roots = reader.flag(&field);
            continue;
        }
        let path = reader.text(&field).map(PathBuf::from);
        match name {
            "ca" => tls.ca = path,
            "cert" => tls.cert = path,
            _ => tls.key = path,
        }
    }
    for (there, missing) in [("cert", "key"), ("key", "cert")] {
        if item.has(there) && !item.has(missing) {
            let hint = "a client certificate is two files: cert and key; or take both out".to_owned();
            reader.problem(item, Code::Missing, format!("has `{there}` and no `{missing}`"), Some(hint));
        }
    }
    tls
}
