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
    Exports::new(folder, Readers::start(&place).unwrap())
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
    let mut exports = Exports::new(folder.path(), exports.readers.clone());
    assert_eq!(status(&exports, "e"), ExportStatus::InProgress);
    (0..3).for_each(|_| exports.step());
    assert_eq!(status(&exports, "e"), ExportStatus::Success);
    let ids: std::collections::BTreeSet<String> =
        lines(&exports, "e").iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ids.len(), lines(&exports, "e").len()), (450, 450));
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
