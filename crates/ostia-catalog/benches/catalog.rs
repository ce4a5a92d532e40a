//! What the catalogue costs: `cargo bench -p ostia-catalog --bench catalog`. CPU time of this thread, least of some rounds.
//!
//! Bounds that are held: opening below 5 ms, a look-up below 200 ns, the embedded form below 1 MiB.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::Duration;

use ostia_catalog::{Catalog, Row, Terms, Tier, Tokens, Usage, cost};
use rustix::time::{ClockId, clock_gettime};

/// Each part is measured so often; the least counts, because everything else on the machine only adds to it.
const ROUNDS: usize = 9;

fn main() {
    println!("CPU time of the thread, least of {ROUNDS} rounds\n");
    let before = resident();
    let catalog = Catalog::embedded();
    report("open the embedded catalogue", least(100_000, || keep(Catalog::embedded())));
    println!("{:<60} {:>9} bytes", "embedded form", catalog.byte_count());

    // Of a provider's 900 and of a small one; by all forms of a name.
    let names = [
        ("listed", "openai", "gpt-4o-mini"),
        ("listed, of the provider with most models", "openrouter", "qwen/qwen3.6-flash"),
        ("an alias", "anthropic", "claude-sonnet-4-20250514"),
        ("a date that is not listed", "openai", "gpt-4o-2099-01-01"),
        ("Vertex's version", "vertex-ai", "claude-3-5-haiku-20241022"),
        ("Bedrock's region", "bedrock", "apac.amazon.nova-premier-v1:0"),
        ("an ARN", "bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"),
        ("a tuned model", "openai", "ft:gpt-4o-mini-2024-07-18:org:name:id"),
    ];
    for (what, provider, name) in names {
        assert!(catalog.find(provider, name).is_some(), "{provider} {name}");
        report(
            &format!("find {what}"),
            least(100_000, || keep(catalog.find(black_box(provider), black_box(name)))),
        );
    }
    report(
        "find what is unknown",
        least(100_000, || keep(catalog.find("openai", black_box("x-2099-01-01")))),
    );
    println!("{:<60} {before} before, {} after these", "resident anonymous memory", resident());
    let all: Vec<(String, String)> =
        catalog.models().map(|model| (model.provider.to_owned(), model.id.to_owned())).collect();
    let every = least(20, || all.iter().for_each(|(provider, id)| keep(catalog.find(provider, id))));
    report("find, on average over all models in turn", every / all.len() as f64);

    let tokens = Tokens { prompt: 1000, cached: 200, completion: 300, reasoning: 100, ..Tokens::default() };
    let usage = Usage::of(tokens);
    for (tier, provider, name) in [
        (Tier::Standard, "openai", "gpt-5.4"),
        (Tier::Batch, "openai", "gpt-5.4"),
        (Tier::Standard, "bedrock", "amazon.nova-pro-v1:0"),
    ] {
        let prices = catalog.find(provider, name).unwrap().model.prices;
        let terms = Terms { tier, ..Terms::default() };
        let time = least(20_000, || keep(cost(black_box(&usage), &prices, &terms)));
        report(&format!("cost of four lines, {} {}, {name}", tier.name(), provider), time);
    }

    let rows: Vec<Row> = catalog.models().map(|model| model.row()).collect();
    report("build it from rows, for comparison", least(1, || keep(Catalog::of(&rows, &[]))));
}

/// Makes the compiler believe that somebody wants it.
fn keep<T>(value: T) {
    black_box(value);
}

/// Least CPU time of one of `count` turns of `work`, in nanoseconds.
fn least(count: usize, mut work: impl FnMut()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let began = cpu_time();
        for _ in 0..count {
            work();
        }
        (cpu_time() - began).as_nanos() as f64 / count as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn report(what: &str, nanoseconds: f64) {
    println!("{what:<60} {nanoseconds:>9.1} ns");
}

/// What Linux counts as this process's own memory.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.unwrap_or("unknown").trim().to_owned()
}
