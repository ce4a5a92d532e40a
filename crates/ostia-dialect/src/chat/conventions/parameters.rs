//! What a request asks for besides its words (`gen_ai.request.*`): <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>.

use super::Asked;
use crate::OutputFormat;
use crate::json::Json;

/// What one of them is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter<'a> {
    /// A text.
    Text(&'a str),
    /// Texts.
    Texts(&'a [String]),
    /// A whole number.
    Count(i64),
    /// A number.
    Number(f64),
}

impl Asked {
    /// Those that the client said, by their names in the conventions.
    pub fn parameters(&self) -> Vec<(&'static str, Parameter<'_>)> {
        let sampling = &self.request.sampling;
        let reasoning = self.request.reasoning.as_ref();
        let format = self.request.output_format.as_ref().map(output_type);
        let choices = sampling.n.filter(|count| *count != 1);
        let told = [
            ("gen_ai.request.max_tokens", sampling.max_tokens.and_then(of_count)),
            ("gen_ai.request.choice.count", choices.and_then(of_count)),
            ("gen_ai.request.seed", sampling.seed.as_ref().and_then(whole)),
            ("gen_ai.request.top_k", sampling.top_k.as_ref().and_then(whole)),
            ("gen_ai.request.top_p", sampling.top_p.as_ref().and_then(number)),
            ("gen_ai.request.temperature", sampling.temperature.as_ref().and_then(number)),
            ("gen_ai.request.frequency_penalty", sampling.frequency_penalty.as_ref().and_then(number)),
            ("gen_ai.request.presence_penalty", sampling.presence_penalty.as_ref().and_then(number)),
            (
                "gen_ai.request.stop_sequences",
                Some(Parameter::Texts(&sampling.stop)).filter(|_| !sampling.stop.is_empty()),
            ),
            (
                "gen_ai.request.reasoning.level",
                reasoning.and_then(|asked| asked.effort.as_deref()).map(Parameter::Text),
            ),
            ("gen_ai.request.previous_response.id", self.previous.as_deref().map(Parameter::Text)),
            ("gen_ai.output.type", format.map(Parameter::Text)),
        ];
        told.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn output_type(format: &OutputFormat) -> &'static str {
    match format {
        OutputFormat::Text => "text",
        OutputFormat::JsonObject | OutputFormat::JsonSchema { .. } => "json",
    }
}

fn of_count(count: u64) -> Option<Parameter<'static>> {
    i64::try_from(count).ok().map(Parameter::Count)
}

/// A number as the client wrote it; what is none was refused by the provider, and is told nowhere.
fn number(value: &Json) -> Option<Parameter<'static>> {
    value.as_str().parse().ok().filter(|number: &f64| number.is_finite()).map(Parameter::Number)
}

/// The same of one that has to be whole. Google writes `40.0`.
fn whole(value: &Json) -> Option<Parameter<'static>> {
    let Parameter::Number(number) = number(value)? else { return None };
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT_BELOW;
    is_whole.then_some(Parameter::Count(number as i64))
}

/// Below this every whole number is one of the machine's.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;
