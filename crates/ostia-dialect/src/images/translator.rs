//! Images asked for in another vendor's form.

use super::{Dialect, Response, decode, encode, openai, together};
use crate::api::{Asked, Operation, Path, Reader, Translated, Translator};
use crate::json::Node;
use crate::{Api, Fault, Observed, Usage};

/// How images are asked for in another vendor's form.
pub static TRANSLATOR: Translator = Translator { upstream, translate };

/// The forms of providers.
const UPSTREAMS: [Api; 4] = [Api::TogetherImages, Api::GeminiImages, Api::ImagenPredict, Api::BedrockImages];

fn upstream(client: Api, offers: &dyn Fn(Api) -> bool) -> Option<Api> {
    let is_client = client.operation() == Operation::Images(Dialect::Openai);
    UPSTREAMS.into_iter().find(|api| is_client && offers(*api))
}

fn translate(asked: Asked<'_>, upstream: Api) -> Result<Translated, Fault> {
    let Operation::Images(dialect) = upstream.operation() else {
        return Err(Fault::invalid("Images are not asked for so.").with_code("unsupported_operation"));
    };
    let mut request = openai::decode_request(asked.body)?;
    if let Some(model) = asked.model {
        model.clone_into(&mut request.model);
    }
    if request.model.is_empty() && !matches!(upstream.path(), Path::Fixed(_)) {
        let message = "Missing `model`: this provider has no model of its own choice, say which one to ask.";
        return Err(Fault::invalid(message).with_param("model").with_code("model_missing"));
    }
    let encoded = encode(dialect, &request)?;
    Ok(Translated {
        api: upstream,
        model: request.model.clone(),
        body: encoded.body,
        more: Vec::new(),
        headers: encoded.headers,
        dropped: encoded.dropped,
        reader: Reader::new(move |body| {
            let response = decode(dialect, body)?;
            Ok((openai::encode_response(&request, &response)?, observed(&response)))
        }),
    })
}

fn observed(response: &Response) -> Observed {
    Observed::of_usage(response.usage.map(|usage| Usage {
        prompt: usage.input_tokens,
        completion: usage.output_tokens,
        ..Usage::default()
    }))
}

/// Can a body of OpenAI's form go to this API as it is? To one that has the same form but for a few fields, without those.
pub fn fits(upstream: Api, body: Node<'_>) -> bool {
    let is_other = |name: &&str| body.some(name).is_some();
    upstream == Api::TogetherImages
        && !together::OTHERWISE.iter().any(is_other)
        && body.str("response_format").as_deref() != Some("b64_json")
}
