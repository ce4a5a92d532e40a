//! Images asked for in another vendor's form.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{
    Encoded, Image, Request, Response, ResponseFormat, Task, bedrock, bfl, fal, fireworks, fireworks_kontext,
    gemini, imagen, openai, recraft, replicate, segmind, stability, together, xai,
};
use crate::api::{Asked, MediaAnswer, MediaReader, MediaTranslator, Operation, Path, Read, Told};
use crate::form::Form;
use crate::json::{Document, Json, Node};
use crate::{Api, Fault, Files, MediaKind, Observed, Remote};

/// How images are asked for in another vendor's form.
pub static TRANSLATOR: MediaTranslator = MediaTranslator { upstream, remotes, translate };

/// A vendor's form.
struct Vendor {
    api: Api,
    /// What can be asked for there.
    tasks: &'static [Task],
    /// The vendor fetches pictures that are at addresses.
    fetches: bool,
    /// It chooses a model where none is named.
    chooses: bool,
    /// Makes its request.
    tell: fn(&Request) -> Result<Encoded, Fault>,
    /// Reads its answer; `None`: it is none.
    read: fn(Node<'_>) -> Result<Option<Response>, Fault>,
}

const ALL: &[Task] = &[Task::Generate, Task::Edit, Task::Vary];

/// Images from words alone.
const GENERATES: &[Task] = &[Task::Generate];
/// Images from words, and others with words.
const FROM_WORDS_OR_EDITS: &[Task] = &[Task::Generate, Task::Edit];
/// Images from others.
const EDITS: &[Task] = &[Task::Edit, Task::Vary];

/// A vendor that takes bytes alone.
const fn bytes(
    api: Api,
    tasks: &'static [Task],
    tell: fn(&Request) -> Result<Encoded, Fault>,
    read: fn(Node<'_>) -> Result<Option<Response>, Fault>,
) -> Vendor {
    Vendor { api, tasks, fetches: false, chooses: false, tell, read }
}

/// One that takes addresses too.
const fn addresses(
    api: Api,
    tasks: &'static [Task],
    tell: fn(&Request) -> Result<Encoded, Fault>,
    read: fn(Node<'_>) -> Result<Option<Response>, Fault>,
) -> Vendor {
    Vendor { api, tasks, fetches: true, chooses: false, tell, read }
}

const VENDORS: [Vendor; 13] = [
    addresses(Api::TogetherImages, ALL, together::encode, openai::decode),
    bytes(Api::GeminiImages, ALL, gemini::encode, gemini::decode),
    bytes(Api::ImagenPredict, FROM_WORDS_OR_EDITS, imagen::encode, imagen::decode),
    bytes(Api::BedrockImages, ALL, bedrock::encode, bedrock::decode),
    addresses(Api::XaiImageEdits, EDITS, xai::encode, openai::decode),
    Vendor { chooses: true, ..bytes(Api::RecraftImages, EDITS, recraft::encode, openai::decode) },
    bytes(Api::BflImages, ALL, bfl::encode, bfl::decode),
    addresses(Api::FalImages, ALL, fal::encode, fal::decode),
    addresses(Api::ReplicatePredictions, ALL, replicate::encode, replicate::decode),
    bytes(Api::FireworksImages, GENERATES, fireworks::encode, fireworks::decode),
    bytes(Api::FireworksKontext, ALL, fireworks_kontext::encode, bfl::decode),
    bytes(Api::StabilityImages, ALL, stability::encode, stability::decode),
    bytes(Api::SegmindImages, ALL, segmind::encode, segmind::decode),
];

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    let task = task(client)?;
    let mut able = VENDORS.iter().filter(|vendor| vendor.tasks.contains(&task));
    able.find(|vendor| offers(vendor.api)).map(|vendor| vendor.api)
}

/// What clients of an API want.
fn task(client: Api) -> Option<Task> {
    match client.operation() {
        Operation::Images => Some(Task::Generate),
        Operation::ImageEdits => Some(Task::Edit),
        Operation::ImageVariations => Some(Task::Vary),
        _ => None,
    }
}

fn vendor(api: Api) -> Result<&'static Vendor, Fault> {
    let unsupported = || Fault::invalid("Images are not asked for so.").with_code("unsupported_operation");
    VENDORS.iter().find(|vendor| vendor.api == api).ok_or_else(unsupported)
}

fn remotes(asked: Asked<'_>, form: Option<&Form>, upstream: Api) -> Result<Vec<Remote>, Fault> {
    if vendor(upstream)?.fetches {
        return Ok(Vec::new());
    }
    let request = request(asked, form, &Files::new())?;
    Ok(request.pictures.iter().chain(&request.mask).filter_map(super::Picture::remote).collect())
}

fn request(asked: Asked<'_>, form: Option<&Form>, files: &Files) -> Result<Request, Fault> {
    let task = task(asked.api).unwrap_or_default();
    let mut request = openai::decode_request(task, asked.body, form, files)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    Ok(request)
}

fn translate(asked: Asked<'_>, form: Option<&Form>, files: &Files, upstream: Api) -> Result<Told, Fault> {
    let vendor = vendor(upstream)?;
    let request = request(asked, form, files)?;
    if request.model.is_empty() && !vendor.chooses && !matches!(upstream.path(), Path::Fixed(_)) {
        let message = "Missing `model`: this provider has no model of its own choice, say which one to ask.";
        return Err(Fault::invalid(message).with_param("model").with_code("model_missing"));
    }
    let encoded = (vendor.tell)(&request)?;
    let (read, wanted) = (vendor.read, request.response_format);
    Ok(Told {
        api: upstream,
        in_path: encoded.in_path.unwrap_or(request.model),
        query: String::new(),
        content_type: encoded.content_type,
        body: encoded.body,
        upload: None,
        headers: encoded.headers,
        dropped: encoded.dropped,
        reader: MediaReader::fetching(move |body| answer(read, wanted, body)),
    })
}

/// The client's answer, or which images have to be fetched for it first.
fn answer(
    read: fn(Node<'_>) -> Result<Option<Response>, Fault>,
    wanted: Option<ResponseFormat>,
    body: &[u8],
) -> Result<Read, Fault> {
    let response = decode(read, body)?;
    if wanted != Some(ResponseFormat::Base64) {
        return Ok(Read::Answer(Box::new(written(&response))));
    }
    let address = |image: &Image| Some(Remote { url: image.address()?, kind: MediaKind::Image });
    let remotes: Vec<Remote> = response.images.iter().filter_map(address).collect();
    if remotes.is_empty() {
        return Ok(Read::Answer(Box::new(written(&response))));
    }
    Ok(Read::Fetch { remotes, finish: Box::new(move |files| Ok(written(&with_files(response, files)?))) })
}

/// Reads a whole answer of an upstream.
///
/// Fails with 502 where the body is not of the dialect, and with 400 where the vendor would not make the image.
fn decode(read: fn(Node<'_>) -> Result<Option<Response>, Fault>, body: &[u8]) -> Result<Response, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    read(document.root())?
        .filter(|response| !response.images.is_empty())
        .ok_or_else(|| Fault::upstream("The provider's answer has no images."))
}

/// The images with the bytes of those that were fetched.
///
/// Fails with 502 for one that was not to be had.
fn with_files(mut response: Response, files: &Files) -> Result<Response, Fault> {
    for image in &mut response.images {
        let Some(address) = image.address() else { continue };
        let fault = |why: &str| {
            let message = format!(
                "The provider gave the address of an image where base64 was asked for, and the file {why}. Ask with \
                 `response_format` `url`, and fetch it."
            );
            Fault::upstream(message).with_param("response_format")
        };
        match files.get(&address) {
            Some(Ok(file)) => {
                file.media_type(MediaKind::Image, None, "").map_err(|why| fault(&why))?;
                image.data = Json::build(|w| w.string(&BASE64_STANDARD.encode(&file.bytes)));
                image.format = ResponseFormat::Base64;
            }
            Some(Err(unfetched)) => return Err(fault(&unfetched.why)),
            None => return Err(fault("was not fetched")),
        }
    }
    Ok(response)
}

fn written(response: &Response) -> MediaAnswer {
    let observed = Observed::of_images(response.usage, response.images.len());
    MediaAnswer { content_type: "application/json", body: openai::encode_response(response), observed }
}

/// Can a body of OpenAI's form go to this API as it is? To one that has the same form but for a few fields, without those.
pub fn fits(upstream: Api, body: Node<'_>) -> bool {
    let is_other = |name: &&str| body.some(name).is_some();
    upstream == Api::TogetherImages
        && !together::OTHERWISE.iter().any(is_other)
        && body.str("response_format").as_deref() != Some("b64_json")
}

/// The same of a body that asks for an edit.
pub fn edits_fit(upstream: Api, body: Node<'_>) -> bool {
    upstream == Api::XaiImageEdits && xai::is_own(body)
}
