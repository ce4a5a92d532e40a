//! The parameters of the runner: `options` (<https://docs.ollama.com/modelfile#parameter>).

use super::own_field;
use crate::Request;
use crate::json::{Document, Writer};

/// The field that holds them.
pub(super) const OPTIONS: &str = "options";

/// Parameters that the hub has no place for. Clients write them in `options`, or as servers of other makes have them at
/// the top (<https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>).
const OWN_NAMES: [&str; 14] = [
    "main_gpu",
    "min_p",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_thread",
    "penalize_newline",
    "repeat_last_n",
    "repeat_penalty",
    "tfs_z",
    "typical_p",
    "use_mmap",
    "numa",
];

/// What this field is called among the options, if it is a parameter that the hub has no place for.
pub(super) fn own_name(name: &str) -> Option<&str> {
    match name {
        // vLLM's word for it.
        "repetition_penalty" => Some("repeat_penalty"),
        name => OWN_NAMES.contains(&name).then_some(name),
    }
}

/// Writes `options`: what the hub says, then the client's own parameters, but for those that have been said.
pub(super) fn write(w: &mut Writer, request: &Request, dropped: &mut Vec<String>) {
    let own = own_field(request, OPTIONS).map(|value| Document::parse(value.as_str().as_bytes()));
    let own = own.as_ref().and_then(|own| own.as_ref().ok()).map(Document::root);
    let own = own.into_iter().flat_map(|own| own.fields());
    let own = own.map(|(name, value)| (format!("{OPTIONS}.{name}"), name.into_owned(), value.text()));
    let at_top = request.extra.iter().filter(|(_, value)| value.as_str() != "null");
    let at_top =
        at_top.filter_map(|(name, value)| Some((name.clone(), own_name(name)?.to_owned(), value.as_str())));
    let (mut said, mut options) = (Vec::new(), Writer::with_capacity(0));
    options.object(|w| {
        sampling(w, request, &mut said);
        for (path, name, value) in own.chain(at_top) {
            if said.contains(&name) {
                dropped.push(path);
            } else {
                w.field_raw(&name, value);
                said.push(name);
            }
        }
    });
    if !said.is_empty() {
        w.field_raw(OPTIONS, &String::from_utf8_lossy(&options.into_bytes()));
    }
    if own_field(request, OPTIONS).is_some_and(|value| !value.as_str().starts_with('{')) {
        dropped.push(OPTIONS.to_owned());
    }
}

/// What the hub has a place for, under the vendor's names.
fn sampling(w: &mut Writer, request: &Request, said: &mut Vec<String>) {
    let sampling = &request.sampling;
    if let Some(max_tokens) = sampling.max_tokens {
        w.field_u64("num_predict", max_tokens);
        said.push("num_predict".to_owned());
    }
    let numbers = [
        ("temperature", &sampling.temperature),
        ("top_p", &sampling.top_p),
        ("top_k", &sampling.top_k),
        ("seed", &sampling.seed),
        ("presence_penalty", &sampling.presence_penalty),
        ("frequency_penalty", &sampling.frequency_penalty),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            w.field_raw(name, number.as_str());
            said.push(name.to_owned());
        }
    }
    if !sampling.stop.is_empty() {
        w.field_array("stop", |w| sampling.stop.iter().for_each(|stop| w.string(stop)));
        said.push("stop".to_owned());
    }
}
