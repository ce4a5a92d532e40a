//! Jobs that train models.

use rusqlite::params;

use super::{Listed, Paging, Tables, document, list, one, read};
use crate::batches::closed::BatchesClosed;
use crate::batches::tuning::{StoredTuning, TuningStatus};
use crate::rollup::signed;

impl Tables {
    /// Takes up a job, unless so many are not at their providers yet.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn add_tuning(&mut self, tuning: &StoredTuning, open_max: u64) -> Result<bool, BatchesClosed> {
        let count = "SELECT count(*) FROM tunings WHERE is_open = 1";
        let open: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        if open >= signed(open_max) {
            return Ok(false);
        }
        self.connection.execute(
            "INSERT INTO tunings (id, owner, created_s, is_open, training_file, validation_file, document) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                tuning.id,
                tuning.owner,
                signed(tuning.created_s),
                tuning.is_open_here(),
                tuning.training_file,
                tuning.validation_file,
                document(tuning)
            ],
        )?;
        Ok(true)
    }

    /// An owner's job.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn tuning(&mut self, owner: &str, id: &str) -> Result<Option<StoredTuning>, BatchesClosed> {
        one(&self.connection, "tunings", owner, id)
    }

    /// An owner's jobs.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn tunings(&mut self, owner: &str, paging: &Paging) -> Listed<StoredTuning> {
        list(&self.connection, "tunings", "", owner, paging)
    }

    /// All jobs that are not at their providers yet, the oldest first.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn open_tunings(&mut self) -> Result<Vec<StoredTuning>, BatchesClosed> {
        let text = "SELECT document FROM tunings WHERE is_open = 1 ORDER BY number";
        let mut select = self.connection.prepare_cached(text)?;
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| read(&row?)).collect()
    }

    /// Changes a job, and gives it as it is then; `None` where it is not there.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn change_tuning(
        &mut self,
        owner: &str,
        id: &str,
        change: impl FnOnce(&mut StoredTuning),
    ) -> Result<Option<StoredTuning>, BatchesClosed> {
        let Some(mut tuning) = self.tuning(owner, id)? else { return Ok(None) };
        change(&mut tuning);
        let update = "UPDATE tunings SET is_open = ?2, document = ?3 WHERE id = ?1";
        self.connection.execute(update, params![id, tuning.is_open_here(), document(&tuning)])?;
        Ok(Some(tuning))
    }

    /// Its maker wants no more of a job, which ends here where its provider does not have it. Gives it as it is then.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub fn cancel_tuning(
        &mut self,
        owner: &str,
        id: &str,
        now_s: u64,
    ) -> Result<Option<StoredTuning>, BatchesClosed> {
        self.change_tuning(owner, id, |tuning| {
            if tuning.is_open_here() {
                tuning.ends(TuningStatus::Cancelled, now_s);
            }
        })
    }
}
