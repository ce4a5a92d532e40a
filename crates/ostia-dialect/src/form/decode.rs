//! A form from its bytes, however they are cut.

use memchr::memmem;

use super::{Content, FIELDS_BYTES_MAX, File, Form, PARTS_MAX, Part, Piece};
use crate::{Fault, FaultKind};

/// Reads a form as it comes.
#[derive(Debug)]
pub struct Decoder {
    /// Line end and boundary, which end a part.
    delimiter: Vec<u8>,
    /// What has come and is not understood yet.
    buffer: Vec<u8>,
    /// As much of it has been searched: what comes in many small pieces is searched once.
    searched: usize,
    state: State,
    form: Form,
    /// The head of the part that is being read.
    head: Vec<u8>,
    /// What of the form is not the contents of files, in bytes.
    kept_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Opening,
    /// Behind a boundary: another part, or the end.
    Boundary,
    Head,
    Text,
    File,
    /// Behind the last boundary.
    Closing,
}

impl Decoder {
    /// One for a form with this boundary.
    pub fn new(boundary: &str) -> Decoder {
        Decoder {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first boundary may stand at the very beginning: as if a line had ended before it.
            buffer: b"\r\n".to_vec(),
            searched: 0,
            state: State::Opening,
            form: Form { boundary: boundary.to_owned(), ..Form::default() },
            head: Vec::new(),
            kept_bytes: 0,
        }
    }

    /// Takes bytes that have come. What they hold of files goes to `file`, in their order, with the file's index.
    ///
    /// # Errors
    /// 400 for what is no form, 413 for fields beyond [`FIELDS_BYTES_MAX`].
    pub fn push(&mut self, bytes: &[u8], file: &mut dyn FnMut(usize, &[u8])) -> Result<(), Fault> {
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let taken = self.step(at, file)?;
            if taken == 0 {
                break;
            }
            at += taken;
            self.searched = at;
        }
        self.buffer.drain(..at);
        self.searched = self.buffer.len();
        if self.kept_bytes + self.unread_bytes() > FIELDS_BYTES_MAX {
            return Err(too_large());
        }
        Ok(())
    }

    /// What there is of the form by now.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Is a file on its way?
    pub fn is_in_file(&self) -> bool {
        self.state == State::File
    }

    /// The form up to the file that is on its way, which begins with what has come of its part; whatever has come of its contents is
    /// not in it.
    pub fn into_beginning(mut self) -> Form {
        self.form.is_partial = true;
        self.form
    }

    /// The whole form.
    ///
    /// # Errors
    /// 400 for one that is cut off.
    pub fn finish(mut self) -> Result<Form, Fault> {
        match self.state {
            State::Closing => {
                let rest = std::mem::take(&mut self.buffer);
                self.keep(&rest);
                // The line end that was put before the first boundary.
                if let Some(Piece::Bytes(first)) = self.form.pieces.first_mut() {
                    first.drain(..2);
                }
                Ok(self.form)
            }
            State::Opening => {
                let message = "The body has no part with the boundary that its content type names: it is no form, or the header \
                               names another boundary.";
                Err(invalid(message))
            }
            State::Boundary | State::Head | State::Text | State::File => {
                Err(invalid("The form is cut off: its last boundary (`--WORD--`) is missing."))
            }
        }
    }

    /// What waits to be understood, and will be kept.
    fn unread_bytes(&self) -> usize {
        if self.state == State::File { 0 } else { self.buffer.len() }
    }

    /// Understands one thing behind `at`, and says how many bytes it was; 0: more have to come.
    fn step(&mut self, at: usize, file: &mut dyn FnMut(usize, &[u8])) -> Result<usize, Fault> {
        let rest = &self.buffer[at..];
        let (kept, state) = match self.state {
            State::Opening => match self.find(at, &self.delimiter) {
                Some(found) => (found + self.delimiter.len(), State::Boundary),
                None => return Ok(0),
            },
            State::Boundary => match behind_boundary(rest)? {
                Some(found) => found,
                None => return Ok(0),
            },
            State::Head => match self.find(at, b"\r\n\r\n") {
                Some(found) => {
                    self.head = rest[..found].to_vec();
                    (found + 4, self.begin_part()?)
                }
                None => return Ok(0),
            },
            State::Text => match self.find(at, &self.delimiter) {
                Some(found) => {
                    let text = std::str::from_utf8(&rest[..found]).map(str::to_owned);
                    let kept = found + self.delimiter.len();
                    self.end_text(text.ok())?;
                    (kept, State::Boundary)
                }
                None => return Ok(0),
            },
            State::File => return Ok(self.pass_file(at, file)),
            State::Closing => return Ok(0),
        };
        let bytes = self.buffer[at..at + kept].to_vec();
        self.keep(&bytes);
        self.state = state;
        if state == State::File {
            let index = self.form.files().count().saturating_sub(1);
            self.form.pieces.push(Piece::File(index));
        }
        Ok(kept)
    }

    /// Where this stands behind `at`.
    fn find(&self, at: usize, wanted: &[u8]) -> Option<usize> {
        let from = at.max((self.searched + 1).saturating_sub(wanted.len()));
        memmem::find(&self.buffer[from..], wanted).map(|found| from + found - at)
    }

    /// The contents of a file, up to its end or to where its end may begin.
    fn pass_file(&mut self, at: usize, file: &mut dyn FnMut(usize, &[u8])) -> usize {
        let rest = &self.buffer[at..];
        let found = memmem::find(rest, &self.delimiter);
        let content = found.unwrap_or_else(|| (rest.len() + 1).saturating_sub(self.delimiter.len()));
        let Some(Content::File(own)) = self.form.parts.last_mut().map(|part| &mut part.content) else {
            return 0;
        };
        own.bytes += content as u64;
        if content > 0 {
            file(own.index, &rest[..content]);
        }
        if found.is_none() {
            return content;
        }
        let delimiter = self.delimiter.clone();
        self.keep(&delimiter);
        self.state = State::Boundary;
        content + delimiter.len()
    }

    fn begin_part(&mut self) -> Result<State, Fault> {
        if self.form.parts.len() >= PARTS_MAX {
            return Err(invalid(&format!("The form has more than {PARTS_MAX} parts.")));
        }
        let head = std::str::from_utf8(&self.head).map_err(|_| {
            invalid("The head of a part of the form is not in UTF-8 (RFC 7578, section 5.1).")
        })?;
        let Disposition { name, file } = disposition(head)?;
        let is_file = file.is_some();
        let index = self.form.files().count();
        let content = match file {
            Some(name) => Content::File(File { index, name, media: media(head), bytes: 0 }),
            None => Content::Text(String::new()),
        };
        self.form.parts.push(Part { name, head: std::mem::take(&mut self.head), content });
        self.form.check_names()?;
        Ok(if is_file { State::File } else { State::Text })
    }

    fn end_text(&mut self, text: Option<String>) -> Result<(), Fault> {
        let Some(part) = self.form.parts.last_mut() else { return Ok(()) };
        let Some(text) = text else {
            let message = format!("The field `{}` is not in UTF-8; a file needs a filename.", part.name);
            return Err(Fault::invalid(message).with_param(&*part.name).with_code("form_invalid"));
        };
        part.content = Content::Text(text);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.kept_bytes += bytes.len();
        match self.form.pieces.last_mut() {
            Some(Piece::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.form.pieces.push(Piece::Bytes(bytes.to_vec())),
        }
    }
}

/// What stands behind a boundary: `--` for the end, or the end of its line; blanks may stand before it.
fn behind_boundary(rest: &[u8]) -> Result<Option<(usize, State)>, Fault> {
    match rest {
        [b'-', b'-', ..] => return Ok(Some((2, State::Closing))),
        [] | [b'-'] => return Ok(None),
        _ => {}
    }
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match &rest[blanks..] {
        [] | [b'\r'] => Ok(None),
        // The head's own fields stand behind the line end, and its end is a blank line: a part without a head is none.
        [b'\r', b'\n', ..] => Ok(Some((blanks + 2, State::Head))),
        _ => {
            Err(invalid("A line of the form begins with its boundary and goes on: choose another boundary."))
        }
    }
}

struct Disposition {
    name: String,
    file: Option<String>,
}

/// `form-data; name="..."; filename="..."`
fn disposition(head: &str) -> Result<Disposition, Fault> {
    let missing = || invalid("A part of the form has no `Content-Disposition: form-data; name=\"...\"`.");
    let value = field(head, "content-disposition").ok_or_else(missing)?;
    let (mut name, mut file) = (None, None);
    for (parameter, text) in parameters(value) {
        match parameter.to_ascii_lowercase().as_str() {
            "name" => name = Some(text),
            "filename" => file = Some(text),
            // Some libraries send it beside the other, or in its place (RFC 7578, section 4.2, does not want it).
            "filename*" if file.is_none() => file = Some(text),
            _ => {}
        }
    }
    Ok(Disposition { name: name.filter(|name| !name.is_empty()).ok_or_else(missing)?, file })
}

/// The media type of a part, if it can stand in a header.
fn media(head: &str) -> Option<String> {
    let media = field(head, "content-type")?;
    media.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()).then(|| media.to_owned())
}

fn field<'h>(head: &'h str, wanted: &str) -> Option<&'h str> {
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

/// The parameters of a header field. In quotes a semicolon is none, and a backslash before a quote or another one hides it.
fn parameters(value: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find(';') {
        rest = rest[start + 1..].trim_start();
        let Some((name, value)) = rest.split_once('=') else { break };
        let (text, left) = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim().to_owned(), &value[end..])
            }
        };
        found.push((name.trim(), text));
        rest = left;
    }
    found
}

fn unquoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (out, &text[at + 1..]),
            '\\' if text[at + 1..].starts_with(['"', '\\']) => {
                out.extend(characters.next().map(|(_, hidden)| hidden));
            }
            other => out.push(other),
        }
    }
    (out, "")
}

fn invalid(message: &str) -> Fault {
    Fault::invalid(message).with_param("body").with_code("form_invalid")
}

fn too_large() -> Fault {
    let message = format!(
        "The fields of the form, files left out, are larger than {FIELDS_BYTES_MAX} bytes; a file needs a filename."
    );
    Fault::new(FaultKind::TooLarge, message).with_code("body_too_large")
}
