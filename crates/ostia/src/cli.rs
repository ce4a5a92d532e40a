//! The command line.

pub mod import;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// One door in front of every model: an AI gateway.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
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
  ostia serve --config ostia.yaml        start with providers, keys and bounds from a file
  ostia serve --listen 0.0.0.0:8787      listen for other machines (needs auth.keys in the file)
  ostia check --config ostia.yaml        report every problem of a file and start nothing
  ostia providers                        list every provider: id, base URL, key variable, what it offers

A first call:
  curl http://127.0.0.1:8787/v1/chat/completions -H 'content-type: application/json' \\
    -H 'x-ostia-provider: openai' -H \"authorization: Bearer $OPENAI_API_KEY\" \\
    -d '{\"model\": \"gpt-4o-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the gateway (also without any word).
    Serve(Serve),
    /// Report every problem of a configuration file.
    Check(File),
    /// Translate another gateway's configuration, and tell what becomes of each of its fields.
    Import(import::Import),
    /// List every provider: id, base URL, key variable, what it offers.
    Providers(Providers),
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
    /// Listen beyond this machine without authentication: everybody who reaches the port can use the gateway.
    #[arg(long)]
    pub insecure: bool,
    /// Print nothing at the start.
    #[arg(long, short)]
    pub quiet: bool,
}

/// A configuration file.
#[derive(Debug, Args)]
pub struct File {
    /// Configuration file. Without one, ostia.yaml in the current folder is used where it exists.
    #[arg(long, short, value_name = "FILE", env = "OSTIA_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Options of `providers`.
#[derive(Debug, Args)]
pub struct Providers {
    /// Whose providers count too.
    #[command(flatten)]
    pub file: File,
    /// Print a table in Markdown, with names and links.
    #[arg(long)]
    pub markdown: bool,
}
