//! `generationConfig` (<https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>).

use crate::chat::gemini_generate::request::encode::{inside, subsets, thinking};
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Node, Writer, camel};
use crate::{OutputFormat, Request, Sampling};

/// Fields that a client of another dialect may send beside its own, in the vendor's spelling or in snake case.
const FIELDS: [&str; 9] = [
    "thinkingConfig",
    "responseModalities",
    "speechConfig",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
    "enableEnhancedCivicAnswers",
    "routingConfig",
    "modelSelectionConfig",
];

/// The configuration in the making: name and JSON, each name once, the first that came.
#[derive(Debug, Default)]
pub(super) struct Generation {
    fields: Vec<(String, Json)>,
}

impl Generation {
    /// Takes a field of the client that the hub does not know, if it belongs here. What the client says in the
    /// vendor's own words counts more than what is translated.
    pub(super) fn take(&mut self, name: &str, value: &Json, dropped: &mut Vec<String>) -> bool {
        let Ok(document) = Document::parse(value.as_str().as_bytes()) else { return false };
        let node = document.root();
        match name {
            "generationConfig" if node.is_object() => {
                node.fields().for_each(|(name, value)| self.put(&camel(&name), Json::of(value)));
            }
            "modalities" if node.is_array() => self.modalities(node),
            "audio" if node.is_object() => self.voice(node, dropped),
            _ if FIELDS.contains(&name) => self.put(name, value.clone()),
            _ => match inside(name, "generationConfig") {
                Some(name) => self.put(name, value.clone()),
                None => return false,
            },
        }
        true
    }

    /// Adds what the hub knows.
    pub(super) fn plan(&mut self, request: &Request, rules: &Rules, dropped: &mut Vec<String>) {
        self.sampling(&request.sampling);
        match &request.output_format {
            None | Some(OutputFormat::Text) => {}
            Some(OutputFormat::JsonObject) => self.text("responseMimeType", "application/json"),
            Some(OutputFormat::JsonSchema { description, schema, .. }) => {
                if description.is_some() {
                    dropped.push("response_format.json_schema.description".to_owned());
                }
                let path = "response_format.json_schema.schema";
                let schema = subsets::convert(schema, rules, path, dropped);
                let name = if rules.json_schema { "responseJsonSchema" } else { "responseSchema" };
                self.text("responseMimeType", "application/json");
                self.put(name, Json::from_value(&schema));
            }
        }
        if let Some(reasoning) = &request.reasoning {
            let (config, whole) = thinking::plan(reasoning, rules);
            if let Some(config) = config {
                self.put("thinkingConfig", config);
            }
            if !whole {
                let name = if reasoning.effort.is_some() { "reasoning_effort" } else { "reasoning" };
                dropped.push(name.to_owned());
            }
        }
    }

    /// Writes the field, if there is anything in it.
    pub(super) fn write(&self, writer: &mut Writer) {
        if !self.fields.is_empty() {
            writer.field_object("generationConfig", |writer| {
                self.fields.iter().for_each(|(name, value)| writer.field_raw(name, value.as_str()));
            });
        }
    }

    fn sampling(&mut self, sampling: &Sampling) {
        let numbers = [
            ("temperature", &sampling.temperature),
            ("topP", &sampling.top_p),
            ("topK", &sampling.top_k),
            ("seed", &sampling.seed),
            ("presencePenalty", &sampling.presence_penalty),
            ("frequencyPenalty", &sampling.frequency_penalty),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                self.put(name, number.clone());
            }
        }
        self.count("maxOutputTokens", sampling.max_tokens);
        // One answer is what comes anyway, and not every model takes the field.
        self.count("candidateCount", sampling.n.filter(|&n| n != 1));
        if !sampling.stop.is_empty() {
            self.strings("stopSequences", sampling.stop.iter().cloned());
        }
        if let Some(logprobs) = sampling.logprobs {
            self.put("responseLogprobs", Json::build(|writer| writer.bool(true)));
            self.count("logprobs", logprobs.top);
        }
    }

    /// OpenAI's `modalities` are the vendor's in small letters.
    fn modalities(&mut self, node: Node<'_>) {
        let modalities = node.items().filter_map(|item| item.as_str());
        self.strings("responseModalities", modalities.map(|modality| modality.to_ascii_uppercase()));
    }

    /// OpenAI's `audio`: the voice has a place, the format has none (the vendor always sends raw PCM).
    fn voice(&mut self, node: Node<'_>, dropped: &mut Vec<String>) {
        if let Some(voice) = node.str("voice") {
            let config = serde_json::json!({
                "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": voice } }
            });
            self.put("speechConfig", Json::from_value(&config));
        }
        let other = node.fields().filter(|(name, _)| name != "voice");
        dropped.extend(other.map(|(name, _)| format!("audio.{name}")));
    }

    fn strings(&mut self, name: &str, strings: impl Iterator<Item = String>) {
        let json = Json::build(|writer| {
            writer.array(|writer| strings.for_each(|string| writer.string(&string)));
        });
        self.put(name, json);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.put(name, Json::build(|writer| writer.string(text)));
    }

    fn count(&mut self, name: &str, count: Option<u64>) {
        if let Some(count) = count {
            self.put(name, Json::build(|writer| writer.u64(count)));
        }
    }

    fn put(&mut self, name: &str, value: Json) {
        if !self.fields.iter().any(|(known, _)| known == name) {
            self.fields.push((name.to_owned(), value));
        }
    }
}
