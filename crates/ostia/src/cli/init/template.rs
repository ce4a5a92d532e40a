//! The text of a first ostia.yaml, and what to do after it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use ostia_providers::{Provider, Providers};

use super::{Choices, Chosen};

/// The variable of the key that clients show.
const GATEWAY_KEY: &str = "OSTIA_KEY";

const HEAD: &str = "\
# Ostia's configuration. `ostia check` reads it, `ostia doctor` tries it, `ostia serve` starts with it.
# Every field: https://github.com/ostia-ai/ostia/blob/main/docs/configuration.md
#
# ${NAME} is the value of an environment variable, in any text. A credential may also be file:/path/to/it.
# Times are 500ms, 5s, 2m, 1h; sizes are 64KiB, 64MiB, 1GiB.
";

const TAIL: &str = "
# What stands here is the default.
# timeouts:
#   connect: 5s         # until the connection stands
#   first_byte: 120s    # until the answer begins
#   idle: 120s          # between two parts of the answer
#   total: 600s         # the whole request, all attempts together
#   drain: 30s          # how long open calls may go on when the gateway stops
# limits:
#   body_bytes: 64MiB
#   connections: 65536

# A routing config by name, for `x-ostia-config: careful`: whom to ask next when the first fails.
# configs:
#   careful:
#     strategy: { mode: fallback }
#     targets:
#       - { provider: openai, retry: { attempts: 2 } }
#       - { provider: anthropic, override_params: { model: claude-sonnet-4-5 } }
";

/// The whole file.
pub(super) fn render(choices: &Choices) -> String {
    let mut text = format!("{}\n{HEAD}\n", ostia_config::schema_line());
    listen(choices, &mut text);
    providers(&choices.providers, &mut text);
    text.push_str(TAIL);
    text
}

fn listen(choices: &Choices, text: &mut String) {
    let (loopback, address) = (choices.listen.ip().is_loopback(), choices.listen);
    let (who, mark) = match loopback {
        true => (
            "Programs on this machine only; 0.0.0.0:8787 is for others too, and then clients need a key.",
            "# ",
        ),
        false => ("Other machines too: clients have to show a key.", ""),
    };
    let _ = write!(
        text,
        "# {who}\nlisten: {quote}{address}{quote}\n\n\
         # Clients show one of these, as `Authorization: Bearer ...` or in the header x-ostia-api-key.\n\
         {mark}auth:\n{mark}  keys: [\"${{{GATEWAY_KEY}}}\"]\n\n",
        quote = if address.is_ipv6() { "\"" } else { "" },
    );
}

fn providers(chosen: &[Chosen], text: &mut String) {
    let Some(first) = chosen.first() else {
        text.push_str(
            "# Whom to ask: `ostia providers` lists those that Ostia knows. Without any, clients bring their own keys.\n\
             # default_provider: openai\n\
             # providers:\n#   openai:\n#     api_key: \"${OPENAI_API_KEY}\"\n#     models: [gpt-4o-mini]\n",
        );
        return;
    };
    let _ = write!(
        text,
        "# Whom to ask where a request names nobody (x-ostia-provider, or \"model\": \"@provider/model\").\n\
         default_provider: {}\n\n\
         # `models` is what GET /v1/models lists; nothing else is restricted by it.\nproviders:\n",
        first.id
    );
    chosen.iter().for_each(|chosen| provider(chosen, text));
}

fn provider(chosen: &Chosen, text: &mut String) {
    let Chosen { id, base_url } = chosen;
    let known = Providers::builtin().get(id);
    let docs = known.and_then(|known| known.docs.as_deref()).map(|docs| format!(": {docs}"));
    let name = known.map_or("A server of your own, in OpenAI's format", |known| known.name.as_str());
    let _ = writeln!(text, "  # {name}{}\n  {id}:", docs.unwrap_or_default());
    if let Some(url) = base_url {
        let _ = writeln!(text, "    base_url: \"{}\"", url.replace(['"', '\\'], ""));
    }
    match (known, key_of(known)) {
        (None, _) => text.push_str("    dialects: [openai_chat]\n    auth: none\n"),
        (Some(_), Some(key)) => {
            let _ = writeln!(text, "    api_key: \"${{{key}}}\"");
        }
        (Some(_), None) => {}
    }
    text.push_str("    models: []\n");
}

/// The variable of a provider's key, where it needs one.
fn key_of(known: Option<&Provider>) -> Option<&str> {
    let known = known.filter(|known| known.needs_key())?;
    // The one that is set, where several are usual.
    let set = known.key_env.iter().find(|name| std::env::var_os(name).is_some());
    set.or(known.key_env.first()).map(String::as_str)
}

/// What to do before the gateway starts, and how to start it.
pub(super) fn next_steps(choices: &Choices, path: &Path, is_set: &dyn Fn(&str) -> bool) -> String {
    let mut names: BTreeSet<&str> =
        choices.providers.iter().filter_map(|chosen| key_of(Providers::builtin().get(&chosen.id))).collect();
    if !choices.listen.ip().is_loopback() {
        names.insert(GATEWAY_KEY);
    }
    let mut text = format!("Wrote {}.\n", path.display());
    let missing: Vec<&str> = names.into_iter().filter(|name| !is_set(name)).collect();
    if !missing.is_empty() {
        text.push_str("\nSet before you start:\n");
    }
    for name in missing {
        let value =
            if name == GATEWAY_KEY { "$(openssl rand -hex 24)   # the key that clients show" } else { "..." };
        let _ = writeln!(text, "  export {name}={value}");
    }
    let option = match path == Path::new("ostia.yaml") {
        true => String::new(),
        false => format!(" --config {}", path.display()),
    };
    let _ = write!(
        text,
        "\nThen:\n  ostia doctor{option}   # tries keys and providers\n  ostia serve{option}    # starts the gateway\n"
    );
    text
}
