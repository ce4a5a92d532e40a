//! All tests, by cargo-nextest where it is installed, else by `cargo test`; and what the runner counted.

use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use crate::{agents, clients, packages, tool};

/// Half of what a test takes is waiting: for times to be over, and for one another's servers.
const TESTS_PER_CORE: usize = 2;

/// Runs the tests.
///
/// # Errors
/// The runner's own summary, where it came to one.
pub fn run() -> Result<String, String> {
    let nextest = tool::works(tool::cargo(&["nextest", "--version"]));
    let at_once = available_parallelism().map_or(1, NonZero::get) * TESTS_PER_CORE;
    let at_once = at_once.to_string();
    let mut command = match nextest {
        true => tool::cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--test-threads",
            &at_once,
        ]),
        false => tool::cargo(&["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]),
    };
    command.current_dir(tool::root());
    if let Some(python) = clients::installed() {
        command.env(clients::VARIABLE, python);
    }
    if let Some(folder) = agents::installed() {
        command.env(agents::VARIABLE, folder);
    }
    if let Some(folder) = packages::installed() {
        command.env(packages::VARIABLE, folder);
    }
    let (good, lines) = follow(command, nextest)?;
    let summary = if nextest { lines.join("\n") } else { total(&lines) };
    match (good, summary.is_empty()) {
        (true, false) => Ok(summary),
        (true, true) => Err("the test runner ended well and counted nothing".into()),
        (false, false) => Err(summary),
        (false, true) => Err("the tests did not come to an end".into()),
    }
}

/// Runs the command, shows what it prints, and keeps the lines that count: nextest writes them to stderr,
/// `cargo test` to stdout.
fn follow(mut command: Command, nextest: bool) -> Result<(bool, Vec<String>), String> {
    let line = tool::line(&command);
    let fault = |error: std::io::Error| format!("`{line}`: {error}");
    match nextest {
        true => command.stderr(Stdio::piped()),
        false => command.stdout(Stdio::piped()),
    };
    let mut child = command.spawn().map_err(fault)?;
    let lines = match (child.stdout.take(), child.stderr.take()) {
        (Some(output), _) => kept(output, |line| line.starts_with("test result: ")),
        (None, Some(output)) => kept(output, |line| line.trim_start().starts_with("Summary [")),
        (None, None) => Vec::new(),
    };
    let status = child.wait().map_err(fault)?;
    Ok((status.success(), lines))
}

fn kept(output: impl Read, counts: fn(&str) -> bool) -> Vec<String> {
    let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .inspect(|line| println!("{line}"))
        .filter(|line| counts(line))
        .collect()
}

/// One line for those of all test programs: `test result: ok. 3 passed; 0 failed; 1 ignored`.
fn total(lines: &[String]) -> String {
    let sum = |word: &str| -> u64 { lines.iter().map(|line| number_before(line, word)).sum() };
    if lines.is_empty() {
        return String::new();
    }
    let (passed, failed, ignored) = (sum(" passed"), sum(" failed"), sum(" ignored"));
    let word = if failed == 0 { "ok" } else { "FAILED" };
    format!("test result: {word}. {passed} passed; {failed} failed; {ignored} ignored")
}

fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().filter(|before| before.len() < line.len()).unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn lines_of_several_programs_are_added_up() {
        let check = |lines: &[&str], expected: &str| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(total(&lines), expected);
        };
        let first =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        let second = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        check(&[], "");
        check(&[first], "test result: ok. 12 passed; 0 failed; 1 ignored");
        check(&[first, second], "test result: FAILED. 15 passed; 2 failed; 1 ignored");
    }

    #[test]
    fn only_lines_that_count_are_kept() {
        let output = b"a\n     Summary [   0.1s] 2 tests run: 2 passed, 0 skipped\nb\xff\n" as &[u8];
        let lines = kept(output, |line| line.trim_start().starts_with("Summary ["));
        assert_eq!(lines, ["     Summary [   0.1s] 2 tests run: 2 passed, 0 skipped"]);
    }
}
