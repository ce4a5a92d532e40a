//! Where the rows of the table are found by something else than their API. All of it is made from the table when this is
//! compiled.

use super::table::{COUNT, TABLE};
use super::{Api, Operation, Path};
use crate::{Dialect, embeddings};

/// Paths of what the gateway understands, below `/v1`.
static PATHS: [(&str, Api); count_paths(true)] = paths(true);
/// The same at the paths of their vendors, which have a version of their own.
static OWN_PATHS: [(&str, Api); count_paths(false)] = paths(false);
/// Verbs of what the gateway understands, each with whether it asks for a stream.
static VERBS: [(&str, Api, bool); count_verbs()] = verbs();
/// The API of each dialect of conversations.
static DIALECTS: [Api; Dialect::ALL.len()] = dialects();
/// The API of each dialect of embeddings.
static EMBEDDINGS: [Api; embeddings::Dialect::ALL.len()] = embeddings();

impl Api {
    /// The API that the gateway understands at this path below `/v1`.
    ///
    /// ```
    /// use ostia_dialect::Api;
    /// assert_eq!(Api::at("/chat/completions"), Some(Api::OpenaiChat));
    /// assert_eq!(Api::at("/files"), None);
    /// ```
    pub fn at(path: &str) -> Option<Api> {
        PATHS.iter().find(|(known, _)| *known == path).map(|(_, api)| *api)
    }

    /// The API that the gateway understands at this path, which is its vendor's and not below `/v1`.
    ///
    /// ```
    /// use ostia_dialect::Api;
    /// assert_eq!(Api::at_own("/v2/rerank"), Some(Api::CohereRerank));
    /// assert_eq!(Api::at_own("/v2/chat"), None);
    /// ```
    pub fn at_own(path: &str) -> Option<Api> {
        OWN_PATHS.iter().find(|(known, _)| *known == path).map(|(_, api)| *api)
    }

    /// The API that the gateway understands with this verb behind the model, and whether the answer is to be streamed.
    pub fn of_verb(verb: &str) -> Option<(Api, bool)> {
        VERBS.iter().find(|(known, ..)| *known == verb).map(|(_, api, stream)| (*api, *stream))
    }

    /// The API at which this dialect is spoken.
    pub fn of_dialect(dialect: Dialect) -> Api {
        DIALECTS[dialect as usize]
    }

    /// The API at which embeddings are asked for in this dialect.
    pub fn of_embeddings(dialect: embeddings::Dialect) -> Api {
        EMBEDDINGS[dialect as usize]
    }
}

pub(super) const fn all() -> [Api; COUNT] {
    let mut all = [TABLE[0].api; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = TABLE[at].api;
        at += 1;
    }
    all
}

/// Where clients find what a row has, if the gateway understands it: below `/v1`, or at the vendor's own path.
const fn path_of(at: usize, below_v1: bool) -> Option<&'static str> {
    match (TABLE[at].is_understood, TABLE[at].gateway_path, TABLE[at].path) {
        (true, Some(path), _) if below_v1 => Some(path),
        (true, None, Path::Fixed(path)) if !below_v1 => Some(path),
        _ => None,
    }
}

const fn count_paths(below_v1: bool) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < COUNT {
        count += path_of(at, below_v1).is_some() as usize;
        at += 1;
    }
    count
}

const fn paths<const N: usize>(below_v1: bool) -> [(&'static str, Api); N] {
    let mut paths = [("", TABLE[0].api); N];
    let (mut count, mut at) = (0, 0);
    while at < COUNT {
        if let Some(path) = path_of(at, below_v1) {
            paths[count] = (path, TABLE[at].api);
            count += 1;
        }
        at += 1;
    }
    paths
}

const fn count_verbs() -> usize {
    let (mut count, mut at) = (0, 0);
    while at < COUNT {
        if let Path::OfModel { stream_verb, .. } = TABLE[at].path {
            count += 1 + stream_verb.is_some() as usize;
        }
        at += 1;
    }
    count
}

const fn verbs<const N: usize>() -> [(&'static str, Api, bool); N] {
    let mut verbs = [("", TABLE[0].api, false); N];
    let (mut count, mut at) = (0, 0);
    while at < COUNT {
        if let Path::OfModel { verb, stream_verb } = TABLE[at].path {
            verbs[count] = (verb, TABLE[at].api, false);
            count += 1;
            if let Some(verb) = stream_verb {
                verbs[count] = (verb, TABLE[at].api, true);
                count += 1;
            }
        }
        at += 1;
    }
    verbs
}

const fn dialects<const N: usize>() -> [Api; N] {
    let mut apis = [TABLE[0].api; N];
    let mut at = 0;
    while at < COUNT {
        if let Operation::Conversation(dialect) = TABLE[at].operation {
            apis[dialect as usize] = TABLE[at].api;
        }
        at += 1;
    }
    apis
}

const fn embeddings<const N: usize>() -> [Api; N] {
    let mut apis = [TABLE[0].api; N];
    let mut at = 0;
    while at < COUNT {
        if let Operation::Embeddings(dialect) = TABLE[at].operation {
            apis[dialect as usize] = TABLE[at].api;
        }
        at += 1;
    }
    apis
}
