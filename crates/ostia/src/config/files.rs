//! The files of a configuration, and whether they have changed since they were read.
//!
//! They are looked at, and not watched by the kernel: notices of the kernel do not come for files on network drives and
//! mounts of containers, and follow neither the links by which Kubernetes exchanges secrets nor editors that put a new file in
//! the old one's place. A look is one call for each file.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Files, each as it was when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, Option<Stamp>>);

/// By what a change of a file is known, whatever the links on the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Files {
    /// This file is about to be read. What changes from now on is a change.
    pub fn note(&mut self, path: &Path) {
        self.0.entry(path.to_owned()).or_insert_with(|| Stamp::of(path));
    }

    /// The same files as they are now.
    pub fn now(&self) -> Files {
        Files(self.0.keys().map(|path| (path.clone(), Stamp::of(path))).collect())
    }

    /// Adds those of the other ones that are not among these.
    pub fn add(&mut self, other: &Files) {
        for (path, stamp) in &other.0 {
            self.0.entry(path.clone()).or_insert(*stamp);
        }
    }
}

impl Stamp {
    /// `None` for a file that is not there.
    fn of(path: &Path) -> Option<Stamp> {
        let found = std::fs::metadata(path).ok()?;
        Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}
