//! Rows of a file that is coming: calls of a batch, or examples that a model is trained with.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use http::Method;
use ostia_dialect::api::Answers;
use ostia_dialect::batches::{Row, RowFault};
use ostia_dialect::fine_tuning::RowKind;
use ostia_store::FilePurpose;

use crate::batches::ROWS_MAX;
use crate::inbound::route::{self, Endpoint};

/// Most paths that the rows of one file call.
const URLS_MAX: usize = 16;

/// What has been seen of the rows of a file.
#[derive(Debug)]
pub enum Check {
    /// They are calls.
    Calls(Calls),
    /// They are examples of this kind, so many so far.
    Examples(RowKind, u64),
}

/// The same when there are no more.
#[derive(Debug)]
pub struct Seen {
    /// How many rows there are.
    pub rows: u64,
    /// The paths that they call, each once.
    pub urls: Vec<String>,
    /// What examples are.
    pub training: Option<String>,
}

/// Calls so far.
#[derive(Debug, Default)]
pub struct Calls {
    rows: u64,
    urls: Vec<String>,
    /// Hashes of the names of rows. Two names with one hash would need luck that nobody has, and no client knows the hash's keys.
    names: HashSet<u128>,
    hashers: [RandomState; 2],
}

/// What is wrong with the first row, where it is a row for neither purpose.
#[derive(Debug)]
pub struct Neither {
    /// As a call.
    pub call: RowFault,
    /// As an example.
    pub example: RowFault,
}

impl Check {
    /// By the first row, which is looked at again with all others. Most forms have not said by then what it is for.
    ///
    /// # Errors
    /// It is a row for nothing.
    pub fn of(first: &[u8]) -> Result<Check, Box<Neither>> {
        match (Row::read(first), RowKind::read(first)) {
            (Ok(_), _) => Ok(Check::Calls(Calls::default())),
            (Err(_), Ok(kind)) => Ok(Check::Examples(kind, 0)),
            (Err(call), Err(example)) => Err(Box::new(Neither { call, example })),
        }
    }

    /// What they are for.
    pub fn purpose(&self) -> FilePurpose {
        match self {
            Check::Calls(_) => FilePurpose::Batch,
            Check::Examples(..) => FilePurpose::FineTune,
        }
    }

    /// The next row.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn row(&mut self, text: &[u8]) -> Result<(), RowFault> {
        match self {
            Check::Calls(calls) => calls.row(text),
            Check::Examples(first, rows) => {
                let kind = RowKind::read(text)?;
                if kind != *first {
                    let message =
                        format!("has `{}`, and the first row has `{}`", kind.fields()[0], first.fields()[0]);
                    return Err(RowFault::new("invalid_training_row", message));
                }
                *rows += 1;
                Ok(())
            }
        }
    }

    /// There is no further row.
    pub fn seen(self) -> Seen {
        match self {
            Check::Calls(Calls { rows, urls, .. }) => Seen { rows, urls, training: None },
            Check::Examples(kind, rows) => {
                Seen { rows, urls: Vec::new(), training: Some(kind.name().to_owned()) }
            }
        }
    }
}

impl Calls {
    fn row(&mut self, text: &[u8]) -> Result<(), RowFault> {
        let row = Row::read(text)?;
        let [high, low] = [0, 1].map(|place: usize| self.hashers[place].hash_one(&*row.custom_id));
        if self.rows as usize >= ROWS_MAX {
            return Err(RowFault::new(
                "too_many_rows",
                format!("is one more than the {ROWS_MAX} that a file may have"),
            ));
        }
        if !self.names.insert(u128::from(high) << 64 | u128::from(low)) {
            let shown: String = row.custom_id.chars().take(64).collect();
            let message = format!("has a `custom_id` that an earlier line has too: \"{shown}\"");
            return Err(RowFault::new("duplicate_custom_id", message));
        }
        if !self.urls.iter().any(|url| *url == row.url) {
            check_url(&row.url)?;
            if self.urls.len() >= URLS_MAX {
                let message =
                    format!("has one more `url` than the {URLS_MAX} that the rows of a file may have");
                return Err(RowFault::new("invalid_url", message));
            }
            self.urls.push(row.url.into_owned());
        }
        self.rows += 1;
        Ok(())
    }
}

/// A row calls what the gateway understands, takes JSON there, and gets JSON back.
fn check_url(url: &str) -> Result<(), RowFault> {
    let refused = |what: &str| {
        let shown: String = url.chars().take(100).collect();
        Err(RowFault::new("invalid_url", format!("calls \"{shown}\", which {what}")))
    };
    let is_clear = url.starts_with('/') && !url.contains(['?', '#']) && !url.contains("//");
    if !is_clear || route::has_dot_segment(url) || url.parse::<http::Uri>().is_err() {
        return refused("is no path, such as \"/v1/chat/completions\"");
    }
    match Endpoint::of(&Method::POST, url) {
        Endpoint::Api(path) if path.params().is_some_and(|params| params.stream) => {
            refused("streams its answer: no row of a batch can")
        }
        Endpoint::Api(path) if path.api.takes_forms() || path.api.answers() != Answers::Json => {
            refused("takes or gives more than JSON: no row of a batch can")
        }
        Endpoint::Api(_) => Ok(()),
        _ => refused("is none of the calls that the gateway runs in batches"),
    }
}
