//! Whole messages of a provider, for whoever keeps an account of what a session cost. They pass meanwhile: nobody waits.

use ostia_dialect::realtime::Spent;

/// Longest message that is looked at, in bytes. Those that count tokens hold the whole answer, but no audio.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Looks at text messages.
#[derive(Debug, Default)]
pub struct Observer {
    /// What it all cost so far.
    spent: Spent,
    is_watched: bool,
    /// What has come of a message that comes in pieces.
    message: Vec<u8>,
}

impl Observer {
    /// What it all cost so far.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// A message begins.
    pub fn begin(&mut self, is_text: bool) {
        self.message.clear();
        self.is_watched = is_text;
    }

    /// The next content of the message under way.
    pub fn content(&mut self, content: &[u8], is_end: bool) {
        if !self.is_watched {
            return;
        }
        if self.message.is_empty() && is_end {
            // Most come in one piece.
            self.spent.message(content);
            return;
        }
        if self.message.len() + content.len() > MESSAGE_BYTES_MAX {
            // Its memory is not kept either.
            (self.is_watched, self.message) = (false, Vec::new());
            return;
        }
        self.message.extend_from_slice(content);
        if is_end {
            self.spent.message(&std::mem::take(&mut self.message));
        }
    }
}
