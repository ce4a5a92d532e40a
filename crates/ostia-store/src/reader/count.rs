//! How many requests there are.

use rusqlite::params_from_iter;

use super::{ReadError, Reader};
use crate::query::{Conditions, Filter};

impl Reader {
    /// How many requests pass the filter; no more than `most` are counted.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        let conditions = Conditions::of(filter);
        let text =
            format!("SELECT count(*) FROM (SELECT 1 FROM requests {} LIMIT {most})", conditions.text());
        let mut select = self.connection()?.prepare_cached(&text)?;
        let count: i64 = select.query_row(params_from_iter(&conditions.values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
