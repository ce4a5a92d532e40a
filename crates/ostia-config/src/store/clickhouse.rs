//! A ClickHouse server by its address.

use super::{host_and_port, password_of, plain};
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
pub(super) fn address_of(
    text: &str,
    item: &Item<'_>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<ClickHouse, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let is_encrypted = match scheme {
        "clickhouse" => false,
        "clickhouses" => true,
        _ => return Err("must begin with clickhouse:// or clickhouses://".to_owned()),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_encrypted = is_secure(query)?.unwrap_or(is_encrypted);
    let (authority, database) = rest.split_once('/').ok_or("names no database")?;
    let (user, host) = authority.rsplit_once('@').unwrap_or((USER, authority));
    let (user, password) = user.split_once(':').map_or((user, None), |(user, word)| (user, Some(word)));
    let (host, port) = host_and_port(host)?;
    let piece = |text: &str, what: &str| match plain(text, env)? {
        piece if piece.is_empty() => Err(format!("names no {what}")),
        piece => Ok(piece),
    };
    Ok(ClickHouse {
        host: piece(host, "host")?,
        port: match port {
            Some(port) => plain(port, env)?.parse().map_err(|_| "has a port that is none")?,
            None => PORTS[usize::from(is_encrypted)],
        },
        is_encrypted,
        user: piece(user, "user")?,
        password: password
            .filter(|word| !word.is_empty())
            .map(|word| password_of(word, item, env))
            .transpose()?,
        database: piece(database, "database")?,
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{RecordServer, check as read_file, resolve};

    fn env(name: &str) -> Option<String> {
        match name {
            "CH_PASSWORD" => Some("p@ss/w%rd".to_owned()),
            "HOST" => Some("ch.internal".to_owned()),
            "URL" => Some("clickhouses://u:of%20url@h/d".to_owned()),
            _ => None,
        }
    }

    fn read(address: &str) -> Result<ClickHouse, String> {
        let checked = read_file("o.yaml", &format!("records: {{store: \"{address}\"}}\n"), &env);
        match checked.config.records.store {
            Some(RecordServer::ClickHouse(clickhouse)) => Ok(clickhouse),
            Some(RecordServer::Postgres(_)) => Err("another server".to_owned()),
            None => Err(checked.report.render(false)),
        }
    }

    #[test]
    fn addresses() {
        let check = |address: &str, host: &str, port: u16, is_encrypted: bool, user: &str, database: &str| {
            let read = read(address).unwrap();
            assert_eq!((&*read.host, read.port, read.is_encrypted), (host, port, is_encrypted), "{address}");
            assert_eq!((&*read.user, &*read.database), (user, database), "{address}");
        };
        check("clickhouse://ostia@ch/records", "ch", 8123, false, "ostia", "records");
        check("clickhouse://ch/records", "ch", 8123, false, "default", "records");
        check("clickhouses://a%40b:x@${HOST}/d%2Fx", "ch.internal", 8443, true, "a@b", "d/x");
        check("clickhouse://u@[::1]:7/d?secure=true", "[::1]", 7, true, "u", "d");
        check("clickhouses://u@[::1]/d?secure=false", "[::1]", 8123, false, "u", "d");
    }

    #[test]
    fn passwords_are_taken_as_they_are_and_never_printed() {
        let check = |address: &str, expected: Option<&str>| {
            let password = read(address).unwrap().password;
            let secret = password.map(|reference| {
                assert!(!format!("{reference:?}").contains("secret"), "{reference:?}");
                let secret = resolve(&reference, &env, &|_| Err(String::new())).unwrap();
                secrecy::ExposeSecret::expose_secret(&secret).to_owned()
            });
            assert_eq!(secret.as_deref(), expected, "{address}");
        };
        check("clickhouse://u@h/d", None);
        check("clickhouse://u:@h/d", None);
        check("clickhouse://u:${CH_PASSWORD}@h/d", Some("p@ss/w%rd"));
        check("clickhouse://u:secret%2Fx@h/d", Some("secret/x"));
        check("${URL}", Some("of url"));
        let written =
            read_file("o.yaml", "records: {store: 'clickhouse://u:secret@h/d'}", &env).report.written();
        assert!(!written.to_string().contains("secret"), "{written}");
    }

    #[test]
    fn addresses_that_are_wrong() {
        let check = |address: &str, expected: &str| {
            let told = read(address).unwrap_err();
            assert!(told.contains(expected) && !told.contains("s3cret"), "{address}: {told}");
        };
        check("mysql://u:s3cret@h/d", "or clickhouse://");
        check("clickhouse:u:s3cret@h/d", "must begin with clickhouse://");
        check("clickhouse://u:s3cret@h", "names no database");
        check("clickhouse://u:s3cret@h/", "names no database");
        check("clickhouse://:s3cret@h/d", "names no user");
        check("clickhouse://u:s3cret@/d", "names no host");
        check("clickhouse://u:s3cret@h:port/d", "has a port");
        check("clickhouse://u:s3cret@h,i/d", "several hosts");
        check("clickhouse://u:s3cret%@h/d", "has a `%`");
        check("clickhouse://u:s3cret@h/d?secure=maybe", "not known");
        check("clickhouse://u:s3cret@${NOPE}/d", "NOPE, which is not set");
    }
}
