//! What the model says to a client that has no tools but edits files by what stands in the text: aider's blocks of text to find
//! and text to put there (<https://aider.chat/docs/more/edit-formats.html#diff>).

use ostia_testkit::model::{Told, Turn};
use ostia_testkit::strict::Refusal;

use super::script::{HISTORY_MIN, REPORT, WORDS, require, said};

const TASK: &str = "Let weather.py know Oslo.";
/// What the file says at first.
const WEATHER: &str = r#"KNOWN = {"Rome": "21 C"}"#;
/// What aider says of a block that fits nothing.
const MISFIT: &str = "failed to match";
/// What the test says that aider runs behind an edit.
const FAILURE: &str = "Oslo has 8 C";

/// The answer, if this is the task of whoever edits by text: a block that fits nothing, one after which the test fails, and
/// one that is right.
///
/// # Errors
/// Where something that matters has not reached the model.
pub(super) fn turn(whole: &[Told]) -> Result<Option<Turn>, Refusal> {
    let asked = whole.iter().rposition(|piece| matches!(piece, Told::User(text) if text.contains(TASK)));
    let Some(asked) = asked else { return Ok(None) };
    let numbers = whole[..asked]
        .iter()
        .filter(|piece| matches!(piece, Told::User(text) if text.starts_with("Number ")));
    require(numbers.count() >= HISTORY_MIN, "the history")?;
    let told = &whole[asked..];
    let heard =
        |words: &str| told.iter().any(|piece| matches!(piece, Told::User(text) if text.contains(words)));
    let (misfit, failure) = (heard(MISFIT), heard(FAILURE));
    require(misfit || !failure, "the block that fits nothing")?;
    require(!misfit || said(told).contains(WORDS), "the model's own words")?;
    let known = |oslo: &str| format!(r#"KNOWN = {{"Rome": "21 C", "Oslo": "{oslo}"}}"#);
    let text = match (misfit, failure) {
        (false, _) => format!("{WORDS}\n\n{}", block("KNOWN = {}", &known("8 C"))),
        (true, false) => block(WEATHER, &known("8 C")),
        (true, true) => format!("{}\n{REPORT}", block(&known("8 C"), &known("9 C"))),
    };
    Ok(Some(Turn { text: Some(text), ..Turn::default() }))
}

fn block(find: &str, put: &str) -> String {
    format!("weather.py\n```python\n<<<<<<< SEARCH\n{find}\n=======\n{put}\n>>>>>>> REPLACE\n```\n")
}
