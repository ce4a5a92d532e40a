//! Tables of a [`Run`]: medians over the rounds, and the gateway held against the yardstick.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::record::{Memory, Run, Sample, System};
use crate::workloads::{Pace, Serving, Transport, WORKLOADS, Workload};
use table::Table;

mod table;

/// One figure of a window.
#[derive(Debug, Clone, Copy)]
struct Figure {
    /// Its name in JSON, with the unit.
    name: &'static str,
    /// Its head in tables.
    head: &'static str,
    show: Show,
    of: fn(&Sample) -> Option<f64>,
}

/// What the table says of a figure below the systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    /// The figure itself.
    Plain,
    /// Also as a ratio to nginx, and its spread.
    Ratio,
    /// Also as a ratio to nginx, and as time added to nginx and to the direct way.
    Added,
}

const ANSWERS: Figure =
    Figure { name: "requests_per_s", head: "requests/s", show: Show::Ratio, of: answers_per_s };
const CPU_REQUEST: Figure =
    Figure { name: "cpu_us_per_request", head: "CPU us/request", show: Show::Ratio, of: cpu_per_request };
const FRAMES: Figure = Figure { name: "frames_per_s", head: "frames/s", show: Show::Ratio, of: frames_per_s };
const CPU_FRAME: Figure =
    Figure { name: "cpu_us_per_frame", head: "CPU us/frame", show: Show::Ratio, of: cpu_per_frame };
const LATENCY_P50: Figure = Figure {
    name: "latency_p50_us",
    head: "p50 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.latency?.p50_us),
};
const LATENCY_P99: Figure = Figure {
    name: "latency_p99_us",
    head: "p99 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.latency?.p99_us),
};
const CHUNKS: Figure = Figure { name: "chunks_per_s", head: "chunks/s", show: Show::Ratio, of: chunks_per_s };
const CPU_CHUNK: Figure =
    Figure { name: "cpu_us_per_chunk", head: "CPU us/chunk", show: Show::Ratio, of: cpu_per_chunk };
const FIRST_P50: Figure = Figure {
    name: "first_chunk_p50_us",
    head: "first p50 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.first_chunk?.p50_us),
};
const FIRST_P99: Figure = Figure {
    name: "first_chunk_p99_us",
    head: "first p99 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.first_chunk?.p99_us),
};
const CHUNK_P50: Figure = Figure {
    name: "chunk_p50_us",
    head: "chunk p50 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.chunk?.p50_us),
};
const CHUNK_P99: Figure = Figure {
    name: "chunk_p99_us",
    head: "chunk p99 us",
    show: Show::Added,
    of: |sample| Some(sample.measured.chunk?.p99_us),
};
const LATE: Figure = Figure {
    name: "chunks_late_percent",
    head: "late %",
    show: Show::Plain,
    of: |sample| sample.measured.chunk.map(|_| sample.measured.chunks_late * 100.0),
};
const MEMORY: Figure = Figure { name: "memory_mb", head: "memory MB", show: Show::Plain, of: memory_mb };
const MEMORY_BEFORE: Figure =
    Figure { name: "memory_before_mb", head: "before MB", show: Show::Plain, of: memory_before_mb };
const OPEN: Figure = Figure {
    name: "streams_open",
    head: "streams open",
    show: Show::Plain,
    of: |sample| Some(sample.measured.streams_open as f64),
};
const PER_STREAM: Figure =
    Figure { name: "kb_per_stream", head: "KB/stream", show: Show::Ratio, of: kb_per_stream };
const RELOADS: Figure = Figure {
    name: "reloads",
    head: "reloads",
    show: Show::Plain,
    of: |sample| sample.measured.reloads.map(|count| count as f64),
};
const FOREIGN: Figure = Figure {
    name: "foreign_cores",
    head: "foreign cores",
    show: Show::Plain,
    of: |sample| Some(sample.measured.foreign_cores),
};
const ERRORS: Figure = Figure {
    name: "errors",
    head: "errors",
    show: Show::Plain,
    of: |sample| Some((sample.measured.errors + sample.measured.unfinished) as f64),
};

fn figures(workload: &Workload) -> &'static [Figure] {
    if workload.by_minute {
        &[ANSWERS, CPU_REQUEST, LATENCY_P50, LATENCY_P99, MEMORY, FOREIGN, ERRORS]
    } else if workload.fresh_process {
        &[MEMORY_BEFORE, MEMORY, OPEN, PER_STREAM, FOREIGN, ERRORS]
    } else if workload.transport == Some(Transport::WebSocket) {
        &[FRAMES, CPU_FRAME, LATENCY_P50, LATENCY_P99, MEMORY, FOREIGN, ERRORS]
    } else if workload.serving == Serving::Reloading {
        &[ANSWERS, CPU_REQUEST, LATENCY_P50, LATENCY_P99, RELOADS, MEMORY_BEFORE, MEMORY, FOREIGN, ERRORS]
    } else if workload.streams() {
        &[CHUNKS, CPU_CHUNK, FIRST_P50, FIRST_P99, CHUNK_P50, CHUNK_P99, LATE, MEMORY, FOREIGN, ERRORS]
    } else {
        &[ANSWERS, CPU_REQUEST, LATENCY_P50, LATENCY_P99, MEMORY, FOREIGN, ERRORS]
    }
}

fn answers_per_s(sample: &Sample) -> Option<f64> {
    positive(sample.measured.answers as f64 / sample.measured.seconds)
}

/// One goes there and one comes back.
fn frames_per_s(sample: &Sample) -> Option<f64> {
    answers_per_s(sample).map(|answers| 2.0 * answers)
}

fn cpu_per_frame(sample: &Sample) -> Option<f64> {
    cpu_per_request(sample).map(|cpu_us| cpu_us / 2.0)
}

fn chunks_per_s(sample: &Sample) -> Option<f64> {
    positive(sample.measured.chunks as f64 / sample.measured.seconds)
}

fn cpu_per_request(sample: &Sample) -> Option<f64> {
    positive(sample.measured.processes.get("gateway")?.cpu_us / sample.measured.answers as f64)
}

fn cpu_per_chunk(sample: &Sample) -> Option<f64> {
    positive(sample.measured.processes.get("gateway")?.cpu_us / sample.measured.chunks as f64)
}

fn memory_mb(sample: &Sample) -> Option<f64> {
    Some(sample.measured.processes.get("gateway")?.resident_after_kb as f64 / 1024.0)
}

fn memory_before_mb(sample: &Sample) -> Option<f64> {
    Some(sample.measured.processes.get("gateway")?.resident_before_kb as f64 / 1024.0)
}

fn kb_per_stream(sample: &Sample) -> Option<f64> {
    positive((memory_mb(sample)? - memory_before_mb(sample)?) * 1024.0 / sample.measured.streams_open as f64)
}

/// A division by nothing is no figure.
fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

/// A figure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle - 1)? } else { upper };
        Some(Self { median: (upper + lower) / 2.0, min: *values.first()?, max: *values.last()? })
    }
}

fn spread(run: &Run, workload: &str, system: System, figure: &Figure) -> Option<Spread> {
    let samples = run.samples.iter().filter(|sample| sample.system == system && sample.workload == workload);
    Spread::of(samples.filter_map(figure.of).collect())
}

/// One sample in one line, for the progress.
#[must_use]
pub fn line(sample: &Sample) -> String {
    let mut line = format!("{:<20} {:<6}", sample.workload, sample.system.name());
    let workload = Workload::named(&sample.workload).unwrap_or(Workload::plain());
    for figure in figures(workload) {
        if let Some(value) = (figure.of)(sample) {
            let _ = write!(line, "  {} {}", table::number(value), figure.head);
        }
    }
    if let Some(error) = &sample.measured.error_first {
        let _ = write!(line, "  FIRST ERROR: {error}");
    }
    line
}

/// Memory minute by minute in one line.
#[must_use]
pub fn memory_line(memory: &Memory) -> String {
    let mb = |kb: u64| table::number(kb as f64 / 1024.0);
    let minutes: Vec<String> = memory.minutes_kb.iter().map(|kb| mb(*kb)).collect();
    format!(
        "{} {}, round {}: {} MB idle; {} after each minute; {} after 30 s, {} x idle",
        memory.workload,
        memory.system.name(),
        memory.round,
        mb(memory.idle_kb),
        minutes.join(" "),
        mb(memory.rested_kb),
        table::number(memory.rested_kb as f64 / memory.idle_kb as f64)
    )
}

/// The whole report for a reader.
#[must_use]
pub fn text(run: &Run) -> String {
    let mut text = heading(run);
    for workload in measured_workloads(run) {
        let _ =
            write!(text, "\n{}: {}\n{}", workload.name, workload.title, workload_table(run, workload).text());
    }
    if !run.lives.is_empty() {
        let _ = write!(text, "\nmemory and start\n{}", lives_table(run).text());
    }
    for memory in &run.memories {
        let _ = writeln!(text, "\n{}", memory_line(memory));
    }
    for failure in &run.failures {
        let (system, reason) = (failure.system.name(), &failure.reason);
        let _ = writeln!(text, "FAILED in round {}: {} {system}: {reason}", failure.round, failure.workload);
    }
    text
}

fn heading(run: &Run) -> String {
    let setup = &run.setup;
    let mut text = format!(
        "medians of {} rounds [least-most], windows of {:.1} s; gateway on core {}, mock and load on core {}\n{}, Linux {}\n",
        setup.rounds,
        setup.window_ms as f64 / 1e3,
        setup.gateway_core,
        setup.load_core,
        setup.processor,
        setup.kernel
    );
    if let Some((path, bytes)) = &setup.gateway {
        let _ = writeln!(text, "gateway: {path} ({:.1} MB)", *bytes as f64 / 1e6);
    }
    if let Some(nginx) = &setup.nginx {
        let _ = writeln!(text, "yardstick: {nginx}");
    }
    text
}

fn measured_workloads(run: &Run) -> impl Iterator<Item = &'static Workload> {
    WORKLOADS.iter().filter(|workload| run.samples.iter().any(|sample| sample.workload == workload.name))
}

/// Where a system's figure for a workload is found: in the yardstick workload where the system can't
/// take this one.
fn measured_as(workload: &Workload, system: System) -> &'static str {
    if system.takes(workload) { workload.name } else { workload.yardstick }
}

fn workload_table(run: &Run, workload: &Workload) -> Table {
    let figures = figures(workload);
    let mut table = Table::new("", figures.iter().map(|figure| figure.head));
    for system in System::ALL {
        let name = measured_as(workload, system);
        let label = if name == workload.name {
            system.name().to_owned()
        } else {
            format!("{} {name}", system.name())
        };
        let cell = |figure: &Figure| spread(run, name, system, figure).map(|spread| cell(figure, spread));
        table.row(label, figures.iter().map(cell));
    }
    if workload.yardstick != workload.name {
        let relayed = |figure: &Figure| {
            spread(run, workload.yardstick, System::Ostia, figure).map(|spread| cell(figure, spread))
        };
        table.row(format!("ostia {}", workload.yardstick), figures.iter().map(relayed));
    }
    let ours = |figure: &Figure| Some(spread(run, workload.name, System::Ostia, figure)?.median);
    let theirs =
        |system, figure: &Figure| Some(spread(run, measured_as(workload, system), system, figure)?.median);
    let ratio = |figure: &Figure| {
        let ratio = ours(figure)? / theirs(System::Nginx, figure)?;
        (figure.show != Show::Plain).then(|| format!("{ratio:.2}x"))
    };
    table.row("ostia / nginx".into(), figures.iter().map(ratio));
    for system in [System::Nginx, System::Ostia] {
        let over = |figure: &Figure| over_yardstick(run, workload, system, figure);
        let over = |figure: &Figure| over(figure).map(|ratio| format!("{ratio:.2}x"));
        table.row(ratio_label(workload, system), figures.iter().map(over));
    }
    // In a closed loop latency is only the rate again, so a difference says nothing.
    if workload.streams() || workload.pace != Pace::Closed {
        for system in [System::Nginx, System::Direct] {
            let added = |figure: &Figure| {
                let added = ours(figure)? - theirs(system, figure)?;
                (figure.show == Show::Added)
                    .then(|| format!("{}{}", if added < 0.0 { "" } else { "+" }, table::number(added)))
            };
            table.row(format!("added over {}", system.name()), figures.iter().map(added));
        }
    }
    table
}

/// What a workload costs over the plain one of its shape. Of translating, the goal is at most 2 for CPU time. Nothing for what is
/// plain itself.
fn over_yardstick(run: &Run, workload: &Workload, system: System, figure: &Figure) -> Option<f64> {
    if figure.show == Show::Plain || workload.yardstick == workload.name {
        return None;
    }
    let median = |name| spread(run, name, system, figure).map(|spread| spread.median);
    Some(median(workload.name)? / median(workload.yardstick)?)
}

fn ratio_label(workload: &Workload, system: System) -> String {
    match workload.is_relayed() {
        true => format!("{} {} / {}", system.name(), workload.name, workload.yardstick),
        false => "translated / relayed".into(),
    }
}

fn cell(figure: &Figure, spread: Spread) -> String {
    let median = table::number(spread.median);
    if figure.show == Show::Ratio && spread.min < spread.max {
        format!("{median} [{}-{}]", table::number(spread.min), table::number(spread.max))
    } else {
        median
    }
}

fn lives_table(run: &Run) -> Table {
    let mut table = Table::new("", ["start ms", "idle MB", "under load MB, most", "after load MB"]);
    for system in System::ALL {
        let lives = || run.lives.iter().filter(move |life| life.system == system);
        let loaded = run.samples.iter().filter(|sample| sample.system == system && lasting(sample));
        let values: [Vec<f64>; 3] = [
            lives().map(|life| life.start_ms).collect(),
            lives().map(|life| life.idle_kb as f64 / 1024.0).collect(),
            lives().map(|life| life.after_kb as f64 / 1024.0).collect(),
        ];
        let [start, idle, after] =
            values.map(|values| Spread::of(values).map(|spread| table::number(spread.median)));
        let most = loaded.filter_map(memory_mb).max_by(f64::total_cmp).map(table::number);
        table.row(system.name().into(), [start, idle, most, after]);
    }
    table
}

fn lasting(sample: &Sample) -> bool {
    Workload::named(&sample.workload)
        .is_some_and(|workload| !workload.fresh_process && workload.serving == Serving::Default)
}

/// The whole report for a program: the run as it was measured, and under `summary` each figure by
/// workload and system, with its median, least and most, and the ratios `ostia_over_nginx`, and
/// `translated_over_relayed` or `ostia_over_plain` and `nginx_over_plain`, of medians.
#[must_use]
pub fn json(run: &Run) -> Value {
    let summary: BTreeMap<&str, Value> =
        measured_workloads(run).map(|workload| (workload.name, summary(run, workload))).collect();
    json!({ "run": run, "summary": summary })
}

fn summary(run: &Run, workload: &Workload) -> Value {
    let mut summary = serde_json::Map::new();
    for figure in figures(workload) {
        let mut entry = serde_json::Map::new();
        for system in System::ALL {
            if let Some(spread) = spread(run, workload.name, system, figure) {
                let value = json!({"median": spread.median, "min": spread.min, "max": spread.max});
                entry.insert(system.name().into(), value);
            }
        }
        let nginx = spread(run, measured_as(workload, System::Nginx), System::Nginx, figure);
        if let (Some(ostia), Some(nginx), true) =
            (spread(run, workload.name, System::Ostia, figure), nginx, figure.show != Show::Plain)
        {
            entry.insert("ostia_over_nginx".into(), json!(ostia.median / nginx.median));
        }
        let over = |system| over_yardstick(run, workload, system, figure);
        let names = match workload.is_relayed() {
            true => [("ostia_over_plain", System::Ostia), ("nginx_over_plain", System::Nginx)].as_slice(),
            false => &[("translated_over_relayed", System::Ostia)],
        };
        for (name, system) in names {
            entry.extend(over(*system).map(|ratio| ((*name).to_owned(), json!(ratio))));
        }
        summary.insert(figure.name.into(), entry.into());
    }
    summary.into()
}

#[cfg(test)]
mod tests;
