//! JSON whose end was cut off, made whole: what was open is closed, and what was begun but says nothing yet is left out.

/// Bytes of a string's end in which an escape may be incomplete: two halves of a surrogate pair.
const ESCAPE_BYTES_MAX: usize = 12;

/// The same with its end; `None` where it does not begin as an object or an array.
pub(super) fn completed(text: &[u8]) -> Option<Vec<u8>> {
    let mut scan = Scan::default();
    for (at, byte) in text.iter().enumerate() {
        scan.step(at, *byte);
    }
    match scan.string {
        // The words of a text that were there are worth being compared.
        Some(_) if scan.is_value => {
            let mut whole = trimmed(text, scan.string_from).to_vec();
            whole.push(b'"');
            Some(closed(whole, &scan.open))
        }
        _ => {
            let (at, depth) = scan.safe?;
            Some(closed(text[..at].to_vec(), scan.open.get(..depth)?))
        }
    }
}

/// What is known on the way through.
#[derive(Default)]
struct Scan {
    /// What closes what is open.
    open: Vec<u8>,
    /// In a string; `true`: the next byte is escaped.
    string: Option<bool>,
    /// Where the last one begins.
    string_from: usize,
    /// What comes, or is there, is a value and not a name.
    is_value: bool,
    /// The end of what is whole, and how much was open there: what is open since then stands behind that.
    safe: Option<(usize, usize)>,
}

impl Scan {
    fn step(&mut self, at: usize, byte: u8) {
        if let Some(is_escaped) = self.string {
            self.string = match byte {
                _ if is_escaped => Some(false),
                b'\\' => Some(true),
                b'"' => None,
                _ => Some(false),
            };
            return;
        }
        match byte {
            b'"' => (self.string, self.string_from) = (Some(false), at + 1),
            b'{' | b'[' => {
                self.open.push(if byte == b'{' { b'}' } else { b']' });
                self.is_value = byte == b'[';
                self.safe = Some((at + 1, self.open.len()));
            }
            b'}' | b']' => {
                self.open.pop();
                self.is_value = true;
                self.safe = Some((at + 1, self.open.len()));
            }
            b',' => {
                self.safe = Some((at, self.open.len()));
                self.is_value = self.open.last() == Some(&b']');
            }
            b':' => self.is_value = true,
            _ => {}
        }
    }
}

/// What ends in the middle of a string that begins there, without a character or an escape that is not whole.
fn trimmed(text: &[u8], string_from: usize) -> &[u8] {
    let text = match std::str::from_utf8(text) {
        Ok(whole) => whole.as_bytes(),
        Err(error) => &text[..error.valid_up_to()],
    };
    let from = text.len().saturating_sub(ESCAPE_BYTES_MAX).max(string_from).min(text.len());
    match text[from..].iter().position(|byte| *byte == b'\\') {
        // The first of two backslashes may itself be escaped: what stands before all of them is whole.
        Some(at) => {
            let run = text[string_from..from + at].iter().rev().take_while(|byte| **byte == b'\\').count();
            &text[..from + at - run]
        }
        None => text,
    }
}

fn closed(mut text: Vec<u8>, open: &[u8]) -> Vec<u8> {
    text.extend(open.iter().rev());
    text
}
