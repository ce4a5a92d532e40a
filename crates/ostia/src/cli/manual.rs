//! `ostia completions` and `ostia man`: what follows from the command line itself.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell.
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// A folder for the pages of `ostia` and of each subcommand. Without it the first is printed.
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

/// The script for a shell.
pub fn completions(options: &Completions) -> String {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "ostia", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The page, or nothing once all pages were written.
///
/// # Errors
/// The folder cannot be written to.
pub fn man(options: &Man) -> Result<String, String> {
    let pages = || -> io::Result<Vec<u8>> {
        let mut page = Vec::new();
        match &options.output {
            None => clap_mangen::Man::new(Cli::command()).render(&mut page)?,
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                clap_mangen::generate_to(Cli::command(), folder)?;
            }
        }
        Ok(page)
    };
    let page = pages().map_err(|error| match &options.output {
        Some(folder) => format!("Cannot write to {}: {error}.", folder.display()),
        None => error.to_string(),
    })?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
