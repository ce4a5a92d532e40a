//! Lines that are models, and lines that are not.

use super::*;

#[test]
fn a_line_is_read_and_written_alike() {
    let text = concat!(
        r#"{"id":"m","name":"M","aliases":["m-1"],"mode":"chat","context":1000,"output":10,"in":["text","image"],"out":["text"],"#,
        r#""can":["tools"],"cannot":["prefill"],"released":"2025-01-01","deprecated":true,"retires_on":"2027-01-02","successor":"n","#,
        r#""prices":[{"rates":{"input":"2.5","input>272000":"5","web_searches":"10"}},"#,
        r#"{"tier":"batch","region":"eu","from":"2026-12-01","currency":"EUR","rates":{"input":"0.0375"}}],"#,
        r#""region_factors":{"us":1100},"price_source":"litellm","sources":["genai-prices","litellm"],"page":"https://x.y"}"#,
        "\n",
    );
    let rows = parse("p", text).unwrap();
    assert_eq!(print(&rows), text);
    assert_eq!(rows[0].provider, "p");
    assert_eq!(rows[0].prices[0].rates.units[&(Unit::Input, 272_000)], Rate(5_000_000_000));
}

#[test]
fn what_is_no_model() {
    let check = |line: &str, expected: &str| {
        let fault = parse("p", &format!("\n{line}")).unwrap_err();
        assert!(fault.line == 2 && fault.message.contains(expected), "{line}: {fault}");
    };
    check("{", "EOF");
    check(r#"{"id":"","mode":"chat","sources":["litellm"]}"#, "needs an id");
    check(r#"{"id":"m","mode":"chat","sources":[]}"#, "`m` needs a source");
    check(r#"{"id":"m","mode":"dance","sources":["litellm"]}"#, "`dance`");
    check(r#"{"id":"m","mode":"chat","sources":["hearsay"]}"#, "`hearsay`");
    check(r#"{"id":"m","mode":"chat","sources":["litellm"],"x":1}"#, "unknown field `x`");
    let prices = |rates: &str| {
        format!(r#"{{"id":"m","mode":"chat","sources":["litellm"],"prices":[{{"rates":{rates}}}]}}"#)
    };
    check(&prices(r#"{"hay":"1"}"#), "`hay` is no unit");
    check(&prices(r#"{"input":"-1"}"#), "`-1` is no price");
    check(&prices(r#"{"input>x":"1"}"#), "`x` is no number of tokens");
    check(&prices(r#"{"input":1}"#), "expected a string");
}
