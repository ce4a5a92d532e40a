//! Moderation told in another vendor's form.

use super::{Dialect, Input, mistral, openai};
use crate::api::{Asked, Operation, Reader, Translated, Translator};
use crate::json::Document;
use crate::{Api, Fault, Observed, Usage};

/// How moderation is told in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    let is_client = client.operation() == Operation::Moderation(Dialect::Openai);
    Some(Api::MistralModerations).filter(|api| is_client && offers(*api))
}

fn translate(asked: Asked<'_>, _upstream: Api) -> Result<Translated, Fault> {
    let mut request = openai::decode_request(asked.body)?;
    if let Some(model) = asked.model {
        request.model = Some(model.to_owned());
    }
    let encoded = mistral::encode(&request)?;
    let (api, wanted) = match &request.input {
        Input::Texts(texts) => (Api::MistralModerations, texts.len()),
        Input::Conversation(_) => (Api::MistralChatModerations, 1),
    };
    Ok(Translated {
        api,
        model: request.model.clone().unwrap_or_default(),
        body: encoded.body,
        more: Vec::new(),
        headers: encoded.headers,
        dropped: encoded.dropped,
        reader: Reader::new(move |body| {
            let document = Document::parse(body)
                .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
            let response = mistral::decode(document.root())
                .ok_or_else(|| Fault::upstream("The provider's answer has no verdicts."))?;
            let came = response.results.len();
            if came != wanted {
                return Err(Fault::upstream(format!(
                    "The provider sent {came} verdicts for {wanted} inputs."
                )));
            }
            let usage = response.tokens.map(|prompt| Usage { prompt, ..Usage::default() });
            Ok((openai::encode_response(&request, &response), Observed::of_usage(usage)))
        }),
    })
}
