//! The server that records are kept in: its address, with the password and the certificates that it is known by.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ostia_config::{ClickHouse, Code, Postgres, Records, Report};
use ostia_store::{Connect, Encryption, Http, Password, Place, Server};

use super::files::Files;
use super::{lookup, transports};
use crate::upstream::tls::{self, Authorities, Tls, Trust};

/// A server, with all that is needed to speak to it.
#[derive(Debug, Clone)]
pub enum RecordServer {
    /// PostgreSQL.
    Postgres(Postgres, Password, Encryption),
    /// ClickHouse.
    ClickHouse(ClickHouse, Password),
}

/// The server that the file names, if it names one and nothing is wrong with it. What is wrong goes into the report.
pub fn read(records: &Records, files: &RefCell<Files>, report: &mut Report) -> Option<RecordServer> {
    let server = records.store.as_ref().filter(|_| records.are_kept)?;
    let password = match server.password() {
        Some(reference) => Some(lookup::fetch(reference, files, report)?),
        None => None,
    };
    let password = Password::from(password);
    match server.clone() {
        ostia_config::RecordServer::Postgres(address) => {
            let encryption = encryption(&address.encryption, files, report)?;
            Some(RecordServer::Postgres(address, password, encryption))
        }
        ostia_config::RecordServer::ClickHouse(address) => Some(RecordServer::ClickHouse(address, password)),
    }
}

fn encryption(
    wanted: &ostia_config::Encryption,
    files: &RefCell<Files>,
    report: &mut Report,
) -> Option<Encryption> {
    Some(match wanted {
        ostia_config::Encryption::Off => Encryption::Off,
        ostia_config::Encryption::Offered => Encryption::Offered(tls::unverified()),
        ostia_config::Encryption::Required => Encryption::Required(tls::unverified()),
        ostia_config::Encryption::Verified(file) => {
            let trust = match file {
                Some(file) => Trust { system_roots: false, authorities: authorities(file, files, report)? },
                None => Trust::default(),
            };
            Encryption::Required(Tls::new(trust, None).without_protocols())
        }
    })
}

fn authorities(file: &Path, files: &RefCell<Files>, report: &mut Report) -> Option<Authorities> {
    const FIELD: &str = "records.store";
    let pem = transports::read_pem(FIELD, file, files, report)?;
    let wrong = |fault: String| {
        report.add_at(FIELD, Code::WrongValue, format!("the file {} {fault}", file.display()), None);
    };
    Authorities::parse(&pem).map_err(wrong).ok()
}

impl RecordServer {
    /// Its password, as all share it who show it there.
    pub fn password(&self) -> &Password {
        match self {
            RecordServer::Postgres(_, password, _) | RecordServer::ClickHouse(_, password) => password,
        }
    }

    /// As the store knows it; `connect` opens connections, and `http` makes who makes calls to a server (`http://host:8123`).
    ///
    /// # Errors
    /// What `http` says.
    pub fn place(
        self,
        connect: Arc<dyn Connect>,
        http: impl FnOnce(String) -> io::Result<Arc<dyn Http>>,
    ) -> io::Result<Place> {
        match self {
            RecordServer::Postgres(address, password, encryption) => {
                let Postgres { host, port, user, database, .. } = address;
                let server = Server { host, port, user, password, database, encryption, connect };
                Ok(Place::Postgres(Arc::new(server)))
            }
            RecordServer::ClickHouse(address, password) => {
                let ClickHouse { host, port, is_encrypted, user, database, .. } = address;
                let s = if is_encrypted { "s" } else { "" };
                Ok(Place::ClickHouse(ostia_store::ClickHouse {
                    http: http(format!("http{s}://{host}:{port}"))?,
                    password,
                    told: format!("clickhouse{s}://{user}@{host}:{port}/{database}"),
                    user,
                    database,
                }))
            }
        }
    }
}
