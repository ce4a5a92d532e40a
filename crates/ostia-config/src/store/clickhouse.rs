//! A ClickHouse server by its address.

use super::{Address, Env};
use crate::SecretRef;
use crate::reader::Item;

/// A database of a ClickHouse server, which is asked over HTTP (<https://clickhouse.com/docs/interfaces/http>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickHouse {
    /// The host; an address of IPv6 in brackets.
    pub host: String,
    /// The port. Default: 8123, and 8443 over TLS.
    pub port: u16,
    /// Over TLS?
    pub is_encrypted: bool,
    /// Who writes and reads. Default: `default`.
    pub user: String,
    /// The password, if one is needed.
    pub password: Option<SecretRef>,
    /// The database, which has to be there.
    pub database: String,
}

/// What an address looks like.
pub(super) const FORM: &str =
    "write clickhouse://USER:${PASSWORD}@HOST:8123/DATABASE, or clickhouses:// for TLS";
/// Where servers listen for HTTP, and for HTTP over TLS.
const PORTS: [u16; 2] = [8123, 8443];
/// Who asks where nobody is named.
const USER: &str = "default";

/// Errors: what is wrong, without the text, which may hold a password.
pub(super) fn of(text: &str, item: &Item<'_>, env: Env<'_>) -> Result<ClickHouse, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let is_encrypted = match scheme {
        "clickhouse" => false,
        "clickhouses" => true,
        _ => return Err("must begin with clickhouse:// or clickhouses://".to_owned()),
    };
    let address = Address::of(rest, item, env)?;
    let is_encrypted = is_secure(address.query)?.unwrap_or(is_encrypted);
    Ok(ClickHouse {
        host: address.host,
        port: address.port.unwrap_or(PORTS[usize::from(is_encrypted)]),
        is_encrypted,
        user: address.user.unwrap_or_else(|| USER.to_owned()),
        password: address.password,
        database: address.database,
    })
}

fn is_secure(query: &str) -> Result<Option<bool>, String> {
    match query {
        "" => Ok(None),
        "secure=true" => Ok(Some(true)),
        "secure=false" => Ok(Some(false)),
        _ => Err("has a parameter that is not known: there is secure=true".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::tests::{check_wrong, read};
    use crate::RecordServer;

    #[test]
    fn addresses() {
        let check = |address: &str, host: &str, port: u16, is_encrypted: bool, user: &str, database: &str| {
            let RecordServer::ClickHouse(read) = read(address).unwrap() else { panic!("{address}") };
            assert_eq!((&*read.host, read.port, read.is_encrypted), (host, port, is_encrypted), "{address}");
            assert_eq!((&*read.user, &*read.database), (user, database), "{address}");
        };
        check("clickhouse://ostia@ch/records", "ch", 8123, false, "ostia", "records");
        check("clickhouse://ch/records", "ch", 8123, false, "default", "records");
        check("clickhouses://a%40b:x@${HOST}/d%2Fx", "db.internal", 8443, true, "a@b", "d/x");
        check("clickhouse://u@[::1]:7/d?secure=true", "[::1]", 7, true, "u", "d");
        check("clickhouses://u@[::1]/d?secure=false", "[::1]", 8123, false, "u", "d");
    }

    #[test]
    fn addresses_that_are_wrong() {
        check_wrong("clickhouse:u:s3cret@h/d", "must begin with clickhouse://");
        check_wrong("clickhouse://u:s3cret@h/d?secure=maybe", "not known");
    }
}
