//! The names that inputs have. Each model has its own; those of one maker are alike. From the pages of the models
//! (`https://replicate.com/OWNER/NAME/api/schema`).

use crate::Request;
use crate::json::{Json, Writer};

/// What models of one make take.
#[derive(Debug)]
pub(super) struct Inputs {
    /// How their names begin.
    owner: &'static str,
    /// What the operator says.
    pub system: &'static str,
    /// Most tokens of an answer, and the least that this may be.
    bound: (&'static str, u64),
    /// Images, and whether there may be several.
    pub images: (&'static str, bool),
    /// How much to think.
    effort: Option<&'static str>,
    /// Numbers, which are called as in the hub.
    numbers: &'static [&'static str],
    /// Texts to stop at, with commas between them.
    stops: Option<&'static str>,
}

/// What the text of a prompt is called everywhere.
pub(super) const PROMPT: &str = "prompt";
/// What stands between texts to stop at.
const BETWEEN_STOPS: char = ',';
const NUMBERS: &[&str] = &["temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty"];

/// The first that fits counts.
static INPUTS: [Inputs; 6] = [
    // openai/gpt-4o, openai/gpt-4.1
    Inputs {
        owner: "openai/gpt-4",
        bound: ("max_completion_tokens", 1),
        images: ("image_input", true),
        numbers: &["temperature", "top_p", "presence_penalty", "frequency_penalty"],
        stops: None,
        ..OPEN
    },
    // openai/gpt-5, openai/o4-mini
    Inputs {
        owner: "openai/",
        bound: ("max_completion_tokens", 1),
        images: ("image_input", true),
        effort: Some("reasoning_effort"),
        numbers: &[],
        stops: None,
        ..OPEN
    },
    // anthropic/claude-4-sonnet
    Inputs { owner: "anthropic/", bound: ("max_tokens", 1024), numbers: &[], stops: None, ..OPEN },
    // google/gemini-2.5-flash
    Inputs {
        owner: "google/gemini",
        system: "system_instruction",
        bound: ("max_output_tokens", 1),
        images: ("images", true),
        numbers: &["temperature", "top_p"],
        stops: None,
        ..OPEN
    },
    // meta/llama-2-70b-chat
    Inputs { owner: "meta/llama-2", bound: ("max_new_tokens", 1), ..OPEN },
    OPEN,
];

/// Open models: meta/meta-llama-3-70b-instruct, ibm-granite/granite-3.3-8b-instruct.
const OPEN: Inputs = Inputs {
    owner: "",
    system: "system_prompt",
    bound: ("max_tokens", 1),
    images: ("image", false),
    effort: None,
    numbers: NUMBERS,
    stops: Some("stop_sequences"),
};

/// Is this the name of something that is said from the hub already?
pub(super) fn is_said(name: &str) -> bool {
    name == PROMPT
        || INPUTS.iter().any(|inputs| [inputs.system, inputs.bound.0, inputs.images.0].contains(&name))
}

impl Inputs {
    /// Those of a model.
    pub fn of(model: &str) -> &'static Inputs {
        INPUTS.iter().find(|inputs| model.starts_with(inputs.owner)).unwrap_or(&INPUTS[INPUTS.len() - 1])
    }

    /// Writes how the next token is drawn, and how many.
    pub fn sampling(&self, request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
        let sampling = &request.sampling;
        if let Some(most) = sampling.max_tokens {
            w.field_u64(self.bound.0, most.max(self.bound.1));
            if most < self.bound.1 {
                dropped.push("max_tokens".to_owned());
            }
        }
        let values = [
            &sampling.temperature,
            &sampling.top_p,
            &sampling.top_k,
            &sampling.seed,
            &sampling.presence_penalty,
            &sampling.frequency_penalty,
        ];
        for (name, value) in NUMBERS.iter().zip(values) {
            self.number(name, value.as_ref(), w, dropped);
        }
        self.stop(&sampling.stop, w, dropped);
        self.think(request, w, dropped);
    }

    fn number(&self, name: &str, value: Option<&Json>, w: &mut Writer, dropped: &mut Vec<String>) {
        match value {
            Some(value) if self.numbers.contains(&name) => w.field_raw(name, value.as_str()),
            Some(_) => dropped.push(name.to_owned()),
            None => {}
        }
    }

    /// One with a comma in it cannot be told from two.
    fn stop(&self, stops: &[String], w: &mut Writer, dropped: &mut Vec<String>) {
        if stops.is_empty() {
            return;
        }
        match self.stops {
            Some(name) if !stops.iter().any(|stop| stop.contains(BETWEEN_STOPS)) => {
                w.field_str(name, &stops.join(","));
            }
            _ => dropped.push("stop".to_owned()),
        }
    }

    fn think(&self, request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
        let Some(reasoning) = &request.reasoning else { return };
        let budget = reasoning.budget_tokens.map(crate::Reasoning::effort_of);
        match (self.effort, reasoning.effort.as_deref().or(budget)) {
            (Some(name), Some(effort)) => w.field_str(name, effort),
            (_, None) if !reasoning.is_off() && reasoning.enabled.is_none() => {}
            _ => dropped.push("reasoning_effort".to_owned()),
        }
    }
}
