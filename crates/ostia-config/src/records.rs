//! `records`: what is kept of each request, where and how long.

use std::time::Duration;

use crate::reader::{Item, Reader};
use crate::shape::Shape;
use crate::store::{self, RecordServer};
use crate::{Code, SecretRef};

/// What is kept of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// Anything at all. Default: yes.
    pub are_kept: bool,
    /// The server that they are kept in; `None`: a file in the data directory.
    pub store: Option<RecordServer>,
    /// Of which requests bodies are kept; `None`: of all where only this machine can connect, else of none.
    pub bodies: Option<BodiesKept>,
    /// How much of each body, in bytes. Default: 64 KiB.
    pub body_bytes: usize,
    /// Fields of bodies that are not kept, by their path.
    pub mask: Vec<String>,
    /// How long records are kept, without bodies. Default: 400 days.
    pub keep: Duration,
    /// How much of them, in bytes. Default: 4 GiB.
    pub bytes: usize,
    /// How long bodies are kept. Default: 7 days.
    pub keep_bodies: Duration,
    /// How much of them, in bytes, compressed. Default: 2 GiB.
    pub bodies_bytes: usize,
}

/// Of which requests bodies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodiesKept {
    /// Of all.
    Full,
    /// Of those that failed.
    Errors,
    /// Of none.
    Off,
}

impl BodiesKept {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            BodiesKept::Full => "full",
            BodiesKept::Errors => "errors",
            BodiesKept::Off => "off",
        }
    }
}

impl Default for Records {
    fn default() -> Records {
        const DAY: Duration = Duration::from_secs(86_400);
        Records {
            are_kept: true,
            store: None,
            bodies: None,
            body_bytes: 64 << 10,
            mask: Vec::new(),
            keep: DAY * 400,
            bytes: 4 << 30,
            keep_bodies: DAY * 7,
            bodies_bytes: 2 << 30,
        }
    }
}

impl Records {
    /// What holds from the start of the gateway to its end: all but how much of bodies is kept, and the password of the server.
    pub fn fixed(&self) -> Records {
        let Records { bodies, body_bytes, .. } = Records::default();
        let store = self.store.clone().map(RecordServer::without_password);
        Records { store, bodies, body_bytes, ..self.clone() }
    }
}

/// Reads the section: `off`, or a map.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Records {
    let mut records = Records::default();
    let mut password = None;
    if !item.is_map() {
        let word = reader.one_of(&item.taken_for(&OFF));
        return Records { are_kept: word.is_none(), ..records };
    }
    for (name, field) in reader.fields(item) {
        match name {
            "store" => records.store = store::read(&field, reader),
            "password" => password = reader.secret(&field).map(|secret| (secret, field)),
            "bodies" => records.bodies = read_bodies(&field, reader),
            "body_bytes" => records.body_bytes = reader.bytes(&field).unwrap_or(records.body_bytes),
            "mask" => records.mask = reader.texts(&field),
            "keep" => records.keep = reader.age(&field).unwrap_or(records.keep),
            "bytes" => records.bytes = reader.bytes(&field).unwrap_or(records.bytes),
            "keep_bodies" => records.keep_bodies = reader.age(&field).unwrap_or(records.keep_bodies),
            _ => records.bodies_bytes = reader.bytes(&field).unwrap_or(records.bodies_bytes),
        }
    }
    if let Some((secret, field)) = password {
        set_password(secret, &field, item.has("store"), &mut records, reader);
    }
    records
}

/// The password of the server, in the place of one in its address.
fn set_password(
    secret: SecretRef,
    field: &Item<'_>,
    names_server: bool,
    records: &mut Records,
    reader: &mut Reader<'_>,
) {
    match records.store.as_mut().map(RecordServer::password_mut) {
        Some(password @ None) => *password = Some(secret),
        Some(Some(_)) => {
            let hint = "take the one in `store` out".to_owned();
            reader.problem(field, Code::WrongValue, "stands beside a password in `store`", Some(hint));
        }
        // What is wrong with that has been said.
        None if names_server => {}
        None => {
            let hint = "add store: \"postgres://USER@HOST/DATABASE\"".to_owned();
            reader.problem(field, Code::WrongValue, "is for a server, and `store` names none", Some(hint));
        }
    }
}

/// Of which requests bodies are kept.
pub(crate) fn read_bodies(item: &Item<'_>, reader: &mut Reader<'_>) -> Option<BodiesKept> {
    let word = reader.one_of(item);
    let all = [BodiesKept::Full, BodiesKept::Errors, BodiesKept::Off];
    all.into_iter().find(|kept| word.as_deref() == Some(kept.as_str()))
}

static OFF: Shape = Shape::Words(|| vec!["off"]);
