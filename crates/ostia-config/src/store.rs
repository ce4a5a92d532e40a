//! `records.store`: a server in which records are kept, by its address.

mod clickhouse;

use std::path::PathBuf;

use crate::expand::{Part, expand, parts};
use crate::reader::{Item, Reader};
use crate::tree::Value;
use crate::{Code, SecretRef, secret};

pub use clickhouse::ClickHouse;

/// A server in which records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordServer {
    /// PostgreSQL.
    Postgres(Postgres),
    /// ClickHouse.
    ClickHouse(ClickHouse),
}

/// A database of PostgreSQL's, and whose name is shown there
/// (<https://www.postgresql.org/docs/15/libpq-connect.html#id-1.7.3.8.3.6>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// The host.
    pub host: String,
    /// The port. Default: 5432.
    pub port: u16,
    /// Who writes and reads.
    pub user: String,
    /// The password, if one is needed.
    pub password: Option<SecretRef>,
    /// The database.
    pub database: String,
    /// Whether the connection is encrypted, and whom it trusts.
    pub encryption: Encryption,
}

/// Whether the connection to a server is encrypted, in libpq's words
/// (<https://www.postgresql.org/docs/15/libpq-ssl.html#LIBPQ-SSL-PROTECTION>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// `disable`: it is not.
    Off,
    /// `prefer`: where the server can, whoever that is.
    Offered,
    /// `require`: it is, whoever the server is.
    Required,
    /// `verify-full`: it is, and the server's certificate is for this host, from an authority in this file (`sslrootcert`), or one that
    /// the system trusts.
    Verified(Option<PathBuf>),
}

impl RecordServer {
    /// The same, whatever its password is.
    pub(crate) fn without_password(mut self) -> RecordServer {
        *self.password_mut() = None;
        self
    }

    /// The password, if one is needed.
    pub fn password(&self) -> Option<&SecretRef> {
        match self {
            RecordServer::Postgres(postgres) => postgres.password.as_ref(),
            RecordServer::ClickHouse(clickhouse) => clickhouse.password.as_ref(),
        }
    }

    pub(crate) fn password_mut(&mut self) -> &mut Option<SecretRef> {
        match self {
            RecordServer::Postgres(postgres) => &mut postgres.password,
            RecordServer::ClickHouse(clickhouse) => &mut clickhouse.password,
        }
    }
}

/// How an address begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// What an address looks like.
const FORM: &str = "write postgres://USER:${PASSWORD}@HOST:5432/DATABASE?sslmode=verify-full";
/// Where servers listen.
const PORT: u16 = 5432;

/// Reads the address. `None` where something is wrong with it.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<RecordServer> {
    let Value::Text(text) = &item.tree.value else { return reader.text(item).and(None) };
    let address = match parts(text).as_deref() {
        // All of it is in the environment.
        Ok([Part::Env(_)]) => reader.text(item)?,
        _ => text.clone(),
    };
    let (parsed, form) = match address.trim() {
        address if address.starts_with("clickhouse") => {
            let parsed = clickhouse::of(address, item, reader.env);
            (parsed.map(RecordServer::ClickHouse), clickhouse::FORM)
        }
        address => (postgres_of(address, item, reader.env).map(RecordServer::Postgres), FORM),
    };
    parsed.map_err(|why| reader.problem(item, Code::WrongValue, why, Some(form.to_owned()))).ok()
}

/// Errors: what is wrong, without the text, which may hold a password.
fn postgres_of(text: &str, item: &Item<'_>, env: Env<'_>) -> Result<Postgres, String> {
    let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.ok_or("must begin with postgres:// or clickhouse://")?;
    let address = Address::of(rest, item, env)?;
    Ok(Postgres {
        host: address.host,
        port: address.port.unwrap_or(PORT),
        user: address.user.ok_or("names no user")?,
        password: address.password,
        database: address.database,
        encryption: encryption(address.query, env)?,
    })
}

/// What the environment says of a name.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What every server's address has behind its scheme: `USER:PASSWORD@HOST:PORT/DATABASE?QUERY`.
struct Address<'a> {
    host: String,
    port: Option<u16>,
    user: Option<String>,
    password: Option<SecretRef>,
    database: String,
    /// As it is written.
    query: &'a str,
}

impl<'a> Address<'a> {
    /// Errors: what is wrong, without the text, which may hold a password.
    fn of(text: &'a str, item: &Item<'_>, env: Env<'_>) -> Result<Address<'a>, String> {
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (authority, database) = text.split_once('/').ok_or("names no database")?;
        let (who, host) =
            authority.rsplit_once('@').map_or((None, authority), |(who, host)| (Some(who), host));
        let (user, password) = match who.and_then(|who| who.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password).filter(|password| !password.is_empty())),
            None => (who, None),
        };
        let (host, port) = host_and_port(host)?;
        let piece = |text: &str, what: &str| match plain(text, env)? {
            piece if piece.is_empty() => Err(format!("names no {what}")),
            piece => Ok(piece),
        };
        let number = |port| plain(port, env)?.parse().map_err(|_| "has a port that is none".to_owned());
        Ok(Address {
            host: piece(host, "host")?,
            port: port.map(number).transpose()?,
            user: user.map(|user| piece(user, "user")).transpose()?,
            password: password.map(|password| password_of(password, item, env)).transpose()?,
            database: piece(database, "database")?,
            query,
        })
    }
}

fn host_and_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if text.contains(',') {
        return Err(
            "names several hosts: name one that leads to the server that can be written to".to_owned()
        );
    }
    // An address of IPv6 has colons of its own.
    let end = text.rfind(']').map_or(0, |end| end + 1);
    match text[end..].split_once(':') {
        Some((before, port)) => Ok((&text[..end + before.len()], Some(port))),
        None => Ok((text, None)),
    }
}

/// A password as it stands in an address: what is from the environment is taken as it is.
fn password_of(text: &str, item: &Item<'_>, env: Env<'_>) -> Result<SecretRef, String> {
    let text = if text.contains("${") { text.to_owned() } else { decoded(text)? };
    let source = secret::parse(&text, env).map_err(|fault| fault.message)?;
    Ok(SecretRef { source, place: item.place() })
}

fn encryption(query: &str, env: Env<'_>) -> Result<Encryption, String> {
    let (mut mode, mut authorities) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = plain(value, env)?;
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" => authorities = Some(PathBuf::from(value)),
            _ => {
                return Err("has a parameter that is not known: there are sslmode and sslrootcert".to_owned());
            }
        }
    }
    match (mode.as_deref(), authorities) {
        (Some("verify-full"), authorities) => Ok(Encryption::Verified(authorities)),
        (_, Some(_)) => Err("has sslrootcert, which is looked at with sslmode=verify-full alone".to_owned()),
        (Some("disable"), None) => Ok(Encryption::Off),
        (Some("prefer") | None, None) => Ok(Encryption::Offered),
        (Some("require"), None) => Ok(Encryption::Required),
        (Some(_), None) => {
            Err("has an sslmode that is not disable, prefer, require or verify-full".to_owned())
        }
    }
}

/// A piece of an address with `${NAME}` and `%20` replaced.
fn plain(text: &str, env: Env<'_>) -> Result<String, String> {
    match text.contains("${") {
        true => expand(text, env).map_err(|fault| fault.message),
        false => decoded(text),
    }
}

/// Without percent-encoding (<https://datatracker.ietf.org/doc/html/rfc3986#section-2.1>).
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err("has a `%` that two hexadecimal digits do not follow: write it as %25".to_owned());
        };
        bytes.push((high * 16 + low) as u8);
        rest = &behind[2..];
    }
    String::from_utf8(bytes).map_err(|_| "has percent-encoded bytes that are no UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::{SecretSource, check as read_file};

    fn env(name: &str) -> Option<String> {
        match name {
            "PASSWORD" => Some("p@ss/w%rd".to_owned()),
            "HOST" => Some("db.internal".to_owned()),
            "POSTGRES" => Some("postgres://u:of%20url@h/d".to_owned()),
            "CLICKHOUSE" => Some("clickhouses://u:of%20url@h/d".to_owned()),
            _ => None,
        }
    }

    pub(super) fn read(address: &str) -> Result<RecordServer, String> {
        let checked = read_file("o.yaml", &format!("records: {{store: \"{address}\"}}\n"), &env);
        checked.config.records.store.ok_or_else(|| checked.report.render(false))
    }

    fn postgres(address: &str) -> Postgres {
        match read(address).unwrap() {
            RecordServer::Postgres(postgres) => postgres,
            other => panic!("{address}: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn check_wrong(address: &str, expected: &str) {
        let told = read(address).unwrap_err();
        assert!(told.contains(expected) && !told.contains("s3cret"), "{address}: {told}");
    }

    const ALL: [&str; 2] = ["postgres", "clickhouse"];

    #[test]
    fn addresses() {
        let check =
            |address: &str, host: &str, port: u16, user: &str, database: &str, encryption: Encryption| {
                let read = postgres(address);
                assert_eq!(
                    (&*read.host, read.port, &*read.user, &*read.database),
                    (host, port, user, database)
                );
                assert_eq!(read.encryption, encryption, "{address}");
            };
        check("postgres://ostia@db/records", "db", 5432, "ostia", "records", Encryption::Offered);
        check(
            "postgresql://a%40b:x@${HOST}:6000/d%2Fx?sslmode=disable",
            "db.internal",
            6000,
            "a@b",
            "d/x",
            Encryption::Off,
        );
        check("postgres://u@[::1]:7/d?sslmode=require", "[::1]", 7, "u", "d", Encryption::Required);
        check("postgres://u@[::1]/d?sslmode=prefer", "[::1]", 5432, "u", "d", Encryption::Offered);
        check("postgres://u@h/d?sslmode=verify-full", "h", 5432, "u", "d", Encryption::Verified(None));
        let file = Encryption::Verified(Some("/etc/ca.pem".into()));
        check("postgres://u@h/d?sslmode=verify-full&sslrootcert=/etc/ca.pem", "h", 5432, "u", "d", file);
    }

    #[test]
    fn passwords_are_taken_as_they_are_and_never_printed() {
        let password = |address: &str| match read(address).unwrap() {
            RecordServer::Postgres(postgres) => postgres.password,
            RecordServer::ClickHouse(clickhouse) => clickhouse.password,
        };
        let check = |address: &str, expected: Option<&str>| {
            let secret = password(address).map(|reference| {
                assert!(!format!("{reference:?}").contains("secret"), "{reference:?}");
                let secret = crate::resolve(&reference, &env, &|_| Err(String::new())).unwrap();
                secrecy::ExposeSecret::expose_secret(&secret).to_owned()
            });
            assert_eq!(secret.as_deref(), expected, "{address}");
        };
        for scheme in ALL {
            check(&format!("{scheme}://u@h/d"), None);
            check(&format!("{scheme}://u:@h/d"), None);
            check(&format!("{scheme}://u:${{PASSWORD}}@h/d"), Some("p@ss/w%rd"));
            check(&format!("{scheme}://u:secret%2Fx@h/d"), Some("secret/x"));
            check(&format!("${{{}}}", scheme.to_uppercase()), Some("of url"));
            let source = password(&format!("{scheme}://u:${{PASSWORD}}@h/d")).unwrap().source;
            assert_eq!(source, SecretSource::Env { name: "PASSWORD".to_owned() });
            let file = format!("records: {{store: '{scheme}://u:secret@h/d'}}");
            let written = read_file("o.yaml", &file, &env).report.written();
            assert!(!written.to_string().contains("secret"), "{written}");
        }
    }

    #[test]
    fn a_password_may_stand_beside_the_address() {
        let read = |file: &str| read_file("o.yaml", file, &env);
        for scheme in ALL {
            let of = |password: &str| {
                let records =
                    read(&format!("records: {{store: '{scheme}://u@h/d', password: '{password}'}}"));
                records.config.records
            };
            let (one, other) = (of("file:/run/pg"), of("s3cret"));
            let source = one.store.as_ref().unwrap().password().unwrap().source.clone();
            assert_eq!(source, SecretSource::File { path: "/run/pg".into() });
            // Another password is no other server.
            assert!(one != other && one.fixed() == other.fixed());
            let twice = read(&format!("records: {{store: '{scheme}://u:s3cret@h/d', password: x}}"));
            let told = twice.report.render(false);
            assert!(told.contains("beside a password") && !told.contains("s3cret"), "{told}");
        }
        for (file, expected) in [
            ("records: {password: s3cret}", "names none"),
            ("records: {store: 'mysql://h/d', password: s3cret}", "must begin with"),
        ] {
            let told = read(file).report.render(false);
            assert!(told.contains(expected) && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn addresses_that_are_wrong() {
        check_wrong("mysql://u:s3cret@h/d", "must begin with postgres:// or clickhouse://");
        check_wrong("${NOPE}", "NOPE, which is not set");
        check_wrong("postgres://h/d", "names no user");
        check_wrong("postgres://u:s3cret@h/d?sslmode=verify-ca", "sslmode");
        check_wrong("postgres://u:s3cret@h/d?sslmode=require&sslrootcert=x", "verify-full alone");
        check_wrong("postgres://u:s3cret@h/d?connect_timeout=3", "not known");
        for scheme in ALL {
            for (behind, expected) in [
                ("u:s3cret@h", "names no database"),
                ("u:s3cret@h/", "names no database"),
                (":s3cret@h/d", "names no user"),
                ("u:s3cret@/d", "names no host"),
                ("u:s3cret@h:port/d", "has a port"),
                ("u:s3cret@h,i/d", "several hosts"),
                ("u:s3cret%@h/d", "has a `%`"),
                ("u:s3cret%2@h/d", "has a `%`"),
                ("u:s3cret%+2@h/d", "has a `%`"),
                ("u:s3cret@${NOPE}/d", "NOPE, which is not set"),
            ] {
                check_wrong(&format!("{scheme}://{behind}"), expected);
            }
        }
    }
}
