//! OCR told in another vendor's form.

use super::{azure, mistral};
use crate::api::{Asked, MediaAnswer, MediaReader, MediaTranslator, Told, no_remotes};
use crate::form::{Form, Piece};
use crate::json::Document;
use crate::{Api, Fault, Files, Meter, Metered, Observed};

/// How OCR is told in another vendor's form.
pub static TRANSLATOR: MediaTranslator = MediaTranslator { upstream, remotes: no_remotes, translate };

const JSON: &str = "application/json";

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    Some(Api::AzureAnalyze).filter(|api| client == Api::MistralOcr && offers(*api))
}

fn translate(asked: Asked<'_>, _: Option<&Form>, _: &Files, upstream: Api) -> Result<Told, Fault> {
    let mut request = mistral::decode_request(asked.body)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    if request.model.is_empty() {
        let message = "Missing `model`: say which model to ask, for example \"model\": \"prebuilt-layout\".";
        return Err(Fault::invalid(message).with_param("model").with_code("model_missing"));
    }
    Ok(Told {
        api: upstream,
        in_path: request.model.clone(),
        query: azure::query(&request),
        content_type: JSON.to_owned(),
        body: vec![Piece::Bytes(azure::encode(&request)?)],
        upload: None,
        headers: Vec::new(),
        dropped: request.extra.iter().map(|(name, _)| name.clone()).collect(),
        reader: MediaReader::whole(move |body| {
            let document = Document::parse(body)
                .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
            let response = azure::decode(document.root())
                .ok_or_else(|| Fault::upstream("The provider's answer has no pages that can be read."))?;
            Ok(MediaAnswer {
                content_type: JSON,
                body: mistral::encode_response(&request, &response),
                observed: Observed::of_metered(Metered::one(Meter::Pages, response.pages.len() as u64)),
            })
        }),
    })
}
