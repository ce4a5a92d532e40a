//! Which catalogue of models is in force: the one that comes with the program, or a newer one from a file.
//!
//! The file lies where `catalog` in ostia.yaml says, else in the data directory; `ostia catalog update` puts it there. It holds as
//! long as it is newer than the program's own, so that an update of the program never goes back to older prices. One that
//! is not whole is never used, and stops nobody: the catalogue of before stays.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ostia_catalog::{Catalog, FILE_BYTES_MAX};
use ostia_store::DataDirectory;

/// The file in the data directory.
const FILE_NAME: &str = "catalog.bin";

/// The catalogue in force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// What is known of models.
    pub catalog: Arc<Catalog>,
    /// Where it was read; `None`: it comes with the program.
    pub file: Option<PathBuf>,
}

impl InForce {
    /// The one that comes with the program.
    pub fn embedded() -> InForce {
        InForce { catalog: Arc::new(Catalog::embedded()), file: None }
    }

    /// As people are told: its day, and where it is from.
    pub fn told(&self) -> String {
        let day = self.catalog.date().map(|day| format!("of {day}, ")).unwrap_or_default();
        match &self.file {
            Some(file) => format!("{day}in {}", file.display()),
            None => format!("{day}part of this program"),
        }
    }
}

/// Where a newer catalogue may lie; `named`: what ostia.yaml says, `data`: the data directory that was named. `None`: nowhere.
pub fn place(named: Option<PathBuf>, data: Option<&Path>) -> Option<PathBuf> {
    let directory = || DataDirectory::find(data, |name| std::env::var_os(name)).ok();
    named.or_else(|| Some(directory()?.0.join(FILE_NAME)))
}

/// The file's catalogue where it is newer than the program's, else the program's.
///
/// # Errors
/// The file cannot be used, and why.
pub fn choose(file: &Path) -> Result<InForce, String> {
    let embedded = InForce::embedded();
    let found = read(file)?.filter(|found| found.date() > embedded.catalog.date());
    Ok(found.map_or(embedded, |found| InForce { catalog: Arc::new(found), file: Some(file.to_owned()) }))
}

/// The catalogue of a file, checked whole; `None`: there is no such file.
///
/// # Errors
/// Why it is none.
pub fn read(path: &Path) -> Result<Option<Catalog>, String> {
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    Catalog::read(bytes).map(Some).map_err(|unfit| unfit.to_string())
}

/// The bytes of a file; no more than one too many.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
