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

#[test]
fn a_beginning_is_taken_off_whatever_its_stars_are() {
    let check = |pattern: &str, text: &str, rest: Option<&str>| {
        assert_eq!(behind(pattern, text), rest, "{pattern} {text}");
    };
    check("", "a", Some("a"));
    check("google.", "google.gemini", Some("gemini"));
    check("google.", "gemini", None);
    check("projects/*/endpoints/", "projects/p/locations/l/endpoints/9", Some("9"));
    check("projects/*/endpoints/", "projects/p/locations/l/models/9", None);
    check("a*b", "a1b2b3", Some("2b3"));
    check("a*", "ab", Some("b"));
    check("ä*ö", "äüöß", Some("ß"));
}
