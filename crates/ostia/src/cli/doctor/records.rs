//! Where records are kept: the directory and its file, or the server, tried without a record being written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ostia_store::{Place, Trial};
use rustix::fs::{Access, access, statvfs};

use super::report::Finding;
use crate::config::load::Loaded;
use crate::store;

/// What it is about.
const ABOUT: &str = "records";
/// With less room than this, in bytes, records are soon not written any more,
const ROOM_CAREFUL: u64 = 1 << 30;
/// and with less than this, none may be at any moment.
const ROOM_MIN: u64 = 64 << 20;

/// Looks at the place that the configuration names; `data`: the directory that the operator named. Servers are only asked where
/// anybody may be.
pub fn examine(loaded: &Loaded, data: Option<&Path>, is_offline: bool) -> Vec<Finding> {
    let network = store::network(&loaded.settings);
    let place = match store::place(&loaded.fixed.records, loaded.record_server.as_ref(), network, data) {
        Ok(Some(place)) => place,
        Ok(None) => return vec![Finding::ok(ABOUT, "none are kept (records: off)")],
        Err(why) => {
            return vec![Finding::warn(
                ABOUT,
                format!("none are kept: {why}"),
                "name one, or say `records: off`",
            )];
        }
    };
    match &place {
        Place::File(path) => {
            let mut findings = directory(path.parent().unwrap_or(Path::new("/")));
            findings.extend(place.examine().into_iter().map(told));
            findings
        }
        Place::Postgres(_) | Place::ClickHouse(_) if is_offline => {
            vec![Finding::ok(ABOUT, format!("{place}, which is not asked (--offline)"))]
        }
        Place::Postgres(_) | Place::ClickHouse(_) => place.examine().into_iter().map(told).collect(),
    }
}

fn told(Trial { found, next }: Trial) -> Finding {
    match next {
        None => Finding::ok(ABOUT, found),
        Some(next) => Finding::fail(ABOUT, found, next),
    }
}

/// A directory, which need not be there yet: can the gateway write to it, may others look into it, and is there room?
fn directory(directory: &Path) -> Vec<Finding> {
    let name = directory.display();
    let there = nearest(directory);
    let shown = there.display();
    if !there.is_dir() {
        return vec![Finding::fail(
            ABOUT,
            format!("{shown} is no directory"),
            "name another one with --data",
        )];
    }
    if let Err(error) = access(&there, Access::WRITE_OK | Access::EXEC_OK) {
        let next = "let the gateway's user write to it (chown), or name another one with --data";
        return vec![Finding::fail(ABOUT, format!("{shown} cannot be written to: {error}"), next)];
    }
    let room = statvfs(&there).map(|disk| room(disk.f_bavail.saturating_mul(disk.f_frsize)));
    let mut findings: Vec<Finding> = room.into_iter().flatten().collect();
    if there == directory
        && let Ok(about) = fs::metadata(directory)
        && about.permissions().mode() & 0o077 != 0
    {
        let mode = about.permissions().mode() & 0o777;
        findings.push(Finding::warn(
            ABOUT,
            format!("others may look into {name} (mode {mode:04o})"),
            format!("chmod 700 {name}"),
        ));
    }
    findings
}

/// The directory itself, or the nearest one above it that is there.
fn nearest(directory: &Path) -> PathBuf {
    let there = directory.ancestors().find(|path| fs::symlink_metadata(path).is_ok());
    match there {
        Some(path) if !path.as_os_str().is_empty() => path.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What is said of so many bytes that are left.
fn room(bytes: u64) -> Option<Finding> {
    let left = format!("{} MiB are left on its disk", bytes >> 20);
    let next = "make room, or bound what is kept (records.bytes, records.bodies_bytes)";
    match bytes {
        0..ROOM_MIN => Some(Finding::fail(ABOUT, left, next)),
        ROOM_MIN..ROOM_CAREFUL => Some(Finding::warn(ABOUT, left, next)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn room_that_is_left() {
        let next = "make room, or bound what is kept (records.bytes, records.bodies_bytes)";
        assert_eq!(room(0), Some(Finding::fail(ABOUT, "0 MiB are left on its disk", next)));
        assert_eq!(room(ROOM_MIN), Some(Finding::warn(ABOUT, "64 MiB are left on its disk", next)));
        assert_eq!(room(ROOM_CAREFUL), None);
    }

    #[test]
    fn directories_that_are_there_or_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path(), folder.path().join("file"));
        fs::write(&file, "").unwrap();
        let check = |path: &Path, words: &[&str]| {
            let found = directory(path);
            let text = format!("{found:?}");
            assert!(found.len() == words.len() && words.iter().all(|word| text.contains(word)), "{text}");
        };
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        check(path, &[]);
        check(&path.join("a/b"), &[]);
        check(&file, &["is no directory"]);
        check(&file.join("a"), &["is no directory"]);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        check(path, &["mode 0755"]);
        check(&path.join("a"), &[]);
    }
}
