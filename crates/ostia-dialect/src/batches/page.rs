//! Rows from pages, however their bytes are cut: a page is an object that holds a list of rows, and where the next one is. A page may be
//! longer than memory allows; its longest row may not.

use super::RESULT_BYTES_MAX;
use crate::Fault;
use crate::json::Document;

/// What a page calls its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFields {
    /// The list of rows.
    pub list: &'static str,
    /// The text that the next page is asked for by; nothing, `null` or an empty one: it is the last.
    pub next: &'static str,
}

/// Longest field beside the list that is looked at, in bytes. One that is longer is no text for the next page.
const FIELD_BYTES_MAX: usize = 16 << 10;

/// Cuts a page into its rows while its bytes come.
#[derive(Debug)]
pub struct Page {
    fields: PageFields,
    /// How many objects and lists are open.
    depth: usize,
    /// The list of rows is open.
    is_in_list: bool,
    /// A text is open, and whether its next character stands for itself.
    text: Option<bool>,
    /// What has come of a row, or of a field beside the list without what is inside it.
    piece: Vec<u8>,
    /// What the next page is asked for by.
    next: Option<String>,
    /// It has ended.
    is_over: bool,
}

/// Where rows and fields stand: in the object, and in its list.
const FIELDS_DEPTH: usize = 1;
const ROWS_DEPTH: usize = 2;

impl Page {
    /// A page with these fields.
    pub fn new(fields: PageFields) -> Page {
        let piece = Vec::new();
        Page { fields, depth: 0, is_in_list: false, text: None, piece, next: None, is_over: false }
    }

    /// Takes bytes that have come, and gives each row that they end.
    ///
    /// # Errors
    /// What `each` says; or 502 for what is no page, and for a row that is longer than [`RESULT_BYTES_MAX`].
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        bytes.iter().try_for_each(|byte| self.take(*byte, each))
    }

    /// The page has ended: what the next one is asked for by.
    ///
    /// # Errors
    /// 502 for a page that is not whole.
    pub fn finish(self) -> Result<Option<String>, Fault> {
        match self.is_over {
            true => Ok(self.next),
            false => Err(Fault::upstream("A page of the provider's results is not whole.")),
        }
    }

    fn take(&mut self, byte: u8, each: &mut impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        if let Some(is_escaped) = self.text {
            self.text = match byte {
                b'"' if !is_escaped => None,
                byte => Some(byte == b'\\' && !is_escaped),
            };
            return self.collect(byte);
        }
        match byte {
            b'"' => {
                self.text = Some(false);
                self.collect(byte)
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => self.close(byte, each),
            b',' if self.is_between() => self.end_piece(each),
            byte if byte.is_ascii_whitespace() && self.piece.is_empty() => Ok(()),
            _ if self.depth == 0 => Err(no_page()),
            byte => self.collect(byte),
        }
    }

    fn open(&mut self, byte: u8) -> Result<(), Fault> {
        if self.is_over || (self.depth == 0 && byte == b'[') {
            return Err(no_page());
        }
        self.depth += 1;
        if self.depth == FIELDS_DEPTH {
            return Ok(());
        }
        if self.depth == ROWS_DEPTH && !self.is_in_list && byte == b'[' && self.is_named(self.fields.list) {
            self.is_in_list = true;
            self.piece.clear();
            return Ok(());
        }
        self.collect(byte)
    }

    fn close(&mut self, byte: u8, each: &mut impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.is_between() {
            self.end_piece(each)?;
            match self.is_in_list {
                true => self.is_in_list = false,
                false => self.is_over = true,
            }
            self.depth -= 1;
            return Ok(());
        }
        self.collect(byte)?;
        self.depth = self.depth.checked_sub(1).ok_or_else(no_page)?;
        Ok(())
    }

    /// Does what comes stand between two rows, or between two fields?
    fn is_between(&self) -> bool {
        self.depth == if self.is_in_list { ROWS_DEPTH } else { FIELDS_DEPTH }
    }

    /// Keeps a byte of a row; of a field beside the list what is no part of something inside it.
    fn collect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.is_in_list {
            self.piece.push(byte);
            return match self.piece.len() <= RESULT_BYTES_MAX {
                true => Ok(()),
                false => Err(Fault::upstream("A row of the provider's results is too long.")),
            };
        }
        if self.depth == FIELDS_DEPTH && self.piece.len() < FIELD_BYTES_MAX {
            self.piece.push(byte);
        }
        Ok(())
    }

    /// Does the field that has begun have this name?
    fn is_named(&self, name: &str) -> bool {
        let key = self.piece.trim_ascii_end().strip_suffix(b":").map(<[u8]>::trim_ascii);
        let key = key.and_then(|key| key.strip_prefix(b"\"")?.strip_suffix(b"\""));
        key == Some(name.as_bytes())
    }

    fn end_piece(&mut self, each: &mut impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut piece = std::mem::take(&mut self.piece);
        if self.is_in_list {
            match piece.trim_ascii() {
                [] => {}
                row => each(row)?,
            }
        } else if let Some(next) = self.next_in(&piece) {
            self.next = Some(next);
        }
        piece.clear();
        self.piece = piece;
        Ok(())
    }

    /// What the next page is asked for by, if this field says it.
    fn next_in(&self, field: &[u8]) -> Option<String> {
        let object = [b"{", field, b"}"].concat();
        let document = Document::parse_to(&object, 1).ok()?;
        let next = document.root().str(self.fields.next)?;
        (!next.is_empty()).then(|| next.into_owned())
    }
}

fn no_page() -> Fault {
    Fault::upstream("The provider's answer is no page of results.")
}
