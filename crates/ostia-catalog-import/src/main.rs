//! Makes the catalogue's data: `ostia-catalog-import DATA_DIR [SOURCES_DIR]`, started by `cargo xtask catalog`.
//!
//! With a folder of sources it reads them, joins them and writes `models/*.jsonl` and `disagreements.tsv`; without one it only
//! packs what stands there. A test of the catalogue wants a line in `decisions.tsv` for every price about which LiteLLM and
//! genai-prices disagree. The same input gives the same bytes.

#![allow(clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod genai;
mod json;
mod litellm;
mod merge;
mod portkey;
mod providers;
mod report;
mod sane;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ostia_catalog::Row;

use crate::data::Data;
use crate::report::Skipped;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let outcome = match arguments.as_slice() {
        [data] => pack(data),
        [data, sources] => import(data, sources),
        _ => Err("usage: ostia-catalog-import DATA_DIR [SOURCES_DIR]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("catalog: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Rows and editions as they stand there, packed.
fn pack(folder: &Path) -> Result<(), String> {
    let data = Data::read(folder)?;
    println!("{} models of {} providers", data.rows.len(), data.provider_count());
    let bytes = data.pack(folder)?;
    println!("catalog.bin: {bytes} bytes");
    Ok(())
}

/// Reads the sources, joins them, writes, and says what is otherwise than before.
fn import(folder: &Path, sources: &Path) -> Result<(), String> {
    let before = Data::read(folder)?;
    let mut skipped = Skipped::default();
    let mut litellm = litellm::read(sources, &mut skipped)?;
    told("LiteLLM", &litellm);
    let mut genai = genai::read(sources, before.date_of_sources(), &mut skipped)?;
    told("genai-prices", genai.iter().map(|model| &model.row));
    let mut portkey = portkey::read(sources, &mut skipped)?;
    told("Portkey", &portkey);
    let genai_rows = genai.iter_mut().map(|model| &mut model.row);
    for row in litellm.iter_mut().chain(genai_rows).chain(&mut portkey) {
        sane::drop_wrong(row, &mut skipped);
    }
    println!("{}", skipped.text());

    let decisions = data::decisions(folder)?;
    let lists = merge::Lists { litellm, genai, portkey, names: portkey::names(sources)? };
    let joined = merge::merge(lists, &decisions)?;
    println!("{}", report::disagreements_text(&joined.disagreements));
    let after = Data { rows: joined.rows, editions: before.editions.clone() };
    println!("{}", report::changes(&before.rows, &after.rows));
    println!("{}", report::unknown_providers(&after.rows));
    after.write(folder)?;
    data::write(&folder.join("disagreements.tsv"), &report::disagreements_table(&joined.disagreements))?;
    let bytes = after.pack(folder)?;
    println!(
        "{} models of {} providers; catalog.bin: {bytes} bytes",
        after.rows.len(),
        after.provider_count()
    );
    Ok(())
}

fn told<'a>(source: &str, rows: impl IntoIterator<Item = &'a Row>) {
    println!("{source}: {} rows", rows.into_iter().count());
}
