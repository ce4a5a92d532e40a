#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Imported, litellm, portkey};
use crate::{Code, Problem};

/// The translation, which has to be a file that is right, and its verdicts, one in a line.
#[track_caller]
fn check(imported: &Imported, file: &str, verdicts: &str) {
    let told: String = imported
        .verdicts
        .iter()
        .map(|verdict| format!("{}\t{}\t{}\n", verdict.carried.as_str(), verdict.path, verdict.note))
        .collect();
    assert_eq!(imported.text, file, "{}", imported.text);
    assert_eq!(told, verdicts, "{told}");
    // Providers of Portkey's virtual keys are for the operator to write, as the verdicts say.
    let is_unknown = |problem: &Problem| problem.code == Code::UnknownName;
    if let Err(problems) = crate::load(&imported.text, &|_| Some("value".to_owned())) {
        assert!(problems.iter().all(is_unknown), "{problems:?}");
    }
}

#[test]
fn a_file_of_litellms() {
    let imported = litellm(include_str!("tests/litellm.yaml")).unwrap();
    check(&imported, include_str!("tests/litellm.ostia.yaml"), include_str!("tests/litellm.txt"));
}

#[test]
fn a_config_of_portkeys() {
    let imported = portkey(include_str!("tests/portkey.json")).unwrap();
    check(&imported, include_str!("tests/portkey.ostia.yaml"), include_str!("tests/portkey.txt"));
}

#[test]
fn files_that_are_none() {
    for text in ["", "[1]", "a: [", "just words"] {
        assert!(litellm(text).is_err() && portkey(text).is_err(), "{text}");
    }
    for text in ["{}", "model_list: 3", "model_list: [1, {}]", "router_settings: {fallbacks: 3, timeout: x}"]
    {
        let imported = litellm(text).unwrap();
        assert!(crate::load(&imported.text, &|_| None).is_ok(), "{text}: {}", imported.text);
    }
}
