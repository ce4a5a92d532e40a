//! `ostia import`: the file goes to standard output, what became of each of its fields to standard error.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ostia_config::import::{self, Imported, Verdict};
use ostia_dialect::json::{Json, Writer};

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Whose file it is.
    #[arg(value_enum)]
    pub from: From,
    /// LiteLLM's config.yaml, or a routing config of Portkey's.
    pub file: PathBuf,
    /// Print one JSON object instead, with the file as `text` and the verdicts.
    #[arg(long)]
    pub json: bool,
}

/// Another gateway.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum From {
    /// LiteLLM's proxy.
    Litellm,
    /// Portkey's gateway.
    Portkey,
}

impl Import {
    /// Translates and prints.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn run(&self) -> Result<(), String> {
        let name = self.file.display();
        let text = read(&self.file).map_err(|error| format!("{name}: {error}"))?;
        let imported = match self.from {
            From::Litellm => import::litellm(&text),
            From::Portkey => import::portkey(&text),
        };
        let imported = imported.map_err(|problem| format!("{name}: {problem}"))?;
        let out = if self.json { as_json(&imported) } else { imported.text.clone() };
        io::stdout().write_all(out.as_bytes()).map_err(|error| error.to_string())?;
        if self.json {
            return Ok(());
        }
        let verdicts: String = imported.verdicts.iter().map(line).collect();
        io::stderr().write_all(verdicts.as_bytes()).map_err(|error| error.to_string())
    }
}

/// `-` is standard input.
fn read(path: &Path) -> io::Result<String> {
    if path.as_os_str() == "-" { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) }
}

fn line(verdict: &Verdict) -> String {
    let Verdict { path, carried, note } = verdict;
    let note = if note.is_empty() { String::new() } else { format!(": {note}") };
    format!("{:<11}  {path}{note}\n", carried.as_str())
}

fn as_json(imported: &Imported) -> String {
    let json = Json::build(|w| {
        w.object(|w| {
            w.field_str("text", &imported.text);
            w.field_array("verdicts", |w| imported.verdicts.iter().for_each(|verdict| write(verdict, w)));
        });
    });
    format!("{}\n", json.as_str())
}

fn write(verdict: &Verdict, w: &mut Writer) {
    w.object(|w| {
        w.field_str("path", &verdict.path);
        w.field_str("verdict", verdict.carried.as_str());
        w.field_str("note", &verdict.note);
    });
}
