//! `cargo xtask docs`: the documentation that follows from the code.

use std::path::PathBuf;

use crate::tool;

const HELP: &str = "\
cargo xtask docs [--check]

Writes docs/providers.md from crates/ostia-providers/providers.yaml.
--check writes nothing, and fails where the file is not what it would be.";

/// What stands above the table.
const HEAD: &str = "\
# Providers

<!-- Written by `cargo xtask docs` from crates/ostia-providers/providers.yaml. Change the row there. -->

Name a provider by its id or one of its other names: in the header `x-ostia-provider` (or `x-portkey-provider`),
in the model (`@groq/llama-3.3-70b-versatile`), or as `default_provider` in `ostia.yaml`.

*Base URL* says \"(yours)\" where every user has a server of their own: give it in `x-ostia-custom-host`, or as
`base_url` in `ostia.yaml`. *Key* is the environment variable that is read on a loopback listener; `ostia.yaml`
may name any other.

*Offers* are the APIs that the provider has. `chat` is OpenAI Chat Completions, relayed byte for byte. `messages`
(Anthropic), `gemini` and `cohere chat` are translated for Chat Completions clients. `embeddings` are reached with
OpenAI's embeddings API. `responses`, `messages` and `token count` are relayed to providers that have them under the
same path. All other offers, and everything of providers with \"proxy only\", are reached by raw pass-through
(see [headers.md](headers.md)): the gateway adds the key and changes nothing.

";

/// Writes or checks.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => write(),
        [word] if word == "--check" => check(),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("docs does not take {arguments:?}\n\n{HELP}")),
    }
}

fn write() -> Result<(), String> {
    let (path, text) = (path(), generate()?);
    std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    println!("{} is up to date.", path.display());
    Ok(())
}

/// Is the file what `write` would make of it?
pub fn check() -> Result<(), String> {
    let path = path();
    let there =
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if there == generate()? {
        return Ok(());
    }
    Err("docs/providers.md is not what crates/ostia-providers/providers.yaml says: run `cargo xtask docs`"
        .into())
}

fn path() -> PathBuf {
    tool::root().join("docs/providers.md")
}

fn generate() -> Result<String, String> {
    let mut command =
        tool::cargo(&["run", "--quiet", "--locked", "--package", "ostia", "--", "providers", "--markdown"]);
    // There is no ostia.yaml in this folder: only the rows that come with the program count.
    command.current_dir(tool::root().join("docs")).env_remove("OSTIA_CONFIG");
    Ok(format!("{HEAD}{}", tool::read(command)?))
}
