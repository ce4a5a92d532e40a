//! `ostia catalog`: which catalogue of models is in force, and how a newer one takes its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ostia_catalog::{Catalog, PriceText};
use serde_json::{Value, json};

use super::shown;
use crate::config::catalog;
use crate::config::load::{self, Loaded};

/// What `catalog` can do.
#[derive(Debug, Subcommand)]
pub enum Words {
    /// Say which catalogue is in force: of which day, how many models, from which sources, where it lies.
    #[command(after_help = "\
Examples:
  ostia catalog show
  ostia catalog show --data /var/lib/ostia --json")]
    Show(Show),
    /// Put a newer catalogue in force, without a new version of the program.
    #[command(after_help = UPDATE_HELP)]
    Update(Update),
}

const UPDATE_HELP: &str = "\
The file is checked whole before anything is replaced, and refused where it is not newer than the catalogue in force. A gateway that
runs takes it within a second. To go back to the program's own catalogue, remove the file that `ostia catalog show` names.

Examples:
  ostia catalog update catalog.bin                             into the data directory, or where `catalog` in ostia.yaml says
  sudo ostia catalog update catalog.bin --data /var/lib/ostia  for the service of the Debian package";

/// Where the catalogue of a gateway lies.
#[derive(Debug, Args)]
pub struct Place {
    /// Configuration file. Without one, ostia.yaml in the current folder is used where it exists.
    #[arg(long, short, value_name = "FILE", env = "OSTIA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory in which the gateway keeps its data.
    #[arg(long, value_name = "DIRECTORY", env = "OSTIA_DATA")]
    pub data: Option<PathBuf>,
}

/// Options of `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Of which gateway.
    #[command(flatten)]
    pub place: Place,
    /// Print an object of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `update`.
#[derive(Debug, Args)]
pub struct Update {
    /// The newer catalogue: a `catalog.bin`, as `cargo xtask catalog` makes it.
    #[arg(value_name = "CATALOG")]
    pub file: PathBuf,
    /// For which gateway.
    #[command(flatten)]
    pub place: Place,
}

impl Words {
    /// What is to be said of it.
    ///
    /// # Errors
    /// The configuration is wrong, or the newer catalogue is refused.
    pub fn run(&self) -> Result<String, String> {
        match self {
            Words::Show(show) => show.text(),
            Words::Update(update) => update.run(),
        }
    }
}

impl Place {
    /// The configuration of the gateway. Credentials are not looked up.
    ///
    /// # Errors
    /// The file is wrong.
    pub fn load(&self) -> Result<Loaded, String> {
        load::without_secrets(self.config.as_deref(), self.data.as_deref()).map_err(|report| shown(&report))
    }
}

impl Show {
    fn text(&self) -> Result<String, String> {
        let loaded = self.place.load()?;
        let facts = Facts::of(&loaded);
        Ok(if self.json { format!("{:#}\n", facts.json()) } else { facts.lines() })
    }
}

/// What is told of the catalogue in force.
struct Facts<'a> {
    loaded: &'a Loaded,
    /// Why the file is not in force, where there is one that is not.
    unused: Option<String>,
}

impl Facts<'_> {
    fn of(loaded: &Loaded) -> Facts<'_> {
        let idle = loaded.catalog_place.as_ref().filter(|_| loaded.settings.catalog_file.is_none());
        let unused = idle.and_then(|path| match catalog::read(path) {
            Ok(None) => None,
            Ok(Some(_)) => Some("it is not newer than the one of this program".to_owned()),
            Err(why) => Some(why),
        });
        Facts { loaded, unused }
    }

    fn json(&self) -> Value {
        let settings = &self.loaded.settings;
        let catalog = &settings.catalog;
        json!({
            "date": catalog.date().map(|day| day.to_string()),
            "version": catalog.version(),
            "file": settings.catalog_file,
            "place": self.loaded.catalog_place,
            "unused": self.unused,
            "models": catalog.models().count(),
            "providers": providers(catalog),
            "sources": catalog.editions(),
        })
    }

    fn lines(&self) -> String {
        let settings = &self.loaded.settings;
        let catalog = &settings.catalog;
        let edition = |edition: &ostia_catalog::Edition| {
            format!("{} {} of {}", edition.source.name(), edition.version, edition.date)
        };
        let mut lines = vec![
            ("catalogue", settings.catalog_told()),
            ("models", format!("{} of {} providers", catalog.models().count(), providers(catalog))),
            ("sources", catalog.editions().iter().map(edition).collect::<Vec<_>>().join(", ")),
        ];
        match (&self.loaded.catalog_place, &settings.catalog_file) {
            (Some(path), None) => {
                let why = self.unused.as_ref().map(|why| format!("{} is not used: {why}", path.display()));
                let update = || format!("`ostia catalog update CATALOG` puts it at {}", path.display());
                lines.push(("newer one", why.unwrap_or_else(update)));
            }
            (None, None) => lines.push(("newer one", NOWHERE.to_owned())),
            (_, Some(_)) => {}
        }
        lines.iter().map(|(name, text)| format!("{name:9}  {text}\n")).collect()
    }
}

const NOWHERE: &str = "there is no place for one: name a directory with --data or OSTIA_DATA, or a file as `catalog` in ostia.yaml";

fn providers(catalog: &Catalog) -> usize {
    catalog.models().map(|model| model.provider).collect::<BTreeSet<_>>().len()
}

impl Update {
    fn run(&self) -> Result<String, String> {
        let refused = |why: String| format!("{} is refused: {why}.", self.file.display());
        let newer = catalog::read(&self.file).map_err(refused)?;
        let newer = newer.ok_or_else(|| format!("There is no file {}.", self.file.display()))?;
        let loaded = self.place.load()?;
        let before = &loaded.settings.catalog;
        let path = loaded.catalog_place.as_ref().ok_or_else(|| format!("Cannot: {NOWHERE}."))?;
        if newer.bytes() == before.bytes() {
            return Ok(format!("This catalogue is in force already: {}.\n", loaded.settings.catalog_told()));
        }
        if newer.date() <= before.date() {
            let day = newer.date().map(|day| day.to_string()).unwrap_or_default();
            let in_force = loaded.settings.catalog_told();
            return Err(refused(format!("it is of {day}, and not newer than the one in force ({in_force})")));
        }
        replace(path, newer.bytes()).map_err(|error| format!("Cannot write {}: {error}.", path.display()))?;
        Ok(told(before, &newer, path))
    }
}

/// What is otherwise from now on.
fn told(before: &Catalog, newer: &Catalog, path: &Path) -> String {
    let (old, new) = (prices(before), prices(newer));
    let added = new.keys().filter(|name| !old.contains_key(*name)).count();
    let gone = old.keys().filter(|name| !new.contains_key(*name)).count();
    let changed =
        new.iter().filter(|(name, prices)| old.get(*name).is_some_and(|old| old != *prices)).count();
    let day = newer.date().map(|day| day.to_string()).unwrap_or_default();
    format!(
        "The catalogue of {day} is in force, {} models of {} providers: {added} new, {gone} gone, {changed} with other prices.\n\
         It lies in {}. A gateway that runs takes it within a second.\n",
        new.len(),
        providers(newer),
        path.display()
    )
}

/// What the lists say that models cost, without what an operator says.
fn prices(catalog: &Catalog) -> BTreeMap<(String, String), Vec<PriceText>> {
    let rows = catalog.base_models().map(|model| model.row());
    rows.map(|row| ((row.provider, row.id), row.prices)).collect()
}

/// Puts bytes in a file's place, at once: whoever reads it sees the old ones or the new ones. The folder is made where it is
/// missing, for this user alone, as for records.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = folder.join(name);
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Without this a loss of power may bring the old one back; the new one is in place either way.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Readable for all: root writes it, and the gateway may be another user. There is no secret in it.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
