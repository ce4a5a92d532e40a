use super::check;

#[test]
fn by_default_the_client_is_told() {
    check("fallback(a b) | a=200!text => a, ok, error");
    check(r#"fallback{"mid_stream":"error"}(a b) | a=200!text => a, ok, error"#);
}

#[test]
fn continue_with_those_that_can() {
    let tree = |a: &str, b: &str| {
        format!(
            r#"fallback{{"mid_stream":"continue"}}(a{{"prefill":{a}}} b{{"prefill":{b}}} c{{"prefill":true}})"#
        )
    };
    let all = tree("true", "true");
    check(&format!("{all} | a=200!text,200 => a, ok, continue a, ok"));
    check(&format!("{all} | a=200!text => a, ok, continue a, continue b, ok"));
    check(&format!("{all} | a=200!text,503 => a, ok, continue a, b, ok"));
    check(&format!("{all} | a=200!tool => a, ok, error"));
    check(&format!(
        "{all} | a=200!text b=200!text => a, ok, continue a, continue b, continue b, continue c, ok"
    ));
    check(&format!("{} | a=200!text => a, ok, continue c, ok", tree("false", "false")));
    check(&format!("{} | a=200!text,503 => a, ok, continue a, c, ok", tree("true", "false")));
    check(r#"fallback{"mid_stream":"continue"}(a b) | a=200!text => a, ok, error"#);
    check(
        r#"fallback{"mid_stream":"continue"}(a{"prefill":true} b) | a=200!text => a, ok, continue a, error"#,
    );
}

#[test]
fn the_winner_of_two_goes_on_with_its_own_answer() {
    let tree = r#"fallback{"mid_stream":"continue","hedge":{"after":100}}(a{"prefill":true} b)"#;
    check(&format!("{tree} | a=200@200!text,200 b=200@900 => a, +b, ok, continue a, ok"));
}

#[test]
fn bounds_hold_here_too() {
    let tree = r#"fallback{"mid_stream":"continue","deadline":1000}(a{"prefill":true} b{"prefill":true})"#;
    check(&format!("{tree} | a=200@1000!text => a, ok, error"));
    check(&format!("{tree} | a=200@500!text,200@600 => a, ok, continue a, deadline"));
    let none = r#"a{"mid_stream":"continue","prefill":true,"retry":{"attempts":1,"budget":0}}"#;
    check(&format!("{none} | a=200!text => a, ok, error"));
}
