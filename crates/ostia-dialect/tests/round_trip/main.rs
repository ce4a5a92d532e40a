//! Round trips of the translators: what is said in one dialect is said in every other, and comes back.
//!
//! [`identity`]: a dialect understands what it writes itself. [`pairs`]: what one client dialect says arrives
//! in another, or is reported as lost. [`answers`]: a client's answer is read again as what the hub held.
//! [`memory`]: what a vendor wants to see again comes back through a client of any dialect. [`strict`]: what Bedrock is told
//! keeps its rules. What is allowed
//! to differ, and why, stands in [`normal`] (what is said), [`adapted`] (what is asked for) and [`told`]
//! (answers), and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapted;
mod answers;
mod clients;
mod conversations;
mod identity;
mod memory;
mod normal;
mod pairs;
mod settings;
mod strict;
mod told;
mod transcript;
mod words;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// Every property runs so many times less often than `PROPTEST_CASES` (256 by default) asks for.
const CASES_DIVISOR: u32 = 4;

/// Runs a property over many values. A case that fails becomes a named test, so nothing is written to files.
fn holds<S: proptest::strategy::Strategy>(
    values: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config::default();
    let cases = (config.cases / CASES_DIVISOR).max(1);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..config });
    match runner.run(values, property) {
        Ok(()) => {}
        Err(TestError::Fail(why, value)) => panic!("{why}\n{value:?}"),
        Err(aborted @ TestError::Abort(_)) => panic!("{aborted}"),
    }
}
