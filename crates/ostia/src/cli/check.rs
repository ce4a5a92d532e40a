//! `ostia check`: everything that is wrong with a file, in one run.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use ostia_config::Report;

use super::{File, shown};
use crate::config::load::{self, Secrets};

/// Options of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Check {
    /// Which file.
    #[command(flatten)]
    pub file: File,
    /// Print an array of problems as JSON: code, severity, file, path, line, column, message, hint.
    #[arg(long)]
    pub json: bool,
    /// Let warnings fail too.
    #[arg(long)]
    pub strict: bool,
    /// Do not look up credentials: for machines that do not have them.
    #[arg(long)]
    pub no_secrets: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the file is good; there may be warnings
  1  there are errors, or warnings with --strict
  2  the command line is wrong";

impl Check {
    /// Reports, and says by its exit code what came of it.
    pub fn run(&self) -> ExitCode {
        let secrets = if self.no_secrets { Secrets::Ignored } else { Secrets::Wanted };
        let (name, report) = match load::check(self.file.config.as_deref(), None, secrets) {
            Ok(loaded) => (loaded.name, loaded.report),
            Err(report) => (String::new(), *report),
        };
        self.print(&name, &report);
        match report.counts() {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) if !self.strict => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    /// Problems go to stderr, what programs read and the good news to stdout.
    fn print(&self, name: &str, report: &Report) {
        // Nobody may be listening; the exit code tells all the same.
        let _ = if self.json {
            writeln!(std::io::stdout(), "{:#}", report.json())
        } else if report.problems().is_empty() {
            writeln!(std::io::stdout(), "{name}: no problems.")
        } else {
            write!(std::io::stderr(), "{}", shown(report))
        };
    }
}
