//! The command line. What a subcommand does, other than serving, is in a file of its own.

pub mod banner;
pub mod catalog;
pub mod check;
pub mod doctor;
pub mod health;
pub mod import;
pub mod init;
pub mod logs;
pub mod manual;
pub mod models;
pub mod providers;
pub mod reprice;
mod schema;
pub mod top;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ostia_config::Report;

use crate::log::{Filter, Format};
use crate::terminal;

/// What `--version` says behind the name.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("OSTIA_COMMIT"), ")");

/// One door in front of every model: an AI gateway.
#[derive(Debug, Parser)]
#[command(name = "ostia", version = VERSION, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without a word the gateway is started.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `serve`.
    #[command(flatten)]
    pub serve: Serve,
}

const EXAMPLES: &str = "\
Examples:
  ostia                                  start on 127.0.0.1:8787; clients name the provider and bring its key
  ostia init                             write an ostia.yaml with your providers, from a few questions
  ostia doctor                           try it: keys, hosts, clock, open files, and each provider's models
  ostia serve --config ostia.yaml        start with providers, keys and bounds from a file
  ostia serve --listen 0.0.0.0:8787      listen for other machines (needs auth.keys in the file)
  ostia check --config ostia.yaml        report every problem of a file and start nothing
  ostia reload                           have the running gateway read its configuration again
  ostia schema > ostia.schema.json       the JSON Schema of the file, for editors
  ostia providers                        list every provider: id, base URL, where its key comes from, what it offers
  ostia logs --follow                    what is asked and answered, with tokens and cost
  ostia models --can vision,tools        list models: what they take, give, can and cost

A first call:
  curl http://127.0.0.1:8787/v1/chat/completions -H 'content-type: application/json' \\
    -H 'x-ostia-provider: openai' -H \"authorization: Bearer $OPENAI_API_KEY\" \\
    -d '{\"model\": \"gpt-4o-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the gateway (also without any word).
    #[command(after_help = "\
Examples:
  ostia serve                                              on 127.0.0.1:8787, with ostia.yaml where it exists
  OSTIA_KEY=... ostia serve --config /etc/ostia/ostia.yaml --listen 0.0.0.0:8787
  ostia serve --listen 127.0.0.1:0                         on a free port, which it prints")]
    Serve(Serve),
    /// Report every problem of a configuration file.
    #[command(after_help = "\
Examples:
  ostia check                            ostia.yaml in the current folder
  ostia check --config staging.yaml && ostia serve --config staging.yaml")]
    Check(check::Check),
    /// Print the JSON Schema of the configuration file, for editors.
    #[command(after_help = "\
Examples:
  ostia schema > ostia.schema.json")]
    Schema,
    /// Translate another gateway's configuration, and tell what becomes of each of its fields.
    #[command(after_help = "\
Examples:
  ostia import litellm config.yaml > ostia.yaml
  ostia import portkey config.json --json")]
    Import(import::Import),
    /// Write a commented configuration file, from flags or a few questions.
    #[command(after_help = "\
Examples:
  ostia init                                               ask; the answers' defaults are what the environment has keys for
  ostia init --provider openai --provider anthropic        no questions
  ostia init --provider vllm=http://10.0.0.5:8000/v1 --listen 0.0.0.0:8787
  ostia init --yes --output -                              print it")]
    Init(init::Init),
    /// Try a configuration: file, keys, hosts, clock, open files, and each provider's models.
    #[command(after_help = "\
Examples:
  ostia doctor                           all of it; ends with status 1 where something has to be done
  ostia doctor --provider openai         one provider
  ostia doctor --offline                 without asking anybody outside")]
    Doctor(doctor::Doctor),
    /// Have a gateway that runs on this machine read its configuration again, and say what came of it.
    #[command(after_help = "\
Examples:
  ostia reload                           the gateway of this user on this machine
  ostia reload --listen 127.0.0.1:8787   where several run, the one that listens there")]
    Reload(Reload),
    /// List every provider: id, base URL, where its key comes from, what it offers.
    #[command(after_help = "\
Examples:
  ostia providers | grep -i mistral
  ostia providers --config ostia.yaml    with those of the file")]
    Providers(providers::Providers),
    /// List models of the catalogue: how much they take and give, what they cost and can, until when they answer.
    #[command(after_help = "\
Examples:
  ostia models --provider openai                 the models of one provider
  ostia models sonnet                            those whose names contain a word, at all providers
  ostia models --can vision,tools --max-price 1  that see and call tools, for at most $1 for a million tokens in
  ostia models gpt-5 --json | jq .prices         everything that is known, as JSON lines")]
    Models(models::Models),
    /// Say which catalogue of models is in force, or put a newer one in its place.
    #[command(
        subcommand,
        after_help = "\
Examples:
  ostia catalog show                     of which day it is, how many models, from which sources, where it lies
  ostia catalog update catalog.bin       check a newer one whole, and put it in force"
    )]
    Catalog(catalog::Words),
    /// Print what was kept of requests: who was asked, how long it took, tokens and cost.
    #[command(after_help = "\
Examples:
  ostia logs                             the newest requests
  ostia logs --follow --status error     failures as they come
  ostia logs --since 1h --json | jq .    all that is kept of the last hour, as JSON lines
  ostia logs export --since 7d > w.jsonl all of a week")]
    Logs(Box<logs::Logs>),
    /// Show what is asked at the moment, by model and by key: requests, tokens, cost, times.
    #[command(after_help = "\
Examples:
  ostia top                              the last five minutes, again and again
  ostia top --since 1d --once            a day, once")]
    Top(top::Top),
    /// Put the prices that are known now on requests that were kept.
    #[command(after_help = "\
Examples:
  ostia reprice --since 30d              after a price was written into ostia.yaml, or a newer catalogue came
  ostia reprice --since 12h --config /etc/ostia/ostia.yaml --data /var/lib/ostia")]
    Reprice(reprice::Reprice),
    /// Ask a running gateway whether it takes calls; for containers and scripts.
    #[command(after_help = "\
Examples:
  ostia health                           the address of ostia.yaml, OSTIA_LISTEN, or 127.0.0.1:8787
  ostia health --listen 10.0.0.7:8787 && echo up
  HEALTHCHECK CMD [\"/usr/bin/ostia\", \"health\"]                in a Dockerfile")]
    Health(health::Health),
    /// Print completions for a shell.
    #[command(after_help = "\
Examples:
  ostia completions bash > /etc/bash_completion.d/ostia
  ostia completions zsh > \"${fpath[1]}/_ostia\"
  ostia completions fish > ~/.config/fish/completions/ostia.fish")]
    Completions(manual::Completions),
    /// Print the manual page, or write those of all subcommands.
    #[command(after_help = "\
Examples:
  ostia man | man -l -
  ostia man --output /usr/local/share/man/man1")]
    Man(manual::Man),
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration file. Without one, ostia.yaml in the current folder is used where it exists.
    #[arg(long, short, value_name = "FILE", env = "OSTIA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address and port; goes before the file's `listen`.
    #[arg(long, short, value_name = "ADDRESS", env = "OSTIA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Directory for what the gateway keeps. Default: ostia in the user's data home (XDG_DATA_HOME, else ~/.local/share).
    #[arg(long, value_name = "DIRECTORY", env = "OSTIA_DATA")]
    pub data: Option<PathBuf>,
    /// Listen beyond this machine without authentication: everybody who reaches the port can use the gateway.
    #[arg(long)]
    pub insecure: bool,
    /// Print nothing at the start.
    #[arg(long, short)]
    pub quiet: bool,
    /// What is logged: off, error, warn, info or debug, also for access, config or server alone: `access=off`, `warn,access=info`.
    #[arg(long, value_name = "FILTER", env = "OSTIA_LOG", default_value = "info")]
    pub log: Filter,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", env = "OSTIA_LOG_FORMAT", default_value = "text")]
    pub log_format: Format,
}

/// A configuration file.
#[derive(Debug, Args)]
pub struct File {
    /// Configuration file. Without one, ostia.yaml in the current folder is used where it exists.
    #[arg(long, short, value_name = "FILE", env = "OSTIA_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Options of `reload`.
#[derive(Debug, Args)]
pub struct Reload {
    /// Where the gateway listens. Without it there has to be one gateway only.
    #[arg(long, short, value_name = "ADDRESS", env = "OSTIA_LISTEN")]
    pub listen: Option<SocketAddr>,
}

pub use schema::text as schema_text;

/// A report as it is written to stderr: in colours if that is a terminal.
pub fn shown(report: &Report) -> String {
    report.render(terminal::takes_colours(&std::io::stderr()))
}
