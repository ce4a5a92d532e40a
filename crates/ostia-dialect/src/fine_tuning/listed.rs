//! What happened to a job, and the models that came of it meanwhile, as clients list them
//! (<https://platform.openai.com/docs/api-reference/fine-tuning/list-events>,
//! <https://platform.openai.com/docs/api-reference/fine-tuning/list-checkpoints>).

use crate::json::{Json, Writer};

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds since 1970.
    pub created_s: u64,
    /// How bad it is.
    pub level: Level,
    /// What.
    pub message: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not at all.
    Info,
    /// It may be.
    Warn,
    /// It is.
    Error,
}

/// A model as it was meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was kept, in seconds since 1970.
    pub created_s: u64,
    /// By which it can be asked or gone on with.
    pub model: String,
    /// After how many steps.
    pub step: u64,
}

/// A page of what happened to the job of this id, the last first. `after`: the event that it begins behind.
pub fn encode_events(job: &str, mut events: Vec<Event>, after: Option<&str>, limit: usize) -> Json {
    // Events are only ever added, so that one keeps its place from the oldest on.
    events.sort_by_key(|event| event.created_s);
    let named = events.into_iter().enumerate().rev();
    let named = named.map(|(place, event)| (format!("ftevent-{}-{place}", unprefixed(job)), event));
    page(named.collect(), after, limit, |w, id, event| {
        w.field_str("object", "fine_tuning.job.event");
        w.field_str("id", id);
        w.field_u64("created_at", event.created_s);
        w.field_str("level", event.level.name());
        w.field_str("message", &event.message);
        w.field_str("type", "message");
    })
}

/// A page of the models that came of the job of this id meanwhile, the last first. `after`: the one that it begins behind.
pub fn encode_checkpoints(
    job: &str,
    mut checkpoints: Vec<Checkpoint>,
    after: Option<&str>,
    limit: usize,
) -> Json {
    checkpoints.sort_by_key(|checkpoint| checkpoint.step);
    let named = checkpoints.into_iter().enumerate().rev();
    let named = named.map(|(place, checkpoint)| (format!("ftckpt-{}-{place}", unprefixed(job)), checkpoint));
    page(named.collect(), after, limit, |w, id, checkpoint| {
        w.field_str("object", "fine_tuning.job.checkpoint");
        w.field_str("id", id);
        w.field_u64("created_at", checkpoint.created_s);
        w.field_str("fine_tuned_model_checkpoint", &checkpoint.model);
        w.field_str("fine_tuning_job_id", job);
        w.field_u64("step_number", checkpoint.step);
        w.field_object("metrics", |w| w.field_u64("step", checkpoint.step));
    })
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

fn unprefixed(job: &str) -> &str {
    job.strip_prefix("ftjob-").unwrap_or(job)
}

/// An id that is not there is behind everything.
fn page<T>(
    all: Vec<(String, T)>,
    after: Option<&str>,
    limit: usize,
    write: impl Fn(&mut Writer, &str, &T),
) -> Json {
    let begin = match after {
        None => 0,
        Some(after) => all.iter().position(|(id, _)| id == after).map_or(all.len(), |place| place + 1),
    };
    let rest = &all[begin..];
    let shown = &rest[..rest.len().min(limit)];
    let id = |w: &mut Writer, name: &str, entry: Option<&(String, T)>| match entry {
        Some((id, _)) => w.field_str(name, id),
        None => {
            w.key(name).null();
        }
    };
    Json::build(|w| {
        w.object(|w| {
            w.field_str("object", "list");
            w.field_array("data", |w| {
                shown.iter().for_each(|(id, entry)| w.object(|w| write(w, id, entry)));
            });
            id(w, "first_id", shown.first());
            id(w, "last_id", shown.last());
            w.field_bool("has_more", rest.len() > shown.len());
        });
    })
}
