use super::*;

#[test]
fn a_star_stands_for_any_part() {
    let check = |pattern: &str, text: &str, is_one: bool| {
        assert_eq!(fits(pattern, text), is_one, "{pattern} {text}");
    };
    check("claude", "claude", true);
    check("claude", "claude-3", false);
    check("claude*", "claude-3", true);
    check("*claude*", "us.anthropic.claude-3", true);
    check("*.claude", "anthropic.claude", true);
    check("*.claude", "anthropic.claude-3", false);
    check("a*b*c", "a1b2c", true);
    check("a*b*c", "a1c2b", false);
    check("a*a", "a", false);
    check("*", "", true);
    check("", "", true);
    check("", "a", false);
}
