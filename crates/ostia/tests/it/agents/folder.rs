//! A folder for one run of an agent: its home, and where it works.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// It is deleted when it is dropped, unless something was kept in it.
pub(crate) struct Folder {
    path: PathBuf,
    kept: std::cell::Cell<bool>,
}

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("agent-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        for folder in ["home", "work"] {
            std::fs::create_dir_all(path.join(folder)).unwrap();
        }
        Folder { path, kept: false.into() }
    }

    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Leaves a text for whoever looks into a failure; gives its place.
    pub fn keep(&self, name: &str, text: &str) -> String {
        self.kept.set(true);
        let path = self.path.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept.get() {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
