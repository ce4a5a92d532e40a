//! `cargo xtask bench`: makes everything ready that the benchmark needs, and runs it.
//!
//! nginx is installed where it is missing and we may install it; the gateway is built as it is
//! published (profile `dist`); all options but `--help` go on to `ostia-bench run`.

use std::path::Path;
use std::process::Command;

use crate::{nginx, tool};

const HELP: &str = "\
cargo xtask bench [OPTIONS]

Measures the gateway beside nginx, on one core, in about 40 minutes. Leave the machine alone meanwhile.
Builds `ostia` (profile dist) and the benchmark; installs Debian's nginx-light where nginx is missing
and it runs as root.

  --systems LIST     of direct, nginx, ostia; all by default
  --workloads LIST   by name (below); all by default
  --rounds N         times that everything is measured; 3 by default
  --seconds S        length of a measured window; 5 by default
  --minutes N        for which `records-memory` watches memory; 1 by default
  --patience S       how long to wait for a quiet machine before a window; 30 by default;
                     0 neither waits nor repeats windows in which others disturbed
  --bin PATH         measure this gateway and build none
  --json FILE        also write everything that was measured
  --nginx PATH       by default /usr/sbin/nginx
  --gateway-argument ARG   another argument for `ostia serve`, more than once if need be

Workloads: unary-300 unary-10k unary-200k embeddings-300 rate-500 stream-spaced stream-saturated
routed-300 named-300 routed-saturated
translated-300 translated-10k translated-spaced translated-saturated
responses-anthropic-300 responses-anthropic-10k responses-anthropic-saturated
messages-openai-300 messages-openai-10k messages-openai-saturated
chat-gemini-300 chat-gemini-10k chat-gemini-saturated chat-bedrock-300 chat-bedrock-saturated
log-off-300 log-off-saturated records-300 records-saturated records-bodies-300 records-bodies-saturated
reloads-300 plain-300 tls-300 http2-300 http2-tls-300
plain-saturated tls-saturated http2-saturated http2-tls-saturated streams-1000 records-memory
frames-200 frames-4k sockets-1000 sockets-bridged-1000

The figure to trust is CPU time per request or chunk: it hardly moves with the machine's mood. Rates
and latencies do, so look at their ratio to nginx, and at the least and most in brackets.
Method, and how to read the tables: benches/README.md.

  cargo xtask bench --workloads unary-300,stream-saturated --rounds 3     a quick look
  cargo xtask bench --systems ostia --workloads unary-300,messages-openai-300   what translating adds
  cargo xtask bench --systems nginx,ostia --workloads unary-300,log-off-300     what the access log costs
  cargo xtask bench --systems ostia --workloads unary-300,records-300,records-bodies-300    records
  cargo xtask bench --systems ostia --workloads records-memory --rounds 1 --minutes 10      memory, with records
  cargo xtask bench --systems ostia --workloads unary-300,reloads-300           a reload every 100 ms
  cargo xtask bench --systems nginx,ostia --workloads plain-300,tls-300,http2-300,http2-tls-300
  cargo xtask bench --json benches/results/before.json                    to compare with later";

/// Runs the task with the arguments behind its name.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return Ok(());
    }
    let target = tool::target_folder()?;
    if wants(arguments, "nginx") && !has_option(arguments, "--nginx") && !Path::new(nginx::PROGRAM).exists() {
        install_nginx()?;
    }
    make_folder_of_json(arguments)?;
    tool::run(tool::cargo(&["build", "--release", "--package", "ostia-bench"]))?;
    let mut bench = Command::new(target.join("release/ostia-bench"));
    bench.arg("run").args(arguments);
    if wants(arguments, "ostia") && !has_option(arguments, "--bin") {
        tool::run(tool::cargo(&["build", "--profile", "dist", "--package", "ostia"]))?;
        bench.arg("--bin").arg(target.join("dist/ostia"));
    }
    tool::run(bench)
}

/// The value of `--name VALUE` or `--name=VALUE`.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument.split('=').next() == Some(name))?;
    match arguments.get(at)?.split_once('=') {
        Some((_, value)) => Some(value),
        None => arguments.get(at + 1).map(String::as_str),
    }
}

fn has_option(arguments: &[String], name: &str) -> bool {
    option(arguments, name).is_some()
}

/// Whether the system is to be measured.
fn wants(arguments: &[String], system: &str) -> bool {
    option(arguments, "--systems").is_none_or(|systems| systems.split(',').any(|name| name == system))
}

fn make_folder_of_json(arguments: &[String]) -> Result<(), String> {
    let Some(folder) = option(arguments, "--json").and_then(|file| Path::new(file).parent()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn install_nginx() -> Result<(), String> {
    nginx::install().map_err(|problem| {
        format!("{problem}\ninstall nginx by hand, name it with --nginx, or leave it out with --systems direct,ostia")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_in_both_spellings() {
        let given = arguments("--bin x/y --json=a/b.json --rounds 3");
        assert_eq!(option(&given, "--bin"), Some("x/y"));
        assert_eq!(option(&given, "--json"), Some("a/b.json"));
        assert_eq!(option(&given, "--seconds"), None);
    }

    #[test]
    fn all_systems_are_wanted_unless_some_are_named() {
        assert!(wants(&arguments("--rounds 1"), "ostia"));
        assert!(wants(&arguments("--systems direct,nginx"), "nginx"));
        assert!(!wants(&arguments("--systems=direct,nginx"), "ostia"));
    }
}
