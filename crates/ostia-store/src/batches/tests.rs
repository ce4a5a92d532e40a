use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

fn file(id: &str, owner: &str, purpose: FilePurpose) -> StoredFile {
    StoredFile {
        id: id.to_owned(),
        owner: owner.to_owned(),
        created_s: 100,
        filename: "rows.jsonl".to_owned(),
        purpose,
        bytes: 2,
        rows: 1,
        urls: vec!["/v1/chat/completions".to_owned()],
        batch: None,
        training: None,
    }
}

fn batch(id: &str, owner: &str, input_file: &str) -> StoredBatch {
    StoredBatch {
        id: id.to_owned(),
        owner: owner.to_owned(),
        status: BatchStatus::Validating,
        endpoint: String::new(),
        input_file: input_file.to_owned(),
        has_own_rows: false,
        output_file: format!("{id}-out"),
        error_file: format!("{id}-err"),
        rows: 1,
        completed: 0,
        failed: 0,
        times: Times { created_s: 100, expires_s: 200, ..Times::default() },
        metadata: BTreeMap::new(),
        headers: Vec::new(),
        is_whole: true,
        run: String::new(),
        faults: Vec::new(),
        remote: None,
    }
}

fn open(directory: &Path) -> Tables {
    Tables::open(directory, [7; SECRET_BYTES]).unwrap()
}

fn put(tables: &mut Tables, file: &StoredFile) {
    std::fs::write(tables.path(&file.id), "{}").unwrap();
    tables.add_file(file).unwrap();
}

#[test]
fn everybody_sees_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    for (id, owner) in [("f1", "a"), ("f2", "b"), ("f3", "a"), ("f4", "a")] {
        put(&mut tables, &file(id, owner, FilePurpose::Batch));
    }
    put(&mut tables, &file("f5", "a", FilePurpose::BatchOutput));
    let mut ids = |owner: &str, purpose, paging: Paging| {
        let page = tables.files(owner, purpose, &paging).unwrap();
        (page.entries.into_iter().map(|file| file.id).collect::<Vec<_>>().join(" "), page.has_more)
    };
    let page = |after: Option<&str>, limit, ascending| {
        let after = after.map(str::to_owned);
        Paging { after, limit, ascending, ..Paging::default() }
    };
    assert_eq!(ids("a", None, page(None, 9, false)), ("f5 f4 f3 f1".to_owned(), false));
    assert_eq!(ids("a", None, page(None, 2, true)), ("f1 f3".to_owned(), true));
    assert_eq!(ids("a", None, page(Some("f3"), 2, true)), ("f4 f5".to_owned(), false));
    assert_eq!(ids("a", None, page(Some("f2"), 9, true)), (String::new(), false), "somebody else's");
    assert_eq!(ids("a", Some(FilePurpose::BatchOutput), page(None, 9, false)), ("f5".to_owned(), false));
    assert_eq!(ids("c", None, page(None, 9, false)), (String::new(), false));
    let before = |before: &str, paging: Paging| Paging { before: Some(before.to_owned()), ..paging };
    assert_eq!(ids("a", None, before("f1", page(None, 2, false))), ("f4 f3".to_owned(), true));
    assert_eq!(ids("a", None, before("f3", page(None, 2, false))), ("f5 f4".to_owned(), false));
    assert_eq!(ids("a", None, before("f4", page(None, 1, true))), ("f3".to_owned(), true));
    assert_eq!(ids("a", None, before("f1", page(Some("f5"), 1, false))), ("f4".to_owned(), true));
    assert_eq!(ids("a", None, before("f2", page(None, 9, false))), (String::new(), false), "somebody else's");
    assert_eq!(tables.file("b", "f1").unwrap(), None);
    assert_eq!(tables.remove_file("b", "f1").unwrap(), Removed::Missing);
    assert!(tables.batch("b", "f1").unwrap().is_none());
}

#[test]
fn a_file_stays_as_long_as_a_batch_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    put(&mut tables, &file("f1", "a", FilePurpose::Batch));
    assert!(tables.add_batch(&batch("b1", "a", "f1"), 1).unwrap());
    assert!(!tables.add_batch(&batch("b2", "a", "f1"), 1).unwrap(), "one is open already");
    assert_eq!(tables.remove_file("a", "f1").unwrap(), Removed::InUse);
    tables.sweep(1000).unwrap();
    assert_eq!(tables.open_batches().unwrap().len(), 1);
    let cancelled = tables.cancel("a", "b1", 150).unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.times.cancelling_s), (BatchStatus::Cancelling, Some(150)));
    let output = file("b1-out", "a", FilePurpose::BatchOutput);
    tables.end_batch(&cancelled, &[output], |batch| batch.is_now(BatchStatus::Cancelled, 160)).unwrap();
    assert!(tables.open_batches().unwrap().is_empty());
    assert!(tables.file("a", "b1-out").unwrap().is_some());
    assert_eq!(tables.cancel("a", "b1", 170).unwrap().unwrap().status, BatchStatus::Cancelled);
    let path = tables.path("f1");
    assert!(path.exists());
    assert_eq!(tables.remove_file("a", "f1").unwrap(), Removed::Done);
    assert!(!path.exists());
    tables.sweep(1000).unwrap();
    assert!(tables.batch("a", "b1").unwrap().is_none() && tables.file("a", "b1-out").unwrap().is_none());
}

#[test]
fn a_batch_goes_with_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    for (id, has_own_rows) in [("b1", true), ("b2", false)] {
        let rows = format!("{id}-rows");
        put(&mut tables, &file(&rows, "a", FilePurpose::Batch));
        tables.add_batch(&StoredBatch { has_own_rows, ..batch(id, "a", &rows) }, 9).unwrap();
        assert_eq!(tables.remove_batch("a", id).unwrap(), Removed::InUse);
        assert_eq!(tables.remove_batch("b", id).unwrap(), Removed::Missing, "somebody else's");
        let output = file(&format!("{id}-out"), "a", FilePurpose::BatchOutput);
        put(&mut tables, &output);
        let over = tables.batch("a", id).unwrap().unwrap();
        tables.end_batch(&over, &[output], |batch| batch.is_now(BatchStatus::Completed, 160)).unwrap();
        assert_eq!(tables.remove_batch("a", id).unwrap(), Removed::Done);
        assert_eq!(tables.remove_batch("a", id).unwrap(), Removed::Missing);
        assert!(!tables.path(&format!("{id}-out")).exists());
        assert_eq!(tables.path(&rows).exists(), !has_own_rows, "{id}");
    }
    assert!(tables.file("a", "b2-rows").unwrap().is_some(), "its maker uploaded it by itself");
}

#[test]
fn what_is_left_of_a_killed_gateway_goes() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    put(&mut tables, &file("f1", "a", FilePurpose::Batch));
    tables.add_batch(&batch("b1", "a", "f1"), 9).unwrap();
    for name in ["b1-out", "f9", ".upload"] {
        std::fs::write(tables.path(name), "{}").unwrap();
    }
    let secret = *tables.secret();
    assert_eq!(Tables::open(directory.path(), [8; SECRET_BYTES]).unwrap_err(), BatchesClosed::Taken);
    drop(tables);
    let mut tables = Tables::open(directory.path(), [8; SECRET_BYTES]).unwrap();
    let there = ["f1", "b1-out", "f9", ".upload"].map(|name| tables.path(name).exists());
    assert_eq!(there, [true, true, false, false]);
    assert_eq!(*tables.secret(), secret, "owners are known again");
    assert_eq!(tables.open_batches().unwrap()[0], batch("b1", "a", "f1"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(tables.folder()), mode(&directory.path().join(BATCHES_FILE_NAME))), (0o700, 0o600));
}

#[test]
fn what_was_handed_on_is_found_by_its_owner_until_it_is_old() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    let at = |provider: &str| HandedOn {
        provider: provider.to_owned(),
        headers: vec![("a".to_owned(), "b".to_owned())],
    };
    let ids = ["f1", "b1"].map(str::to_owned);
    tables.remember_handed_on("a", &ids, &at("one"), 10).unwrap();
    tables.remember_handed_on("b", &ids[..1], &at("two"), 20).unwrap();
    tables.remember_handed_on("a", &ids[1..], &at("three"), 30).unwrap();
    let mut found = |owner: &str, id: &str| tables.handed_on(owner, id).unwrap().map(|found| found.provider);
    assert_eq!(found("a", "f1").as_deref(), Some("one"));
    assert_eq!(found("b", "f1").as_deref(), Some("two"));
    assert_eq!(found("a", "b1").as_deref(), Some("three"), "the newest word counts");
    assert_eq!((found("b", "b1"), found("c", "f1")), (None, None));
    let mut is_anothers = |owner: &str, id: &str| tables.is_anothers(owner, id).unwrap();
    assert!(is_anothers("c", "f1") && is_anothers("a", "f1") && is_anothers("b", "b1"));
    assert!(!is_anothers("a", "b1") && !is_anothers("c", "f2"));
    tables.sweep(20).unwrap();
    assert_eq!(
        (tables.handed_on("a", "f1").unwrap(), tables.handed_on("b", "f1").unwrap()),
        (None, Some(at("two")))
    );
}

#[test]
fn what_is_said_again_is_no_newer() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    let found = HandedOn { provider: "one".to_owned(), headers: Vec::new() };
    let rows = || -> Vec<(i64, String, i64)> {
        let connection = rusqlite::Connection::open(directory.path().join(BATCHES_FILE_NAME)).unwrap();
        let mut select =
            connection.prepare("SELECT number, id, created_s FROM handed_on ORDER BY number").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut check = |ids: &[&str], now_s: u64, expected: &[(i64, &str, i64)]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        tables.remember_handed_on("a", &ids, &found, now_s).unwrap();
        let expected: Vec<_> =
            expected.iter().map(|(number, id, at)| (*number, (*id).to_owned(), *at)).collect();
        assert_eq!(rows(), expected);
    };
    check(&["b1", "b2"], 1000, &[(1, "b1", 1000), (2, "b2", 1000)]);
    check(&["b1"], 1005, &[(1, "b1", 1000), (2, "b2", 1000)]);
    check(&["b1"], 1600, &[(1, "b1", 1600), (2, "b2", 1000)]);
    check(&["b3"], 1600, &[(1, "b1", 1600), (2, "b2", 1000), (3, "b3", 1600)]);
}

#[test]
fn a_batch_at_a_provider_is_nothing_to_do_and_keeps_what_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    put(&mut tables, &file("f1", "a", FilePurpose::Batch));
    let remote = RemoteBatch {
        provider: "p".to_owned(),
        api: "anthropic_batches".to_owned(),
        strict: true,
        id: None,
        output: None,
        errors: None,
    };
    let own = StoredBatch { remote: Some(remote), ..batch("b1", "a", "f1") };
    assert!(tables.add_batch(&own, 1).unwrap());
    assert_eq!(tables.open_batches().unwrap().len(), 1, "it is being made");
    assert_eq!(tables.remove_file("a", "f1").unwrap(), Removed::InUse);
    std::fs::write(tables.path("b1"), "{}").unwrap();
    let there = |batch: &mut StoredBatch| batch.remote.as_mut().unwrap().id = Some("there".to_owned());
    tables.change_batch("a", "b1", there).unwrap();
    assert!(
        tables.open_batches().unwrap().is_empty()
            && tables.batch("a", "b1").unwrap().unwrap().status.is_open()
    );
    assert_eq!(tables.remove_file("a", "f1").unwrap(), Removed::Done);
    drop(tables);
    let mut tables = open(directory.path());
    assert!(tables.path("b1").exists(), "what is known of its rows");
    // It was made at 100 and runs until 200.
    tables.sweep(200).unwrap();
    assert!(tables.path("b1").exists() && tables.batch("a", "b1").unwrap().is_some(), "it runs there");
    tables.sweep(201).unwrap();
    assert!(!tables.path("b1").exists() && tables.batch("a", "b1").unwrap().is_none());
}

fn tuning(id: &str, owner: &str, files: (&str, Option<&str>)) -> StoredTuning {
    StoredTuning {
        id: id.to_owned(),
        owner: owner.to_owned(),
        created_s: 100,
        status: TuningStatus::ValidatingFiles,
        model: "m".to_owned(),
        training_file: files.0.to_owned(),
        validation_file: files.1.map(str::to_owned),
        told: serde_json::json!({"seed": 1}),
        metadata: BTreeMap::new(),
        headers: Vec::new(),
        run: String::new(),
        provider: "p".to_owned(),
        api: "a".to_owned(),
        remote_id: None,
        fine_tuned_model: None,
        trained_tokens: None,
        ended_s: None,
        fault: None,
    }
}

#[test]
fn jobs_hold_their_files_until_their_provider_has_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = open(directory.path());
    for id in ["train", "valid", "other"] {
        put(&mut tables, &file(id, "a", FilePurpose::FineTune));
    }
    assert!(tables.add_tuning(&tuning("t1", "a", ("train", Some("valid"))), 1).unwrap());
    assert!(!tables.add_tuning(&tuning("t2", "a", ("other", None)), 1).unwrap(), "as many are open");
    assert_eq!(tables.remove_file("a", "train").unwrap(), Removed::InUse);
    assert_eq!(tables.remove_file("a", "valid").unwrap(), Removed::InUse);
    assert_eq!(tables.remove_file("a", "other").unwrap(), Removed::Done);
    tables.sweep(1000).unwrap();
    assert!(tables.file("a", "valid").unwrap().is_some(), "a job needs it");
    drop(tables);
    let mut tables = open(directory.path());
    assert!(tables.path("train").exists() && tables.path("valid").exists());
    assert_eq!(tables.open_tunings().unwrap(), [tuning("t1", "a", ("train", Some("valid")))]);
    assert!(tables.tuning("b", "t1").unwrap().is_none(), "somebody else's");
    assert!(tables.tunings("b", &Paging { limit: 9, ..Paging::default() }).unwrap().entries.is_empty());
    let made = tables.change_tuning("a", "t1", |tuning| tuning.remote_id = Some("ft-1".to_owned())).unwrap();
    let cancelled = tables.cancel_tuning("a", "t1", 200).unwrap();
    assert_eq!(cancelled, made, "one that its provider has is ended there");
    assert_eq!(tables.remove_file("a", "train").unwrap(), Removed::Done);
    assert!(tables.add_tuning(&tuning("t2", "a", ("valid", None)), 1).unwrap());
    let cancelled = tables.cancel_tuning("a", "t2", 200).unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.ended_s), (TuningStatus::Cancelled, Some(200)));
    tables.sweep(1000).unwrap();
    assert!(tables.tuning("a", "t1").unwrap().is_none() && tables.file("a", "valid").unwrap().is_none());
}
