//! What the vendor takes of JSON Schema, and where a schema goes.

use crate::chat::json_schema::{self, Subset};
use crate::chat::rules::Rules;
use crate::json::Json;

/// The vendor's `Schema`, a part of OpenAPI 3.0 (<https://ai.google.dev/api/caching#Schema>): unknown names are refused,
/// and nothing may stand beside `anyOf`. Older models know no other.
const OPENAPI: Subset = Subset {
    keywords: &[
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ],
    closed: true,
    formats: &["float", "double", "int32", "int64", "enum", "date-time"],
    nullable: true,
    string_enums: true,
    any_of_alone: true,
    items_required: true,
    required_defined: true,
    cycles_optional: false,
};

/// `responseJsonSchema` and `parametersJsonSchema`
/// (<https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>): JSON Schema, of which these keywords count and
/// others are passed over; beside a `$ref` only names that start with `$` may stand, and a property
/// that leads back to its own schema may not be required.
const JSON_SCHEMA: Subset = Subset {
    keywords: &[
        "$id",
        "$defs",
        "$ref",
        "$anchor",
        "type",
        "format",
        "title",
        "description",
        "enum",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
        "oneOf",
        "properties",
        "additionalProperties",
        "required",
        "propertyOrdering",
    ],
    closed: false,
    formats: &[],
    nullable: false,
    string_enums: false,
    any_of_alone: false,
    items_required: false,
    required_defined: false,
    cycles_optional: true,
};

/// The schema for this model; what it cannot say is reported below `path`.
pub(super) fn convert(
    schema: &Json,
    rules: &Rules,
    path: &str,
    dropped: &mut Vec<String>,
) -> serde_json::Value {
    let subset = if rules.json_schema { &JSON_SCHEMA } else { &OPENAPI };
    let (value, lost) = json_schema::rewrite(&schema.to_value(), subset);
    dropped.extend(lost.iter().map(|lost| match lost.as_str() {
        "" => path.to_owned(),
        lost => format!("{path}.{lost}"),
    }));
    value
}
