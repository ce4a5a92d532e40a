//! `ostia init`: a first ostia.yaml, from flags or a few questions.

mod questions;
mod template;

use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use ostia_providers::Providers;

/// Where the gateway listens where nobody says.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);
/// The file that stands for the standard output.
const STDOUT: &str = "-";

/// Options of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// A provider: its id, or ID=BASE_URL for a server of your own. More than once for several.
    #[arg(long, short, value_name = "ID[=URL]")]
    pub provider: Vec<String>,
    /// Where clients connect. Beyond this machine they have to show a key.
    #[arg(long, short, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The file to write; - prints it.
    #[arg(long, short, value_name = "FILE", default_value = "ostia.yaml")]
    pub output: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    pub force: bool,
    /// Ask nothing: whatever no flag says is taken from the environment.
    #[arg(long, short)]
    pub yes: bool,
}

/// What was decided.
#[derive(Debug, PartialEq, Eq)]
struct Choices {
    listen: SocketAddr,
    providers: Vec<Chosen>,
}

/// A provider that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    id: String,
    /// Where it is, where that is not known or not meant.
    base_url: Option<String>,
}

/// Writes the file. Gives what to say about it.
///
/// # Errors
/// A provider that nobody knows, or a file that cannot be written or is there already.
pub fn run(options: &Init) -> Result<String, String> {
    let to_stdout = options.output == Path::new(STDOUT);
    // Before anything is asked: the answers would be lost.
    if !to_stdout && !options.force && options.output.exists() {
        return Err(there_already(&options.output));
    }
    let choices = choose(options)?;
    let text = template::render(&choices);
    if to_stdout {
        return Ok(text);
    }
    write(&options.output, &text, options.force)?;
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Ok(template::next_steps(&choices, &options.output, &is_set))
}

fn choose(options: &Init) -> Result<Choices, String> {
    let flagged: Vec<Chosen> = options.provider.iter().map(|word| parse(word)).collect::<Result<_, _>>()?;
    let defaults = Choices {
        listen: options.listen.unwrap_or(LISTEN),
        providers: if flagged.is_empty() { of_environment() } else { flagged },
    };
    let (input, output) = (std::io::stdin(), std::io::stderr());
    let asks = !options.yes && options.provider.is_empty() && input.is_terminal() && output.is_terminal();
    if !asks {
        return Ok(defaults);
    }
    questions::ask(defaults, options.listen.is_none(), &mut input.lock(), &mut output.lock())
        .map_err(|error| format!("Cannot ask: {error}."))
}

/// The providers that this environment has keys for.
fn of_environment() -> Vec<Chosen> {
    let is_set = |name: &String| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let ready = Providers::builtin().iter().filter(|provider| provider.key_env.iter().any(is_set));
    // One that has no address of its own has to be named, with one.
    let ready = ready.filter(|provider| provider.base_url.is_some());
    ready.map(|provider| Chosen { id: provider.id.clone(), base_url: None }).collect()
}

/// `ID` or `ID=URL`.
fn parse(word: &str) -> Result<Chosen, String> {
    let (name, url) = word.split_once('=').map_or((word, None), |(name, url)| (name, Some(url)));
    let (name, base_url) = (name.trim().trim_start_matches('@'), url.map(|url| url.trim().to_owned()));
    match (Providers::builtin().get(name), &base_url) {
        (Some(known), None) if known.base_url.is_none() => {
            Err(format!("`{name}` has no address that everybody shares: say {name}=https://where-yours-is."))
        }
        (Some(known), _) => Ok(Chosen { id: known.id.clone(), base_url }),
        (None, Some(_)) if is_id(name) => Ok(Chosen { id: name.to_owned(), base_url }),
        (None, Some(_)) => Err(format!("`{name}` cannot be an id: use small letters, digits, - and _.")),
        (None, None) => {
            let known = Providers::builtin().iter().map(|provider| provider.id.as_str());
            let near = ostia_routing::nearest(name, known);
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            Err(format!(
                "There is no provider `{name}`.{near} `ostia providers` lists all; a server of your own is {name}=URL."
            ))
        }
    }
}

fn is_id(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    !name.is_empty() && name.chars().all(fits)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), String> {
    let mut open = OpenOptions::new();
    open.write(true);
    match force {
        true => open.create(true).truncate(true),
        false => open.create_new(true),
    };
    let fault = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there_already(path),
        _ => format!("Cannot write {}: {error}.", path.display()),
    };
    open.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(fault)
}

fn there_already(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path} is there already and stays as it is. --force writes over it, --output FILE writes another one."
    )
}

#[cfg(test)]
mod tests;
