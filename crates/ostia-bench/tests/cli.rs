//! The program as a user starts it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of the test's own, so that it neither waits for nor disturbs a benchmark on this machine.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ostia-bench-test-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn bench(folder: &PathBuf, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostia-bench"));
    command.args(arguments).env("TMPDIR", folder).output().unwrap()
}

#[test]
fn a_run_without_a_gateway_measures_the_direct_way() {
    let folder = folder("direct");
    let json = folder.join("run.json");
    let arguments =
        ["run", "--systems=direct", "--rounds=1", "--seconds=0.3", "--patience=0", "--workloads=unary-300"];
    let output = bench(&folder, &[&arguments[..], &["--json", json.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("unary-300"));
    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let sample = &report["run"]["samples"][0]["measured"];
    assert!(sample["answers"].as_u64().unwrap() > 10 && sample["errors"] == 0, "{sample}");
    assert!(sample["processes"]["load"]["cpu_us"].as_f64().unwrap() > 0.0);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_gateway_that_does_not_start_is_told_and_fails_the_run() {
    let folder = folder("false");
    let arguments =
        ["run", "--systems=ostia", "--bin=/bin/false", "--rounds=1", "--patience=0", "--workloads=unary-300"];
    let output = bench(&folder, &arguments);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("FAILED in round 1: start ostia: ended by itself"), "{told}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_pinned_process_stays_on_its_core() {
    let folder = folder("pin");
    let all = ostia_bench::process::cores().unwrap();
    let core = all.last().unwrap().to_string();
    let output = bench(&folder, &["pin", &core, "--", "grep", "Cpus_allowed_list", "/proc/self/status"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told.split_whitespace().last(), Some(core.as_str()), "{told}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unknown_names_are_refused_with_those_that_are_known() {
    let folder = folder("names");
    for arguments in [["run", "--workloads=unary-301"], ["run", "--systems=apache"]] {
        let output = bench(&folder, &arguments);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("known are"));
    }
    fs::remove_dir_all(folder).unwrap();
}
