//! What was read from providers' prompt caches, and calls of sessions that can be compared; and how many requests there are.

use super::conditions::Conditions;
use super::row_binary::Decoder;
use super::server::Parameters;
use super::sums::{Attempts, Counted};
use super::{Error, Reader};
use crate::answers::{CacheFall, CacheUse, Compared, ReadError};
use crate::query::Filter;

impl Reader {
    /// Attempts count where they went, as in sums that are kept elsewhere.
    pub(crate) fn kept_cache_use(
        &self,
        filter: &Filter,
        time: (i64, i64),
    ) -> Result<Vec<CacheUse>, ReadError> {
        let mut parameters = Parameters::default();
        let counted = Counted::of(&filter.within(time), Attempts::WhereTheyWent, &mut parameters);
        let text = format!(
            "SELECT toString(ifNull(key, '')) AS of_key, toString(of_provider), toString(of_model), count(), \
             sum(prompt_tokens), sum(cached_tokens) {} GROUP BY of_key, of_provider, of_model",
            counted.rows_of_attempts()
        );
        Ok(self.server.rows(&text, &parameters, cache_use)?)
    }

    pub(crate) fn counted_cache_use(&self, filter: &Filter) -> Result<Vec<CacheUse>, ReadError> {
        let mut parameters = Parameters::default();
        let conditions = Conditions::of(filter, &mut parameters);
        let text = format!(
            "SELECT toString(ifNull(key, '')), toString(ifNull(provider, '')), toString(ifNull(model, '')), \
             sum(length(attempt_provider)), sum(arraySum(attempt_prompt_tokens)), sum(arraySum(attempt_cached_tokens)) \
             FROM ostia_records FINAL {} GROUP BY 1, 2, 3",
            conditions.text()
        );
        Ok(self.server.rows(&text, &parameters, cache_use)?)
    }

    pub(crate) fn cached_calls(
        &self,
        filter: &Filter,
        most: u32,
    ) -> Result<Vec<(String, CacheFall)>, ReadError> {
        let mut parameters = Parameters::default();
        let mut conditions = Conditions::of(filter, &mut parameters);
        conditions.and("session IS NOT NULL AND prompt_tokens > 0 AND status < 400");
        let text = format!(
            "SELECT number, started_ms, assumeNotNull(session), toString(ifNull(key, '')), toString(ifNull(provider, '')), \
             toString(ifNull(model, '')), toString(ifNull(operation, '')), prompt_tokens, arraySum(attempt_cached_tokens) \
             FROM ostia_records FINAL {} ORDER BY started_ms DESC, number DESC LIMIT {most}",
            conditions.text()
        );
        Ok(self.server.rows(&text, &parameters, call)?)
    }

    pub(crate) fn one_compared(&self, number: i64, started_ms: i64) -> Result<Compared, ReadError> {
        let mut parameters = Parameters::default();
        let (number, at) = (parameters.int(number), parameters.int(started_ms));
        let text = format!(
            "SELECT id, request_state FROM ostia_records FINAL WHERE started_ms = {at} AND number = {number}"
        );
        let one = |row: &mut Decoder<'_>| Ok((row.text()?, row.text()?));
        let Some((id, state)) = self.server.rows(&text, &parameters, one)?.pop() else {
            return Ok(Compared::default());
        };
        let mut parameters = Parameters::default();
        let (at, own) = (parameters.int(started_ms), parameters.text(&id));
        let text = format!(
            "SELECT request, response FROM ostia_bodies FINAL WHERE started_ms = {at} AND id = {own}"
        );
        let body = |row: &mut Decoder<'_>| row.optional(|row| row.bytes().map(<[u8]>::to_vec));
        let bodies = self.server.rows(&text, &parameters, |row| Ok((body(row)?, body(row)?)))?.pop();
        let (request, response) = bodies.unwrap_or_default();
        Ok(Compared { id, request: request.map(|body| (body, state == "cut")), response })
    }

    pub(crate) fn count(&self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        let mut parameters = Parameters::default();
        let conditions = Conditions::of(filter, &mut parameters).text();
        let text =
            format!("SELECT count() FROM (SELECT 1 FROM ostia_records FINAL {conditions} LIMIT {most})");
        Ok(self.server.number(&text, &parameters)?)
    }
}

fn cache_use(row: &mut Decoder<'_>) -> Result<CacheUse, Error> {
    Ok(CacheUse {
        key: row.text()?,
        provider: row.text()?,
        model: row.text()?,
        attempts: row.u64()?,
        prompt_tokens: row.u64()?,
        cached_tokens: row.u64()?,
    })
}

/// A call, as the later one of two, and its API.
fn call(row: &mut Decoder<'_>) -> Result<(String, CacheFall), Error> {
    let numbers = (0, row.i64()?);
    let started_ms = (0, row.i64()?);
    let (session, key, provider, model) = (row.text()?, row.text()?, row.text()?, row.text()?);
    let operation = row.text()?;
    let prompt_tokens = row.u64()?;
    let cached_tokens = (0, row.u64()?);
    Ok((
        operation,
        CacheFall { numbers, session, key, provider, model, started_ms, prompt_tokens, cached_tokens },
    ))
}
