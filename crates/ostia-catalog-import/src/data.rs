//! The project's own files: `models/*.jsonl`, `sources.json`, `decisions.tsv`, `catalog.bin`.

use std::collections::BTreeMap;
use std::path::Path;

use ostia_catalog::{Date, Edition, Row, Source, compact, parse, print};

/// What stands in the folder.
pub struct Data {
    pub rows: Vec<Row>,
    pub editions: Vec<Edition>,
}

/// Which source was believed about a model, and why.
pub struct Decision {
    provider: String,
    model: String,
    pub source: Source,
    pub reason: String,
}

impl Decision {
    /// Is it about this model?
    pub fn is_of(&self, row: &Row) -> bool {
        let fits = match self.model.strip_suffix('*') {
            Some(begins) => row.id.starts_with(begins),
            None => self.model == row.id,
        };
        fits && self.provider == row.provider
    }
}

impl Data {
    /// Reads it; without models there are none yet.
    pub fn read(folder: &Path) -> Result<Data, String> {
        let editions: Vec<Edition> = serde_json::from_str(&text(&folder.join("sources.json"))?)
            .map_err(|error| format!("sources.json: {error}"))?;
        let mut rows = Vec::new();
        for path in files(folder)? {
            let provider = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let read = parse(&provider, &text(&path)?);
            rows.extend(read.map_err(|fault| format!("{}: {fault}", path.display()))?);
        }
        Ok(Data { rows, editions })
    }

    /// The day of the newest source: which prices are in force.
    pub fn date_of_sources(&self) -> Date {
        let newest = self.editions.iter().map(|edition| edition.date).max();
        newest.or_else(|| Date::of(1970, 1, 1)).unwrap_or_else(|| unreachable!("there was such a day"))
    }

    /// How many providers have a model.
    pub fn provider_count(&self) -> usize {
        by_provider(&self.rows).len()
    }

    /// Writes the models, and takes away the files of providers that have none any more.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let all = by_provider(&self.rows);
        for path in files(folder)? {
            if !all.contains_key(path.file_stem().unwrap_or_default().to_string_lossy().as_ref()) {
                std::fs::remove_file(&path)
                    .map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
            }
        }
        for (provider, rows) in all {
            write(&folder.join("models").join(format!("{provider}.jsonl")), &print(&rows))?;
        }
        Ok(())
    }

    /// Writes the compact form, and says how long it is.
    pub fn pack(&self, folder: &Path) -> Result<usize, String> {
        let bytes = compact(&self.rows, &self.editions).map_err(|error| error.to_string())?;
        let path = folder.join("catalog.bin");
        std::fs::write(&path, &bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(bytes.len())
    }
}

fn by_provider(rows: &[Row]) -> BTreeMap<&str, Vec<Row>> {
    let mut all: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in rows {
        all.entry(&row.provider).or_default().push(row.clone());
    }
    all
}

/// Reads the table of decisions.
pub fn decisions(folder: &Path) -> Result<Vec<Decision>, String> {
    decisions_of(&text(&folder.join("decisions.tsv"))?)
}

/// Its lines behind the first: provider, model (`*` at its end stands for anything), source, day, reason.
pub fn decisions_of(text: &str) -> Result<Vec<Decision>, String> {
    let read = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [provider, model, source, day, reason] = fields.as_slice() else {
            return Err(format!("decisions.tsv: `{line}` has not five fields"));
        };
        let source = Source::named(source).ok_or_else(|| format!("decisions.tsv: no source {source}"))?;
        Date::parse(day).ok_or_else(|| format!("decisions.tsv: `{day}` is no day"))?;
        Ok(Decision {
            provider: (*provider).to_owned(),
            model: (*model).to_owned(),
            source,
            reason: (*reason).to_owned(),
        })
    };
    text.lines().skip(1).filter(|line| !line.is_empty()).map(read).collect()
}

/// Writes a text.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let folder = folder.join("models");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let is_list = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "jsonl");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_list).collect();
    // By the name alone: with the ending `meta-llama.jsonl` would stand before `meta.jsonl`.
    paths.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    Ok(paths)
}
