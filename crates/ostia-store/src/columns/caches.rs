//! What was read from providers' prompt caches, and calls of sessions that can be compared.

use std::collections::{BTreeMap, HashMap};

use super::newest::newest;
use super::{ByColumn, Chunk, Columns, Number, Scan, Text, Wanted};
use crate::answers::{CacheFall, CacheUse, ReadError};
use crate::query::Filter;

/// What was read from prompt caches, by key, provider and model.
pub(crate) fn cache_use(engine: &mut impl ByColumn, filter: &Filter) -> Result<Vec<CacheUse>, ReadError> {
    let of = [Text::Key, Text::Provider, Text::Model];
    let wanted = Wanted::of(&[Number::Attempts, Number::PromptTokens, Number::CachedTokens], &of);
    let mut scan = engine.scan(filter, wanted)?;
    let mut all = BTreeMap::<[String; 3], CacheUse>::new();
    while let Some(Chunk { columns, rows }) = scan.next()? {
        let mut by_codes = HashMap::<[u32; 3], [u64; 3]>::new();
        for row in rows {
            let own = by_codes.entry(of.map(|column| columns.code(column, row))).or_default();
            let more = [Number::Attempts, Number::PromptTokens, Number::CachedTokens];
            own.iter_mut().zip(more).for_each(|(own, column)| *own += number(&columns, column, row));
        }
        for (codes, [attempts, prompt_tokens, cached_tokens]) in by_codes {
            let word =
                |place: usize| columns.words(of[place]).word(codes[place]).unwrap_or_default().to_owned();
            let [key, provider, model] = [0, 1, 2].map(word);
            let own = all.entry([key.clone(), provider.clone(), model.clone()]);
            let own = own.or_insert(CacheUse { key, provider, model, ..CacheUse::default() });
            own.attempts += attempts;
            own.prompt_tokens += prompt_tokens;
            own.cached_tokens += cached_tokens;
        }
    }
    Ok(all.into_values().collect())
}

/// The newest calls of sessions that read something, each with its API.
pub(crate) fn cached_calls(
    engine: &mut impl ByColumn,
    filter: &Filter,
    most: u32,
) -> Result<Vec<(String, CacheFall)>, ReadError> {
    let numbers =
        [Number::StartedMs, Number::Request, Number::Status, Number::PromptTokens, Number::CachedTokens];
    let texts = [Text::Session, Text::Key, Text::Provider, Text::Model, Text::Operation];
    let mut scan = engine.scan(filter, Wanted::of(&numbers, &texts))?;
    let calls = newest(&mut scan, None, most as usize, call)?;
    Ok(calls.into_iter().map(|(_, call)| call).collect())
}

fn number(columns: &Columns, column: Number, row: usize) -> u64 {
    columns.number(column, row).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// A call of a session that read something, as the later one of two, and its API.
fn call(columns: &Columns, row: usize) -> Option<(String, CacheFall)> {
    let text = |column: Text| columns.text(column, row).unwrap_or_default().to_owned();
    let session = columns.text(Text::Session, row)?.to_owned();
    let prompt_tokens = number(columns, Number::PromptTokens, row);
    if prompt_tokens == 0 || number(columns, Number::Status, row) >= 400 {
        return None;
    }
    let call = CacheFall {
        numbers: (0, columns.number(Number::Request, row)?),
        started_ms: (0, columns.number(Number::StartedMs, row)?),
        session,
        key: text(Text::Key),
        provider: text(Text::Provider),
        model: text(Text::Model),
        prompt_tokens,
        cached_tokens: (0, number(columns, Number::CachedTokens, row)),
    };
    Some((text(Text::Operation), call))
}
