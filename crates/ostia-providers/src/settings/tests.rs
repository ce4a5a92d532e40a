use super::*;

#[test]
fn a_template_takes_the_first_value_that_there_is() {
    let value = |name: &str| match name {
        "a" => Some("x y"),
        "b" => Some("m/1:2"),
        _ => None,
    };
    let check = |template: &str, plain: &str, path: &str| {
        assert_eq!(fill(template, value), plain, "{template}");
        assert_eq!(fill_path(template, value), path, "{template}");
    };
    check("", "", "");
    check("/plain", "/plain", "/plain");
    check("/{a}/{b}", "/x y/m/1:2", "/x%20y/m%2F1%3A2");
    check("{none|b|a}!", "m/1:2!", "m%2F1%3A2!");
    check("/{none}/", "//", "//");
    check("/{a", "/{a", "/{a");
    check("a}{b}", "a}m/1:2", "a}m%2F1%3A2");
    assert!(matches!(fill("/plain", value), Cow::Borrowed(_)));
    assert_eq!(names("/{a}/{b|c}?{d").collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_value_is_what_it_may_be() {
    let check = |kind: SettingKind, value: &str, is_good: bool| {
        let setting = Setting { kind, ..Setting::default() };
        assert_eq!(setting.problem(value).is_none(), is_good, "{kind:?} {value}");
    };
    check(SettingKind::Label, "us-east-1", true);
    check(SettingKind::Label, "evil.com/", false);
    check(SettingKind::Label, "a.b", false);
    check(SettingKind::Label, "a#", false);
    check(SettingKind::Label, "-a", false);
    check(SettingKind::Label, "", false);
    check(SettingKind::Label, &"a".repeat(64), false);
    check(SettingKind::Text, "anything/at all", true);
    check(SettingKind::Text, "", false);
    check(SettingKind::Text, &"a".repeat(2049), false);
    check(SettingKind::Url, "https://res.services.ai.azure.com/models", true);
    check(SettingKind::Url, "https://user:pw@host", false);
    check(SettingKind::Url, "ftp://host", false);
}

#[test]
fn a_header_is_named_like_its_setting_unless_it_has_another() {
    assert_eq!(Setting::default().header_name("vertex_project_id"), "vertex-project-id");
    let named = Setting { header: Some("azure-resource-name".to_owned()), ..Setting::default() };
    assert_eq!(named.header_name("resource_name"), "azure-resource-name");
}
