//! Speech told in another vendor's form.

use super::encoded::Encoded;
use super::{Request, aura, decode, eleven, gemini, sonic, voxtral};
use crate::api::{Asked, MediaTranslator, Told, no_remotes};
use crate::form::{Form, Piece};
use crate::{Api, Fault, Files};

/// How speech is told in another vendor's form.
pub static TRANSLATOR: MediaTranslator = MediaTranslator { upstream, remotes: no_remotes, translate };

/// What makes a request of a vendor's.
type Tell = fn(&Request) -> Result<Encoded, Fault>;

/// The forms, each with its API.
const FORMS: [(Api, Tell); 5] = [
    (Api::MistralSpeech, voxtral::tell),
    (Api::ElevenlabsSpeech, eleven::tell),
    (Api::DeepgramSpeak, aura::tell),
    (Api::CartesiaBytes, sonic::tell),
    (Api::GeminiGenerate, gemini::tell),
];

fn upstream(_client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    FORMS.into_iter().map(|(api, _)| api).find(|api| offers(*api))
}

fn translate(asked: Asked<'_>, _: Option<&Form>, _: &Files, upstream: Api) -> Result<Told, Fault> {
    let Some((_, tell)) = FORMS.into_iter().find(|(api, _)| *api == upstream) else {
        return Err(Fault::invalid("Speech is not asked for so.").with_code("unsupported_operation"));
    };
    let spoken = match voxtral::own(asked, upstream)? {
        Some(own) => own,
        None => {
            let mut request = decode(asked.body)?;
            if let Some(model) = asked.model {
                model.clone_into(&mut request.model);
            }
            tell(&request)?
        }
    };
    Ok(Told {
        api: upstream,
        in_path: spoken.in_path,
        query: spoken.query,
        content_type: "application/json".to_owned(),
        body: vec![Piece::Bytes(spoken.body.as_str().as_bytes().to_vec())],
        upload: None,
        headers: Vec::new(),
        dropped: spoken.dropped,
        reader: spoken.reader,
    })
}
