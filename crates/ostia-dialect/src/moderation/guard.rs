//! Llama Guard, a model that is made to judge: it answers `safe`, or `unsafe` and the codes of what is violated on the next line
//! (<https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-4/>).

use super::Verdict;
use super::by_chat::unreadable;
use crate::Fault;

/// A code, its name, and OpenAI's categories that mean the same or contain it. Defamation, advice, privacy, property, elections and
/// abuse of interpreters are none of OpenAI's.
pub(super) struct Hazard {
    code: &'static str,
    name: &'static str,
    openai: &'static [&'static str],
}

const fn hazard(code: &'static str, name: &'static str, openai: &'static [&'static str]) -> Hazard {
    Hazard { code, name, openai }
}

/// The taxonomy of the first version
/// (<https://github.com/meta-llama/PurpleLlama/blob/main/Llama-Guard/MODEL_CARD.md>).
const HAZARDS_1: [Hazard; 6] = [
    hazard("O1", "violence_and_hate", &["violence", "hate"]),
    hazard("O2", "sexual_content", &["sexual"]),
    hazard("O3", "criminal_planning", &["illicit"]),
    hazard("O4", "guns_and_illegal_weapons", &["illicit", "illicit/violent"]),
    hazard("O5", "controlled_substances", &["illicit"]),
    hazard("O6", "suicide_and_self_harm", &["self-harm"]),
];

/// That of the second version (<https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-guard-2/>), which has no
/// defamation, and so other codes for what comes behind.
const HAZARDS_2: [Hazard; 11] = [
    hazard("S1", "violent_crimes", &["violence", "illicit/violent"]),
    hazard("S2", "non_violent_crimes", &["illicit"]),
    hazard("S3", "sex_related_crimes", &["sexual", "illicit"]),
    hazard("S4", "child_sexual_exploitation", &["sexual", "sexual/minors"]),
    hazard("S5", "specialized_advice", &[]),
    hazard("S6", "privacy", &[]),
    hazard("S7", "intellectual_property", &[]),
    hazard("S8", "indiscriminate_weapons", &["illicit", "illicit/violent"]),
    hazard("S9", "hate", &["hate"]),
    hazard("S10", "suicide_and_self_harm", &["self-harm"]),
    hazard("S11", "sexual_content", &["sexual"]),
];

/// That of the third and the fourth version.
const HAZARDS: [Hazard; 14] = [
    hazard("S1", "violent_crimes", &["violence", "illicit/violent"]),
    hazard("S2", "non_violent_crimes", &["illicit"]),
    hazard("S3", "sex_related_crimes", &["sexual", "illicit"]),
    hazard("S4", "child_sexual_exploitation", &["sexual", "sexual/minors"]),
    hazard("S5", "defamation", &[]),
    hazard("S6", "specialized_advice", &[]),
    hazard("S7", "privacy", &[]),
    hazard("S8", "intellectual_property", &[]),
    hazard("S9", "indiscriminate_weapons", &["illicit", "illicit/violent"]),
    hazard("S10", "hate", &["hate"]),
    hazard("S11", "suicide_and_self_harm", &["self-harm"]),
    hazard("S12", "sexual_content", &["sexual"]),
    hazard("S13", "elections", &[]),
    hazard("S14", "code_interpreter_abuse", &[]),
];

/// What is told of a text that is unsafe for a reason that the model does not say.
const UNSAFE: &str = "unsafe";

/// Is it one of these models, whoever serves it?
pub(super) fn is_guard(model: &str) -> bool {
    hazards(model).is_some()
}

/// What this model judges, if it is one of these. Its version stands in its name: behind that of all of them, or, of the first, the
/// size of its only model (`LlamaGuard-7b`).
pub(super) fn hazards(model: &str) -> Option<&'static [Hazard]> {
    let plain: String = model.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let (_, version) = plain.split_once("llamaguard")?;
    let version = version.strip_prefix('v').unwrap_or(version);
    match version.chars().next() {
        Some('7') => Some(&HAZARDS_1),
        Some('2') => Some(&HAZARDS_2),
        _ => Some(&HAZARDS),
    }
}

/// Reads what a model says that judges these.
pub(super) fn verdict(hazards: &[Hazard], said: &str) -> Result<Verdict, Fault> {
    let mut words = said.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let mut applies = vec![false; hazards.len()];
    let is_safe = match words.next().map(str::to_ascii_lowercase).as_deref() {
        Some("safe") => true,
        Some(UNSAFE) => false,
        _ => return Err(unreadable()),
    };
    for code in words {
        let place = hazards.iter().position(|hazard| hazard.code.eq_ignore_ascii_case(code));
        applies[place.filter(|_| !is_safe).ok_or_else(unreadable)?] = true;
    }
    let mut told: Vec<(String, bool)> = Vec::new();
    for (hazard, applies) in hazards.iter().zip(&applies) {
        for name in std::iter::once(&hazard.name).chain(hazard.openai) {
            match told.iter_mut().find(|(known, _)| known == name) {
                Some((_, is_so)) => *is_so |= *applies,
                None => told.push(((*name).to_owned(), *applies)),
            }
        }
    }
    if !is_safe && !applies.contains(&true) {
        told.push((UNSAFE.to_owned(), true));
    }
    Ok(Verdict::of(told.into_iter()))
}
