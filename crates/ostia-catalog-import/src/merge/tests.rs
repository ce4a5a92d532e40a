//! Who wins, and what is completed.

use ostia_catalog::{Date, parse, print};
use serde_json::{Value, json};

use super::*;
use crate::{data, genai};

/// Joins rows of the provider `p`, and writes what comes of it without what is not looked at.
fn joined(litellm: &str, genai: Value, portkey: &str, decisions: &str) -> (Vec<String>, Vec<String>) {
    let rows = |prices: &str, source: &str| -> Vec<Row> {
        let line = |(id, prices): (&str, &str)| {
            format!(
                r#"{{"id":"{id}","mode":"chat","prices":{prices},"price_source":"{source}","sources":["{source}"]}}"#
            )
        };
        let pairs = prices.lines().filter_map(|line| line.split_once(' '));
        parse("p", &pairs.map(line).collect::<Vec<_>>().join("\n")).unwrap()
    };
    let day = Date::parse("2026-11-29").unwrap();
    let list = json!([{"id": "p", "models": genai}]);
    let models = genai::models(&list, day, &mut crate::report::Skipped::default()).unwrap();
    let decisions = data::decisions_of(&format!("head\n{decisions}")).unwrap();
    let lists = Lists {
        litellm: rows(litellm, "litellm"),
        genai: models,
        portkey: rows(portkey, "portkey"),
        names: rows("m-20250101 []\nm-x []", "portkey"),
    };
    let merged = merge(lists, &decisions).unwrap();
    let lines = print(&merged.rows).replace(r#""mode":"chat","#, "").replace(r#""name":null,"#, "");
    let why =
        merged.disagreements.iter().map(|one| format!("{} {} {}", one.model, one.taken.name(), one.why));
    (lines.lines().map(str::to_owned).collect(), why.collect())
}

const MODEL: &str =
    r#"[{"rates":{"input":"1","output":"2","web_searches":"10"}},{"tier":"batch","rates":{"input":"0.5"}}]"#;

fn m(prices: Value) -> Value {
    json!([{"id": "m", "match": {"or": [{"equals": "m"}, {"starts_with": "m-2"}]}, "prices": prices}])
}

#[test]
fn sources_that_agree_complete_one_another() {
    let genai = m(json!({"input_mtok": 1, "output_mtok": 2, "cache_read_mtok": 0.1}));
    let portkey = r#"m [{"rates":{"input":"1","output":"2"}},{"region":"eu","rates":{"input":"1.1"}}]"#;
    let (rows, why) = joined(&format!("m {MODEL}"), genai, portkey, "");
    let prices = r#""prices":[{"rates":{"cached_input":"0.1","input":"1","output":"2","web_searches":"10"}},{"region":"eu","rates":{"input":"1.1"}},{"tier":"batch","rates":{"input":"0.5"}}]"#;
    // A name that is only recognised by its look is a further name.
    let expected = format!(
        r#"{{"id":"m","aliases":["m-20250101"],{prices},"price_source":"genai-prices","sources":["genai-prices","litellm","portkey"]}}"#
    );
    assert_eq!((rows, why), (vec![expected], vec![]));
}

#[test]
fn sources_that_disagree_are_told_and_do_not_mix() {
    let check = |decisions: &str, prices: &str, source: &str, why: &str| {
        let genai = m(json!({"input_mtok": 3, "output_mtok": 2}));
        let portkey = r#"m [{"rates":{"input":"9","output":"2"}},{"tier":"flex","rates":{"input":"8"}}]"#;
        let (rows, reasons) = joined(&format!("m {MODEL}"), genai, portkey, decisions);
        assert!(rows[0].contains(&format!(r#""prices":{prices},"price_source":"{source}""#)), "{rows:?}");
        assert_eq!(reasons, [why, &format!("m {source} the rule: Portkey's list is older")]);
    };
    let own = r#"[{"rates":{"input":"3","output":"2"}}]"#;
    check("", own, "genai-prices", "m genai-prices undecided: the name stands in both lists");
    check("p\tm\tlitellm\t2026-11-29\tso it is", MODEL, "litellm", "m litellm so it is");
    check("p\t*\tgenai-prices\t2026-11-29\tso it is", own, "genai-prices", "m genai-prices so it is");
    check(
        "q\tm\tlitellm\t2026-11-29\tof another",
        own,
        "genai-prices",
        "m genai-prices undecided: the name stands in both lists",
    );
}

#[test]
fn a_rule_is_weaker_than_a_row() {
    let genai = m(json!({"input_mtok": 3, "output_mtok": 2}));
    let (rows, why) = joined(&format!("m-20250101 {MODEL}"), genai, "", "");
    assert_eq!(why, ["m-20250101 litellm undecided: genai-prices recognises the name by its look only"]);
    assert!(rows[0].starts_with(r#"{"id":"m","#) && rows[0].contains(r#""input":"3""#), "{rows:?}");
    assert!(
        rows[1].contains(r#""id":"m-20250101""#) && rows[1].contains(r#""price_source":"litellm""#),
        "{rows:?}"
    );
}

#[test]
fn the_newest_date_gets_the_name_without_one() {
    let rows = format!("n-20240101 {MODEL}\nn-20250101 {MODEL}\nk-latest {MODEL}");
    let (rows, _) = joined(&rows, json!([]), "", "");
    let aliases: Vec<bool> = rows.iter().map(|row| row.contains(r#""aliases":["n"]"#)).collect();
    assert_eq!(aliases, [false, false, true], "{rows:?}");
}
