//! `records`: what is kept of each request, where and how long.

use std::time::Duration;

use crate::reader::{Item, Reader};
use crate::shape::Shape;
use crate::store::{self, RecordServer};

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
    /// What holds from the start of the gateway to its end: all but how much of bodies is kept, and where in the file it stands.
    pub fn fixed(&self) -> Records {
        let Records { bodies, body_bytes, .. } = Records::default();
        let store = self.store.clone().map(RecordServer::wherever);
        Records { store, bodies, body_bytes, ..self.clone() }
    }
}

/// Reads the section: `off`, or a map.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader<'_>) -> Records {
    let mut records = Records::default();
    if !item.is_map() {
        let word = reader.one_of(&item.taken_for(&OFF));
        return Records { are_kept: word.is_none(), ..records };
    }
    for (name, field) in reader.fields(item) {
        match name {
            "store" => records.store = store::read(&field, reader),
            "bodies" => {
                let word = reader.one_of(&field);
                let all = [BodiesKept::Full, BodiesKept::Errors, BodiesKept::Off];
                records.bodies = all.into_iter().find(|kept| word.as_deref() == Some(kept.as_str()));
            }
            "body_bytes" => records.body_bytes = reader.bytes(&field).unwrap_or(records.body_bytes),
            "mask" => records.mask = reader.texts(&field),
            "keep" => records.keep = reader.age(&field).unwrap_or(records.keep),
            "bytes" => records.bytes = reader.bytes(&field).unwrap_or(records.bytes),
            "keep_bodies" => records.keep_bodies = reader.age(&field).unwrap_or(records.keep_bodies),
            _ => records.bodies_bytes = reader.bytes(&field).unwrap_or(records.bodies_bytes),
        }
    }
    records
}

static OFF: Shape = Shape::Words(|| vec!["off"]);
