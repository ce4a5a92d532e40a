//! Shapes of what is asked and answered.

use ostia_store::{
    Actor, AppLog, Attempt, CacheResult, CacheStatus, CheckResult, Cost, GuardrailPhase, GuardrailResult,
    Outcome, Record, RecordError, Span, Usage,
};
use utoipa::PartialSchema as _;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ArrayBuilder, SchemaType, Type};
use utoipa::openapi::{AllOfBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat};

use super::Shape;
use crate::endpoints::logs::parameters::table::Form;

/// The names of shapes that several answers have.
pub(super) const ERROR: &str = "Error";
pub(super) const RECORD: &str = "Record";
pub(super) const KEPT: &str = "KeptRequest";
pub(super) const SPAN: &str = "Span";
pub(super) const APP_LOG: &str = "AppLog";
/// What a trace is a tree of.
pub(super) const NODE: &str = "TraceNode";
/// An error of OTLP.
pub(super) const STATUS: &str = "Status";

/// All shapes that have names. Those of records are made of the types that are kept.
pub(super) fn named() -> Vec<(&'static str, Shape)> {
    vec![
        (ERROR, error()),
        (RECORD, Record::schema()),
        ("Attempt", Attempt::schema()),
        ("Outcome", Outcome::schema()),
        ("Usage", Usage::schema()),
        ("Cost", Cost::schema()),
        ("RecordError", RecordError::schema()),
        ("CacheResult", CacheResult::schema()),
        ("CacheStatus", CacheStatus::schema()),
        ("Actor", Actor::schema()),
        ("GuardrailResult", GuardrailResult::schema()),
        ("GuardrailPhase", GuardrailPhase::schema()),
        ("CheckResult", CheckResult::schema()),
        (KEPT, kept()),
        (SPAN, Span::schema()),
        (APP_LOG, AppLog::schema()),
        (NODE, node()),
        (STATUS, object([("code", whole()), ("message", text())])),
    ]
}

/// A reference to one.
pub(super) fn of(name: &str) -> Shape {
    RefOr::Ref(Ref::from_schema_name(name))
}

pub(super) fn text() -> Shape {
    of_type(Type::String).into()
}

pub(super) fn moment() -> Shape {
    of_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
}

pub(super) fn whole() -> Shape {
    of_type(Type::Integer).into()
}

pub(super) fn number() -> Shape {
    of_type(Type::Number).into()
}

pub(super) fn flag() -> Shape {
    of_type(Type::Boolean).into()
}

/// Any JSON value.
pub(super) fn any() -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

pub(super) fn list(of: Shape) -> Shape {
    ArrayBuilder::new().items(of).into()
}

/// An object with these fields, which may have more.
pub(super) fn object(fields: impl IntoIterator<Item = (&'static str, Shape)>) -> Shape {
    let fields = fields.into_iter();
    fields.fold(of_type(Type::Object), |made, (name, shape)| made.property(name, shape)).into()
}

/// Any names, each with such a value.
pub(super) fn map(of: Shape) -> Shape {
    of_type(Type::Object).additional_properties(Some(AdditionalProperties::RefOr(of))).into()
}

/// A page of a list; `next` is the `after` of the one behind it.
pub(super) fn page(of: Shape) -> Shape {
    object([("object", text()), ("data", list(of)), ("next", or_null(Type::String))])
}

/// Costs by currency, in full.
pub(super) fn costs() -> Shape {
    map(text())
}

/// Milliseconds: percentiles, and what else is told of them.
pub(super) fn percentiles(more: &[&'static str]) -> Shape {
    let names = ["p50", "p90", "p99"].iter().chain(more);
    object(names.map(|name| (*name, or_null(Type::Integer))))
}

pub(super) fn or_null(kind: Type) -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null])).into()
}

fn of_type(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(kind))
}

/// One of these texts.
pub(super) fn one_of(all: &[&'static str]) -> Shape {
    of_type(Type::String).enum_values(Some(all.iter().copied())).into()
}

/// The value of a parameter.
pub(super) fn of_form(form: Form) -> Shape {
    match form {
        Form::Text | Form::Names | Form::Object => text(),
        Form::Moment => {
            let about = "A moment as RFC 3339 has it, a day, or milliseconds since 1970.";
            of_type(Type::String).description(Some(about)).into()
        }
        Form::Age => of_type(Type::String).examples(["15m"]).into(),
        Form::Whole(least, most) => bounded(Type::Integer, least, most).into(),
        Form::Number(least, most) => bounded(Type::Number, least, most).into(),
        Form::Flag => flag(),
        Form::OneOf(all) => one_of(all),
    }
}

fn bounded(kind: Type, least: i64, most: i64) -> ObjectBuilder {
    of_type(kind).minimum(Some(least as f64)).maximum(Some(most as f64))
}

/// In OpenAI's form.
fn error() -> Shape {
    let error = object([
        ("message", text()),
        ("type", text()),
        ("param", or_null(Type::String)),
        ("code", or_null(Type::String)),
    ]);
    object([("error", error)])
}

/// A request or a span in its trace.
fn node() -> Shape {
    let either = Schema::AnyOf(AnyOfBuilder::new().item(of(KEPT)).item(of(SPAN)).build());
    let beside = object([
        ("object", one_of(&["request", "span"])),
        ("logs", list(of(APP_LOG))),
        ("children", list(of(NODE))),
    ]);
    AllOfBuilder::new().item(either).item(beside).into()
}

/// A request as it is told: its record, and its bodies as far as they are kept.
fn kept() -> Shape {
    let body = || {
        let state = [("cut", flag()), ("missing", text()), ("body", any())];
        object(state)
    };
    let beside: Object = match object([("request", body()), ("response", body()), ("feedback", list(any()))])
    {
        RefOr::T(Schema::Object(object)) => object,
        RefOr::T(_) | RefOr::Ref(_) => Object::new(),
    };
    AllOfBuilder::new().item(of(RECORD)).item(beside).into()
}

/// Tokens read and written.
pub(super) fn tokens() -> Shape {
    object(["input", "output", "cached"].map(|name| (name, whole())))
}
