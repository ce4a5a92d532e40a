//! Transcripts told in another vendor's form.

use super::encoded::Encoded;
use super::{Request, Response, assembly, cohere, decode, deepgram, eleven, gemini, render, xai};
use crate::api::{Asked, MediaReader, MediaTranslator, Operation, Told, no_remotes};
use crate::form::{File, Form, Writer};
use crate::json::{Document, Node};
use crate::{Api, Fault, Files};

/// How transcripts are told in another vendor's form.
pub static TRANSLATOR: MediaTranslator = MediaTranslator { upstream, remotes: no_remotes, translate };

/// A vendor's form.
struct Vendor {
    api: Api,
    /// Can it translate into English?
    translates: bool,
    /// Makes its request.
    tell: fn(&Request, &File, Writer) -> Result<Encoded, Fault>,
    /// Reads its answer; `None`: it is none.
    read: fn(Node<'_>) -> Option<Response>,
}

const VENDORS: [Vendor; 6] = [
    Vendor { api: Api::DeepgramListen, translates: false, tell: deepgram::tell, read: deepgram::read },
    Vendor { api: Api::ElevenlabsTranscription, translates: false, tell: eleven::tell, read: eleven::read },
    Vendor { api: Api::XaiTranscription, translates: false, tell: xai::tell, read: xai::read },
    Vendor { api: Api::CohereTranscription, translates: false, tell: cohere::tell, read: cohere::read },
    Vendor { api: Api::AssemblyaiTranscripts, translates: false, tell: assembly::tell, read: assembly::read },
    Vendor { api: Api::GeminiGenerate, translates: true, tell: gemini::tell, read: gemini::read },
];

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    let translates = client.operation() == Operation::Translation;
    let mut able = VENDORS.iter().filter(|vendor| vendor.translates || !translates);
    able.find(|vendor| offers(vendor.api)).map(|vendor| vendor.api)
}

fn translate(asked: Asked<'_>, form: Option<&Form>, _: &Files, upstream: Api) -> Result<Told, Fault> {
    let Some(vendor) = VENDORS.iter().find(|vendor| vendor.api == upstream) else {
        return Err(Fault::invalid("Transcripts are not asked for so.").with_code("unsupported_operation"));
    };
    let missing = || {
        Fault::invalid("Missing `file`: send a form (multipart/form-data) with the recording.")
            .with_param("file")
    };
    let form = form.ok_or_else(missing)?;
    let mut request = decode(asked.body, asked.api.operation() == Operation::Translation)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    let written = (vendor.tell)(&request, form.file("file")?, Writer::new(&form.boundary))?;
    let read = vendor.read;
    Ok(Told {
        api: upstream,
        in_path: written.in_path,
        query: written.query,
        content_type: written.content_type,
        body: written.body,
        upload: written.upload,
        headers: Vec::new(),
        dropped: written.dropped,
        reader: MediaReader::whole(move |body| {
            let document = Document::parse(body)
                .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
            let response = read(document.root());
            let mut response =
                response.ok_or_else(|| Fault::upstream("The provider's answer has no text."))?;
            // The end of the last word, which is taken for a duration that is not told, is nothing that is billed.
            let told = response.duration;
            response.complete();
            Ok(render::answer(&request, &response, told))
        }),
    })
}
