//! `cargo xtask docs`: the documentation that follows from the code.

use std::process::Command;

use crate::tool;

const HELP: &str = "\
cargo xtask docs [--check]

Writes docs/providers.md from crates/ostia-providers/providers.yaml, docs/formats.md from what the translators do, and
docs/vendors.md from the tables of limits, schemas, models and failures.
--check writes nothing, and fails where a file is not what it would be.";

/// A page that one of our programs writes.
struct Page {
    path: &'static str,
    /// What stands above it.
    head: &'static str,
    /// The program.
    package: &'static str,
    /// What it is asked.
    words: &'static [&'static str],
    /// Where to change it.
    source: &'static str,
}

const PAGES: [Page; 3] = [
    Page {
        path: "docs/providers.md",
        head: PROVIDERS,
        package: "ostia",
        words: &["providers", "--markdown"],
        source: "crates/ostia-providers/providers.yaml",
    },
    Page {
        path: "docs/formats.md",
        head: FORMATS,
        package: "ostia-docs",
        words: &["formats"],
        source: "crates/ostia-docs/src/formats.rs",
    },
    Page {
        path: "docs/vendors.md",
        head: VENDORS,
        package: "ostia-docs",
        words: &["vendors"],
        source: "crates/ostia-docs/src/vendors.rs",
    },
];

const FORMATS: &str = "\
# Formats

<!-- Written by `cargo xtask docs`: crates/ostia-docs asks the translators. -->

An application speaks one of four formats, a provider one of eight. Every pair meets in one canonical conversation; this
is what arrives of each feature. *yes*: all of it. *as bytes*: all of it, once the gateway has fetched the file. *partly*: the
rest is reported. *dropped*: nothing, and it is reported. *400*: the request is refused. Empty: the client's format has no words for it. Reported means: in the
answer's header `x-ostia-dropped`, and refused with 400 where `lossless` is asked for.

Where both sides speak the same format and the provider needs no mending, nothing is translated: the bytes pass as
they are, and whatever the provider understands arrives. The rows below then count only for requests that look back on
what the gateway remembers. Some features depend on the model; here it is each vendor's that can do most.

";

const VENDORS: &str = "\
# Vendors

<!-- Written by `cargo xtask docs` from the tables that the program goes by. -->

What vendors and models take, and how they say that they fail. A request that is translated is made to fit this; what is
lost is reported in `x-ostia-dropped`. A request that is relayed loses only what its model is sure to refuse
([dialects.md](dialects.md)). Limits are those of the first vendor of each format; where another differs, its row in
`crates/ostia-providers/providers.yaml` says so, and yours may ([configuration.md](configuration.md#quirks)). Each entry
names where it can be read; if a vendor has changed, tell us or set it in the provider's row.

";

const PROVIDERS: &str = "\
# Providers

<!-- Written by `cargo xtask docs` from crates/ostia-providers/providers.yaml. Change the row there. -->

Name a provider by its id or one of its other names: in the header `x-ostia-provider` (or `x-portkey-provider`),
in the model (`@groq/llama-3.3-70b-versatile`), or as `default_provider` in `ostia.yaml`.

*Base URL* says \"(yours)\" where every user has a server of their own: give it in `x-ostia-custom-host`, or as
`base_url` in `ostia.yaml`. What stands in braces is a setting ([below](#settings)). *Key* is the environment variable that is read on a loopback listener; `ostia.yaml`
may name any other.

*Offers* are the APIs that the provider has. `chat`, `responses`, `messages`, `gemini`, `cohere chat`, `ollama chat` and `predictions` are formats of
conversations: a client of Chat Completions, Responses, Messages or generateContent reaches each of them, relayed byte
for byte where the formats agree and translated where not ([formats.md](formats.md)). `embeddings` are reached with
OpenAI's or Google's embeddings API, `rerank`, `moderation`, `ocr` and `images` as [apis.md](apis.md) says, `token count` with
Anthropic's, Google's or OpenAI's, `speech` and `transcription` with OpenAI's audio API ([audio.md](audio.md)). All other offers, and everything of providers with \"proxy only\", are reached by raw pass-through
(see [headers.md](headers.md)): the gateway adds the key and changes nothing.

A test (`crates/ostia/tests/it/provider_matrix.rs`) asks every provider of this list in all four formats of clients, whole and
streamed, and for embeddings, in front of a server that holds each request against the rules of its vendor's format.

";

/// Writes or checks.
pub fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => build().and_then(|()| write()),
        [word] if word == "--check" => build().and_then(|()| check()),
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("docs does not take {arguments:?}\n\n{HELP}")),
    }
}

/// With the features that the tests have too: for these packages alone, all that they lean on would be compiled anew.
fn build() -> Result<(), String> {
    let mut command = tool::cargo(&["build", "--workspace", "--all-targets", "--locked"]);
    command.current_dir(tool::root());
    tool::run(command)
}

fn write() -> Result<(), String> {
    for page in &PAGES {
        let (path, text) = (tool::root().join(page.path), generate(page)?);
        std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        println!("{} is up to date.", page.path);
    }
    Ok(())
}

/// Are the files what `write` would make of them? The programs have been built.
pub fn check() -> Result<(), String> {
    for page in &PAGES {
        let there = std::fs::read_to_string(tool::root().join(page.path))
            .map_err(|error| format!("cannot read {}: {error}", page.path))?;
        if there != generate(page)? {
            return Err(format!("{} is not what {} says: run `cargo xtask docs`", page.path, page.source));
        }
    }
    Ok(())
}

fn generate(page: &Page) -> Result<String, String> {
    let mut command = Command::new(tool::target_folder()?.join("debug").join(page.package));
    // There is no ostia.yaml in this folder: only the rows that come with the program count.
    command.args(page.words).current_dir(tool::root().join("docs")).env_remove("OSTIA_CONFIG");
    Ok(format!("{}{}", page.head, tool::read(command)?))
}
