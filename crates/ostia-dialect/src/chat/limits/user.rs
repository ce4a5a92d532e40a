//! The id of the end user. One that is too long becomes its hash, so that it stays one user; one that tells who the user
//! is stays behind where the vendor does not want to know.

use super::Limits;
use super::spelling::digest;
use crate::Request;
use crate::json::{Document, Json};

/// Fewest digits of a telephone number.
const PHONE_DIGITS_MIN: usize = 7;
/// Where clients of Chat Completions put the id for Anthropic.
const METADATA: &str = "metadata";
const USER_ID: &str = "user_id";

/// Makes the id fit, and reports it if it is not told as it is.
pub(super) fn apply(request: &mut Request, limits: &Limits, dropped: &mut Vec<String>) {
    if let Some(user) = &mut request.user {
        match Fate::of(user, limits) {
            Fate::Stays => {}
            Fate::Hashed => {
                *user = digest(user);
                dropped.push("user".to_owned());
            }
            Fate::Goes => {
                request.user = None;
                dropped.push("user".to_owned());
            }
        }
    }
    if limits.personal_user_refused.is_some() {
        in_metadata(request, limits, dropped);
    }
}

/// What becomes of an id.
enum Fate {
    Stays,
    Hashed,
    Goes,
}

impl Fate {
    fn of(user: &str, limits: &Limits) -> Fate {
        let is_long = |most: usize| user.len() > most && user.chars().count() > most;
        if limits.personal_user_refused.is_some() && is_personal(user) {
            Fate::Goes
        } else if limits.user_chars_max.is_some_and(|limit| is_long(limit.takes)) {
            Fate::Hashed
        } else {
            Fate::Stays
        }
    }
}

/// The same for the id in OpenAI's `metadata`, which is a map of anything.
fn in_metadata(request: &mut Request, limits: &Limits, dropped: &mut Vec<String>) {
    let Some((_, metadata)) = request.extra.iter_mut().find(|(name, _)| name == METADATA) else { return };
    let Ok(document) = Document::parse(metadata.as_str().as_bytes()) else { return };
    let Some(id) = document.root().str(USER_ID) else { return };
    let other = match Fate::of(&id, limits) {
        Fate::Stays => return,
        Fate::Hashed => Some(digest(&id)),
        Fate::Goes => None,
    };
    let fields = document.root().fields().filter(|(name, _)| name != USER_ID);
    let rest = Json::build(|w| {
        w.object(|w| {
            fields.for_each(|(name, value)| w.field_raw(&name, value.text()));
            other.iter().for_each(|other| w.field_str(USER_ID, other));
        });
    });
    *metadata = rest;
    dropped.push(format!("{METADATA}.{USER_ID}"));
}

/// Does this look like an e-mail address or a telephone number?
fn is_personal(user: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ',' | ';');
    let is_address = |word: &str| {
        word.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && host.split_once('.').is_some_and(|(first, last)| !first.is_empty() && !last.is_empty())
        })
    };
    let is_dialled = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '+' | '(' | ')' | '-');
    let digits = user.chars().filter(char::is_ascii_digit).count();
    user.split(is_end).any(is_address) || digits >= PHONE_DIGITS_MIN && user.chars().all(is_dialled)
}
