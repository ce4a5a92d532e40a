//! Hook results among the events of a stream: those of the request come before the answer, those of the answer behind its end.

use ostia_store::GuardrailResult;

use super::{RESULTS_BYTES_MAX, of_answer};

/// How a line begins that has them, behind `data:` and a space that may be missing.
const BEGINS: &[u8] = b"{\"hook_results\"";
const DATA: &[u8] = b"data:";
const BEGINNING_BYTES: usize = DATA.len() + 1 + BEGINS.len();

/// Looks for them while the stream passes. Nothing is held but a line that begins like one.
#[derive(Debug, Default)]
pub struct HookEvents {
    line: Vec<u8>,
    /// The rest of the line has none.
    is_skipping: bool,
}

impl HookEvents {
    /// More of the stream: what is whole by now.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<GuardrailResult> {
        let mut found = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.extend(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let told = payload(&self.line).map(of_answer);
            found.extend(told.into_iter().flatten());
            self.is_skipping = false;
            self.line.clear();
        }
        self.extend(bytes);
        found
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.is_skipping {
            return;
        }
        // No more is copied of a line than says that it is another one.
        let needed = BEGINNING_BYTES.saturating_sub(self.line.len()).min(bytes.len());
        let (beginning, rest) = bytes.split_at(needed);
        self.line.extend_from_slice(beginning);
        if !may_begin(&self.line) || self.line.len() + rest.len() > RESULTS_BYTES_MAX {
            (self.is_skipping, self.line) = (true, Vec::new());
            return;
        }
        self.line.extend_from_slice(rest);
    }
}

/// Is this the beginning of a line that has them, or could it become one?
fn may_begin(line: &[u8]) -> bool {
    let begins_so = |line: &[u8], with: &[u8]| line.iter().zip(with).all(|(byte, known)| byte == known);
    let behind = |line: &[u8]| begins_so(line.strip_prefix(b" ").unwrap_or(line), BEGINS);
    begins_so(line, DATA) && line.get(DATA.len()..).is_none_or(behind)
}

fn payload(line: &[u8]) -> Option<&[u8]> {
    let told = line.strip_prefix(DATA)?.trim_ascii();
    told.starts_with(BEGINS).then_some(told)
}
