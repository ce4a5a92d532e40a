//! `GET /v1/openapi.json`: the gateway's own API as an OpenAPI document (<https://spec.openapis.org/oas/v3.1.0>).
//!
//! It is made of what the code itself goes by: the table of parameters, the types that are kept, the table of APIs. What is asked
//! where stands in [`operations`]; APIs that clients have from their vendors are named, with a link to whoever describes them. The
//! document holds nothing of the operator's, so whoever may connect gets it.

mod clients;
mod operations;
mod shapes;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use bytes::Bytes;
use http::Response;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::external_docs::ExternalDocs;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, RefOr,
    Required, ResponseBuilder, Schema,
};

use self::operations::{Answer, For, Takes, Words};
use crate::endpoints::logs::parameters::table;
use crate::errors::reply;
use crate::message::body::Body;

/// A schema, or the name of one.
type Shape = RefOr<Schema>;

/// What a key is shown in.
const KEY_HEADER: &str = "key_header";
const BEARER: &str = "bearer";
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

const ABOUT: &str = "One door in front of every model. Operators ask for what was kept and what is in force with a key of \
                     `auth.admin_keys`, clients for their own with one of `auth.keys`; on a gateway that listens on loopback and \
                     has no keys, none is needed.";

/// The document.
pub fn answer() -> Response<Body> {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default().into());
    reply::json(DOCUMENT.clone())
}

fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for own in operations::all() {
        paths = paths.path(own.path, PathItem::new(own.method.clone(), operation(&own)));
    }
    for api in clients::all() {
        paths = paths.path(api.path, PathItem::new(utoipa::openapi::HttpMethod::Post, api.operation));
    }
    let info = InfoBuilder::new()
        .title("Ostia")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new(env!("CARGO_PKG_LICENSE"))));
    let schemas = shapes::named();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            KEY_HEADER,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-ostia-api-key"))),
        )
        .security_scheme(
            BEARER,
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
    OpenApiBuilder::new().info(info.build()).paths(paths).components(Some(components.build())).build()
}

fn operation(own: &operations::Own) -> Operation {
    let mut made = OperationBuilder::new()
        .operation_id(Some(own.id))
        .tag(own.tag)
        .summary(Some(own.summary))
        .description(Some(own.about).filter(|about| !about.is_empty()));
    for name in names_in(own.path) {
        made = made.parameter(in_path(name));
    }
    for parameter in parameters(&own.takes) {
        made = made.parameter(parameter);
    }
    if let Some((media, shape)) = &own.body {
        let content = ContentBuilder::new().schema(Some(shape.clone())).build();
        let mut body = RequestBodyBuilder::new().content(*media, content).required(Some(Required::True));
        if own.words == Words::Otlp {
            body = body.content(PROTOBUF, ContentBuilder::new().build());
        }
        made = made.request_body(Some(body.build()));
    }
    made = made.response("200", response(own));
    for (status, about) in errors(own) {
        made = made.response(status.to_string(), fault(own.words, about));
    }
    // None at all is needed on a machine of one's own.
    for scheme in if own.of == For::Anybody { &[][..] } else { &[KEY_HEADER, BEARER] } {
        made = made.security(SecurityRequirement::new(*scheme, [""; 0]));
    }
    if own.of != For::Anybody {
        made = made.security(SecurityRequirement::default());
    }
    made.build()
}

/// The names between braces.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn in_path(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(shapes::text()))
        .build()
}

/// Each name of a parameter is told: SDKs use the other ones.
fn parameters(takes: &Takes) -> Vec<Parameter> {
    let parameter = |name: &str, about: &str, shape: Shape| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(shape))
            .build()
    };
    match takes {
        Takes::Nothing => Vec::new(),
        Takes::Own(own) => {
            own.iter().map(|(name, form, about)| parameter(name, about, shapes::of_form(*form))).collect()
        }
        Takes::At(path) => {
            let mut told: Vec<Parameter> = Vec::new();
            for row in table::of(path) {
                for name in row.names {
                    // Of two rows of one name the first counts.
                    if told.iter().all(|known| known.name != *name) {
                        told.push(parameter(name, row.about, shapes::of_form(row.form)));
                    }
                }
            }
            told
        }
    }
}

fn response(own: &operations::Own) -> utoipa::openapi::Response {
    let (media, about, shape) = match &own.answer {
        Answer::Json(about, shape) => (JSON, *about, Some((**shape).clone())),
        Answer::Text(media, about) => (*media, *about, None),
    };
    told_in(own.words, about, media, shape)
}

/// An answer, in all forms that it has.
fn told_in(words: Words, about: &str, media: &str, shape: Option<Shape>) -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(shape).build();
    let told = ResponseBuilder::new().description(about).content(media, content);
    match words {
        Words::Openai => told.build(),
        Words::Otlp => told.content(PROTOBUF, ContentBuilder::new().build()).build(),
    }
}

fn errors(own: &operations::Own) -> Vec<(u16, &'static str)> {
    let of_all = match own.of {
        For::Anybody => [].as_slice(),
        For::Clients => &[(401, "It needs a key of `auth.keys`.")],
        For::Operators => &[
            (401, "It needs a key of `auth.admin_keys`."),
            (403, "Nobody is an operator here, or a web page of others asks."),
        ],
        For::Both => &[
            (401, "It needs a key of `auth.keys` or `auth.admin_keys`."),
            (
                403,
                "No key of `auth.keys` is shown and nobody is an operator here, or a web page of others asks.",
            ),
        ],
    };
    let named = own.errors.iter().map(|status| {
        let about = match status {
            400 => "What is asked makes no sense: `param` names the field.",
            403 => "The address does not hold, or not any more.",
            404 => "There is no such thing, or it is another's.",
            409 => "It is not in a state for that.",
            410 => "Its file is gone.",
            413 => "It is too large.",
            415 => "The body is of another media type.",
            429 => "There are too many of them already.",
            503 => "It cannot be read or written at the moment: try again.",
            504 => "That took too long: ask for less time.",
            _ => "It cannot be done.",
        };
        (*status, about)
    });
    of_all.iter().copied().chain(named).collect()
}

fn fault(words: Words, about: &str) -> utoipa::openapi::Response {
    let shape = match words {
        Words::Openai => shapes::of(shapes::ERROR),
        Words::Otlp => shapes::of(shapes::STATUS),
    };
    told_in(words, about, JSON, Some(shape))
}

/// A link to whoever describes an API.
fn described_at(url: &str) -> ExternalDocs {
    let mut page = ExternalDocs::new(url);
    page.description = Some("The vendor's own reference".to_owned());
    page
}
