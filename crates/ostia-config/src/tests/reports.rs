//! How a report looks: the line, the mark, colours, and what of a long line is shown. Whole reports of broken files are kept in
//! `crates/ostia/tests/broken`.

use super::env;
use crate::check;

/// The shown line and the line of the mark, of the first problem.
fn marked(text: &str) -> (String, String) {
    let report = check("o.yaml", text, &env).report.render(false);
    let mut lines = report.lines().skip(1).map(|line| line[line.find('|').unwrap() + 2..].to_owned());
    (lines.next().unwrap(), lines.next().unwrap())
}

#[test]
fn the_mark_stands_below_what_is_wrong() {
    let cases = [
        ("workers: 0", "workers: 0", "         ^"),
        ("workers:   'many'  # all of them", "workers:   'many'", "           ^^^^^^"),
        ("{\"workers\":0,\"hosts\":[\"a b\"]}", "{\"workers\":0,\"hosts\":[\"a b\"]}", "           ^"),
        ("hosts: [größe/x, b]", "hosts: [größe/x, b]", "        ^^^^^^^"),
        ("hosts: [b, 'it''s: x', c]", "hosts: [b, 'it''s: x', c]", "           ^^^^^^^^^^"),
        ("größe: 1", "größe: 1", "^^^^^"),
        ("limits:\n  connections: ${KEY}", "  connections: ${KEY}", "               ^^^^^^"),
        ("workers: [1, 2]", "workers: [1, 2]", "         ^"),
        ("listen: a#b", "listen: a#b", "        ^^^"),
        (
            "cors: {origins: [https://a.example/x]}",
            "cors: {origins: [https://a.example/x]}",
            "                 ^^^^^^^^^^^^^^^^^^^",
        ),
        ("workers: &n 0", "workers: &n 0", "            ^"),
        ("x-n: &n 0\nworkers: *n", "workers: *n", "         ^^"),
    ];
    for (text, line, mark) in cases {
        let (shown, below) = marked(text);
        assert_eq!((shown.as_str(), below.as_str()), (line, mark), "{text}");
    }
}

#[test]
fn of_a_long_line_what_is_around_the_mark_is_shown() {
    let text = format!(
        "{{hosts: [{}], workers: 0, aliases: {{}}, prices: {{}}{}}}",
        "a, ".repeat(100),
        " ".repeat(9)
    );
    let (line, mark) = marked(&text);
    assert!(line.starts_with("...") && line.contains("workers: 0, aliases") && line.len() < 120, "{line}");
    assert_eq!(line.find('0'), mark.find('^'));
    let (line, mark) = marked(&format!("workers: {}", "x".repeat(5000)));
    assert!(line.ends_with("...") && mark.len() < 120, "{line}\n{mark}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let report = check("o.yaml", "workers: 0\nlisten: 0.0.0.0:80", &env).report;
    assert!(!report.render(false).contains('\x1b'));
    let coloured = report.render(true);
    assert!(coloured.contains("\x1b[1;31merror\x1b[0m") && coloured.contains("\x1b[1;33mwarning\x1b[0m"));
    assert_eq!(check("o.yaml", "workers: 1", &env).report.render(true), "");
}

#[test]
fn errors_come_first_and_a_last_one_says_that_there_are_more() {
    let many: String = (0..300).map(|index| format!("field{index}: 1\n")).collect();
    let report = check("o.yaml", &format!("listen: 0.0.0.0:80\n{many}"), &env).report;
    assert_eq!((report.counts(), report.problems().len()), ((201, 0), 201));
    assert!(report.render(false).contains("there are more problems than these"));
    let few = check("o.yaml", "listen: 0.0.0.0:80\nworkers: 0", &env).report;
    let codes: Vec<&str> = few.problems().iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["wrong_value", "open"]);
}

#[test]
fn fields_for_anchors_are_free_wherever_fields_are_known() {
    let text = "x-a: &a {attempts: 1}\nauth: {x-b: 1, keys: [{key: k, x-c: 1}]}\ntimeouts: {x-d: 1}\nproviders: {groq: {x-e: 1, quirks: \
                {x-f: 1, limits: {x-g: 1}}}}\nconfigs:\n  c: {provider: groq, x-h: 1, retry: {<<: *a, x-i: 1}}\nprices: {m: {input: 1, \
                output: 1, x-j: 1}}\n";
    let report = check("o.yaml", text, &env).report;
    assert!(report.problems().is_empty(), "{report}");
    // Where names are the author's own, they are names like any other.
    let report = check("o.yaml", "providers: {x-nobody: {}}", &env).report;
    assert!(report.has_errors());
}

#[test]
fn a_report_for_programs_says_where_and_what() {
    let checked = check("o.yaml", "workers: 0\nlistn: here\n", &env).report;
    let json = checked.json();
    let entry = json.as_array().unwrap().iter().find(|entry| entry["path"] == "workers").unwrap();
    let kind = (&entry["code"], &entry["severity"], &entry["file"]);
    assert_eq!(kind, (&"wrong_value".into(), &"error".into(), &"o.yaml".into()), "{entry}");
    assert_eq!((&entry["line"], &entry["column"]), (&1.into(), &10.into()));
    assert!(entry["message"].is_string(), "{entry}");
    assert_eq!(json.as_array().unwrap().len(), checked.problems().len());
    assert_eq!(checked.to_string(), checked.render(false).trim_end());
}
