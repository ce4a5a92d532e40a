#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

const ROWS: &str = r#"
    alpha: {name: Alpha, base_url: "https://a", prefix: /v1, dialects: [openai_chat, openai_images, openai_image_edits],
            key_env: [A_KEY, B_KEY], docs: "https://docs", aliases: [al]}
    be: {dialects: [gemini_generate]}
    c: {local: true}
    d: {auth: none, key_env: D_KEY}
"#;

fn providers() -> Providers {
    Providers::default().with(serde_saphyr::from_str(ROWS).unwrap()).unwrap()
}

#[test]
fn the_table_is_aligned() {
    let want = "\
provider  base URL      key     offers
alpha     https://a/v1  $A_KEY  chat, images
be        (yours)       yours   gemini
c         (yours)       none    proxy only
d         (yours)       none    proxy only
";
    assert_eq!(table(&providers(), &key), want);
}

#[test]
fn the_markdown_table_has_links_and_aliases() {
    let out = markdown(&providers());
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[2], "| [Alpha](https://docs) | `alpha`, `al` | https://a/v1 | $A_KEY | chat, images |");
    assert_eq!(lines[3], "| be | `be` | (yours) | yours | gemini |");
}

#[test]
fn the_builtin_table_has_a_line_for_each_provider() {
    let all = Providers::builtin();
    assert_eq!(table(all, &key).lines().count(), all.len() + 1);
    let page = markdown(all);
    let (table, _) = page.split_once("\n## Settings").unwrap();
    assert_eq!(table.lines().count(), all.len() + 2);
}

#[test]
fn settings_have_a_table_of_their_own() {
    assert!(!markdown(&providers()).contains("## Settings"));
    let page = markdown(Providers::builtin());
    let line = "| `azure-openai` | `resource_name` | `azure-resource-name` | $AZURE_RESOURCE_NAME, $AZURE_OPENAI_RESOURCE | needed |";
    assert!(page.contains(line), "{page}");
    let vertex = page.lines().find(|line| line.contains("`vertex-ai`, ")).unwrap();
    assert!(["gemini", "messages", "responses", "chat"].iter().all(|word| vertex.contains(word)), "{vertex}");
}
