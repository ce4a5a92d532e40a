//! The server that records are kept in: its address, with the password and the certificates that it is known by.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use ostia_config::{Code, Postgres, Records, Report};
use ostia_store::{Connect, Encryption, Place, Server};
use secrecy::SecretString;

use super::files::Files;
use super::{lookup, transports};
use crate::upstream::tls::{self, Authorities, Tls, Trust};

/// A server, with all that is needed to speak to it.
#[derive(Debug, Clone)]
pub struct RecordServer {
    address: Postgres,
    password: Option<SecretString>,
    encryption: Encryption,
}

/// The server that the file names, if it names one and nothing is wrong with it. What is wrong goes into the report.
pub fn read(records: &Records, files: &RefCell<Files>, report: &mut Report) -> Option<RecordServer> {
    let ostia_config::RecordServer::Postgres(address) =
        records.store.as_ref().filter(|_| records.are_kept)?;
    let password = match &address.password {
        Some(reference) => Some(lookup::fetch(reference, files, report)?),
        None => None,
    };
    let encryption = match &address.encryption {
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
    };
    Some(RecordServer { address: address.clone(), password, encryption })
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
    /// As the store knows it; `connect` opens connections.
    pub fn place(self, connect: Arc<dyn Connect>) -> Place {
        let RecordServer { address, password, encryption } = self;
        let Postgres { host, port, user, database, .. } = address;
        Place::Postgres(Arc::new(Server { host, port, user, password, database, encryption, connect }))
    }
}
