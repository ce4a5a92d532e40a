use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::engine::{Engine, Place};
use crate::query::Filter;
use crate::record::{Attempt, Outcome, Record, Usage};
use crate::{Cost, Kept};

/// Exports of a directory that has so many records.
fn exports(folder: &Path, count: usize) -> Exports {
    let place = Place::File(folder.join("records.db"));
    let all: Vec<Record> = (0..count).map(record).collect();
    let mut engine = Engine::of(&place);
    engine.open().unwrap();
    engine.write(&all).unwrap();
    Exports::new(folder, Readers::start(&place).unwrap(), Box::new(|_| ()))
}

fn record(number: usize) -> Record {
    let usage = Usage { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, ..Usage::default() };
    let cost = Cost { amount: "0.5".into(), currency: "USD".into(), ..Cost::default() };
    let attempt = Attempt {
        provider: "openai".into(),
        outcome: Outcome::Answered,
        usage: Some(usage),
        cost: Some(cost),
        ..Attempt::default()
    };
    Record {
        id: format!("r-{number}"),
        started_ms: 1000 + number as i64,
        status: 200,
        end: "whole".into(),
        model: Some("m".into()),
        attempts: vec![attempt.clone(), attempt],
        request: Kept::Bytes { bytes: br#"{"a":1}"#.to_vec(), total: 7 },
        ..Record::default()
    }
}

fn plan(fields: &[&str], rows_max: u64) -> ExportPlan {
    ExportPlan {
        filter: Filter::default(),
        filters: json!({}),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        rows_max,
        description: None,
        workspace: None,
    }
}

fn lines(exports: &Exports, id: &str) -> Vec<Value> {
    let text = fs::read_to_string(exports.lines_path(id)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn status(exports: &Exports, id: &str) -> ExportStatus {
    exports.one(id).unwrap().status
}

#[test]
fn a_job_from_its_beginning_to_its_end() {
    let folder = TempDir::new().unwrap();
    let mut exports = exports(folder.path(), 450);
    exports.create("e".into(), "s".into(), plan(&["id", "cost", "total_units", "is_success"], 1000)).unwrap();
    exports.step();
    assert_eq!(status(&exports, "e"), ExportStatus::Draft);
    assert_eq!(exports.open("e").unwrap_err(), ExportFault::State(ExportStatus::Draft));
    exports.begin("e").unwrap();
    assert_eq!(exports.begin("e").unwrap_err(), ExportFault::State(ExportStatus::InProgress));
    exports.step();
    let job = exports.one("e").unwrap();
    assert_eq!((job.rows, job.status), (200, ExportStatus::InProgress));
    (0..2).for_each(|_| exports.step());
    let job = exports.one("e").unwrap();
    assert_eq!((job.rows, job.status), (450, ExportStatus::Success));
    let lines = lines(&exports, "e");
    assert_eq!(lines.len(), 450);
    assert_eq!(lines[0], json!({"id": "r-449", "cost": "1", "total_units": 24, "is_success": true}));
    assert_eq!(exports.open("e").unwrap().1, job.bytes);
    assert_eq!(exports.cancel("e").unwrap_err(), ExportFault::State(ExportStatus::Success));
}

#[test]
fn a_job_goes_on_after_a_restart_where_it_was() {
    let folder = TempDir::new().unwrap();
    let mut exports = exports(folder.path(), 450);
    exports.create("e".into(), "s".into(), plan(&[], 1000)).unwrap();
    exports.begin("e").unwrap();
    exports.step();
    // Killed in the middle of a page: some of it is in the file, and nothing says so.
    let mut file = OpenOptions::new().append(true).open(exports.lines_path("e")).unwrap();
    file.write_all(b"{\"id\":\"half").unwrap();
    drop(file);
    let mut exports = Exports::new(folder.path(), exports.readers.clone(), Box::new(|_| ()));
    assert_eq!(status(&exports, "e"), ExportStatus::InProgress);
    (0..3).for_each(|_| exports.step());
    assert_eq!(status(&exports, "e"), ExportStatus::Success);
    let ids: std::collections::BTreeSet<String> =
        lines(&exports, "e").iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ids.len(), lines(&exports, "e").len()), (450, 450));
}

#[test]
fn a_lost_file_is_no_export() {
    let folder = TempDir::new().unwrap();
    let mut exports = exports(folder.path(), 450);
    for id in ["gone", "short"] {
        exports.create(id.into(), "s".into(), plan(&[], 1000)).unwrap();
        exports.begin(id).unwrap();
        (0..3).for_each(|_| exports.step());
        assert_eq!(status(&exports, id), ExportStatus::Success);
    }
    let path = |id: &str| folder.path().join(FOLDER).join(format!("{id}.jsonl"));
    fs::remove_file(path("gone")).unwrap();
    OpenOptions::new().write(true).open(path("short")).unwrap().set_len(100).unwrap();
    assert_eq!(["gone", "short"].map(|id| exports.open(id).unwrap_err()), [ExportFault::Lost; 2]);
    assert!(!path("gone").exists());
    // The same where it is still being written.
    exports.create("e".into(), "s".into(), plan(&[], 1000)).unwrap();
    exports.begin("e").unwrap();
    exports.step();
    fs::remove_file(path("e")).unwrap();
    exports.step();
    assert_eq!(status(&exports, "e"), ExportStatus::Failed);
    assert!(!path("e").exists());
}

#[test]
fn what_cannot_be_read_is_told_to_the_operator() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("records.db");
    fs::write(&path, "this is no database ".repeat(1000)).unwrap();
    let (tell, told) = channel();
    let readers = Readers::start(&Place::File(path)).unwrap();
    let mut exports = Exports::new(folder.path(), readers, Box::new(move |text| drop(tell.send(text))));
    exports.create("e".into(), "s".into(), plan(&[], 25)).unwrap();
    exports.begin("e").unwrap();
    exports.failed_reads = TRIES_MAX - 1;
    exports.step();
    assert_eq!(status(&exports, "e"), ExportStatus::Failed);
    let told = told.try_recv().unwrap();
    assert!(told.starts_with("The export e failed: ") && told.contains("not a database"), "{told}");
    let error = exports.one("e").unwrap().error.unwrap();
    assert!(!error.contains("database"), "{error}");
}

#[test]
fn a_cut_at_the_largest_size_is_said() {
    let check = |cursor, bytes, status: ExportStatus, error: Option<&str>| {
        let mut job = ExportJob::new("e".into(), "s".into(), plan(&[], 25), 0);
        job.begin(0);
        (job.cursor, job.bytes) = (cursor, bytes);
        job.wrote_page();
        assert_eq!((job.status, job.error.as_deref()), (status, error));
    };
    let more = Some((1, 1));
    check(more, BYTES_MAX - 1, ExportStatus::InProgress, None);
    check(None, BYTES_MAX, ExportStatus::Success, None);
    check(more, BYTES_MAX, ExportStatus::Success, Some("stopped at 1 GiB: narrow the filters"));
}

#[test]
fn bounds() {
    let folder = TempDir::new().unwrap();
    let mut exports = exports(folder.path(), 30);
    exports.create("few".into(), "s".into(), plan(&["request"], 25)).unwrap();
    exports.begin("few").unwrap();
    (0..3).for_each(|_| exports.step());
    assert_eq!((exports.one("few").unwrap().rows, status(&exports, "few")), (25, ExportStatus::Success));
    assert_eq!(lines(&exports, "few")[0], json!({"request": {"a": 1}}));
    exports.create("stopped".into(), "s".into(), plan(&[], 25)).unwrap();
    exports.update("stopped", |plan| plan.rows_max = 3).unwrap();
    exports.cancel("stopped").unwrap();
    assert_eq!(exports.begin("stopped").unwrap_err(), ExportFault::State(ExportStatus::Stopped));
    assert_eq!(exports.one("none").unwrap_err(), ExportFault::Missing);
    for number in 2..JOBS_MAX {
        exports.create(format!("e-{number}"), "s".into(), plan(&[], 1)).unwrap();
    }
    assert_eq!(exports.create("more".into(), "s".into(), plan(&[], 1)).unwrap_err(), ExportFault::TooMany);
    exports.sweep(now_ms() + 2 * KEPT_FOR.as_millis() as i64);
    assert!(exports.list().is_empty());
    assert_eq!(fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 0);
}
