//! `ostia top`: what is asked at the moment, by model and by key. It reads what is kept itself, whether the gateway runs or not.

use std::io::{IsTerminal as _, Write as _};
use std::thread;
use std::time::Duration;

use clap::Args;
use ostia_store::{Filter, Group, Grouping};

use super::logs::{self, KeptIn};

/// Lines of each table.
const LINES_MAX: usize = 15;
/// Longest name that is shown, in characters.
const NAME_MAX: usize = 36;
/// Clears a terminal and begins at its top (ECMA-48).
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Options of `top`.
#[derive(Debug, Args)]
pub struct Top {
    /// Of the last 5m, 1h, 7d.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub since: String,
    /// How often it is looked again, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
    /// Print it once, and end. So it is also where no terminal is.
    #[arg(long)]
    pub once: bool,
    /// Where records are kept.
    #[command(flatten)]
    pub kept: KeptIn,
}

impl Top {
    /// Shows it, until it is stopped.
    ///
    /// # Errors
    /// An option that makes no sense, or a file that cannot be read.
    pub fn run(&self) -> Result<(), String> {
        let mut reader = self.kept.reader()?;
        let mut out = std::io::stdout();
        let is_live = !self.once && out.is_terminal();
        loop {
            let filter = Filter { from_ms: Some(logs::since_ms(&self.since)?), ..Filter::default() };
            let mut text = String::from(if is_live { CLEAR } else { "" });
            for (title, by) in [("MODEL", Grouping::Model), ("KEY", Grouping::Key)] {
                let (_, groups) = reader.sums(&filter, by, logs::now_ms()).map_err(logs::told)?;
                text.push_str(&table(title, &groups));
            }
            let is_read = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
            if !is_live || !is_read {
                return Ok(());
            }
            thread::sleep(Duration::from_secs(self.every));
        }
    }
}

fn table(title: &str, groups: &[Group]) -> String {
    let mut text = format!(
        "{title:NAME_MAX$} {:>8} {:>7} {:>11} {:>9} {:>14} {:>8} {:>8} {:>8}\n",
        "REQUESTS", "FAILED", "TOKENS IN", "OUT", "COST", "P50 MS", "P99 MS", "TTFT MS"
    );
    for group in groups.iter().take(LINES_MAX) {
        let sums = &group.sums;
        let shown: String =
            group.name.chars().map(|c| if c.is_control() { '?' } else { c }).take(NAME_MAX).collect();
        let name = if shown.is_empty() { "-" } else { &shown };
        let ms = |ms: Option<u64>| ms.map_or("-".to_owned(), |ms| ms.to_string());
        text.push_str(&format!(
            "{name:NAME_MAX$} {:>8} {:>7} {:>11} {:>9} {:>14} {:>8} {:>8} {:>8}\n",
            sums.requests,
            sums.failed,
            sums.prompt_tokens,
            sums.completion_tokens,
            cost(group),
            ms(sums.durations.percentile_ms(50)),
            ms(sums.durations.percentile_ms(99)),
            ms(sums.first_tokens.percentile_ms(50)),
        ));
    }
    if groups.len() > LINES_MAX {
        text.push_str(&format!("and {} more\n", groups.len() - LINES_MAX));
    }
    text.push('\n');
    text
}

/// Money by currency, rounded to be read; with a question mark where some is not known.
fn cost(group: &Group) -> String {
    let rounded = |(currency, amount): (&str, String)| {
        format!("{:.4} {currency}", amount.parse::<f64>().unwrap_or_default())
    };
    let known: Vec<String> = group.sums.costs().into_iter().map(rounded).collect();
    let mark = if group.sums.unpriced > 0 { "?" } else { "" };
    if known.is_empty() && mark.is_empty() { "-".to_owned() } else { known.join("+") + mark }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ostia_store::Sums;

    #[test]
    fn tables_for_people() {
        let sums = Sums {
            requests: 3,
            failed: 1,
            prompt_tokens: 900,
            completion_tokens: 20,
            unpriced: 1,
            cost: [("USD".to_owned(), 1_234_560_000_000_000)].into(),
            ..Sums::default()
        };
        let mut groups = vec![Group { name: "gpt\u{1b}".into(), sums }];
        groups.extend((0..LINES_MAX).map(|_| Group::default()));
        let text = table("MODEL", &groups);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["gpt?", "3", "1", "900", "20", "0.0012", "USD?", "-", "-", "-"]);
        assert_eq!(lines[2], ["-", "0", "0", "0", "0", "-", "-", "-", "-"]);
        assert_eq!(lines[LINES_MAX + 1], ["and", "1", "more"]);
    }
}
