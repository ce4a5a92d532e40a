//! `cargo xtask catalog`: the data of the catalogue of models and prices.

use crate::tool;

const HELP: &str = "\
cargo xtask catalog [SOURCES_DIR]

Makes crates/ostia-catalog/data from the public lists of models and prices in SOURCES_DIR: folders whose names begin with
litellm-, genai-prices- and portkey-models-, each as it was published. Before it is run with newer lists, write their versions
and days into data/sources.json. Prints what was not read, where the lists disagree, and what is otherwise than before; all
disagreements go to data/disagreements.tsv, and data/decisions.tsv says whom to believe, and why.

Without SOURCES_DIR it packs data/models/ as it stands, after a change by hand.";

/// Imports or packs.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let sources = match arguments {
        [] => None,
        [word] if word == "-h" || word == "--help" => {
            println!("{HELP}");
            return Ok(());
        }
        [folder] if !folder.starts_with('-') => Some(folder),
        _ => return Err(format!("catalog does not take {arguments:?}\n\n{HELP}")),
    };
    let mut command = tool::cargo(&["run", "--quiet", "--locked", "-p", "ostia-catalog-import", "--"]);
    command.arg(tool::root().join("crates/ostia-catalog/data")).args(sources);
    tool::run(command)
}
