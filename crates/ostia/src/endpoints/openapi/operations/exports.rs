//! Exports as jobs.

use ostia_store::EXPORT_FIELDS;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::schema::Type;

use super::{Answer, For, LINES, Own, Takes, read};
use crate::endpoints::logs::parameters::table::{self, Form};
use crate::endpoints::openapi::JSON;
use crate::endpoints::openapi::shapes::{self, any, list, map, moment, object, or_null, text, whole};
use crate::inbound::route::{ExportPath, KeptPath};

const EXPORTS: &str = "Exports";

/// Exports as jobs. What an export's `filters` may have, the query of analytics may.
pub(super) fn exports() -> Vec<Own> {
    let export = || {
        object([
            ("id", text()),
            ("object", text()),
            ("status", shapes::one_of(&["draft", "in_progress", "success", "failed", "stopped"])),
            ("filters", map(any())),
            ("requested_data", list(text())),
            ("description", or_null(Type::String)),
            ("workspace_id", or_null(Type::String)),
            ("created_at", moment()),
            ("last_updated_at", moment()),
            ("total_records", whole()),
            ("bytes", whole()),
            ("error", or_null(Type::String)),
        ])
    };
    let wish = || {
        let filters = table::of(&KeptPath::Exports(ExportPath::Create));
        let filters = filters.flat_map(|row| row.names.iter().map(|name| (*name, shapes::of_form(row.form))));
        object([
            ("filters", object(filters)),
            ("requested_data", list(shapes::one_of(&EXPORT_FIELDS))),
            ("description", text()),
            ("workspace_id", text()),
        ])
    };
    let made = || object([("id", text()), ("total", whole()), ("object", text())]);
    let done = || object([("message", text()), ("object", text())]);
    let all = object([("object", text()), ("total", whole()), ("data", list(export()))]);
    let post = |own: Own| Own { method: HttpMethod::Post, ..own };
    let read = |id, path, summary, shape| Own {
        errors: &[404, 409, 503],
        ..read(id, path, EXPORTS, summary, shape)
    };
    let signed: &[(&str, Form, &str)] = &[
        ("expires", Form::Whole(0, i64::MAX), "Until when it holds, in seconds since 1970."),
        ("signature", Form::Text, "What the address was signed with."),
    ];
    vec![
        Own { errors: &[404, 503], ..read("list_exports", "/v1/logs/exports", "Exports of logs", all) },
        Own {
            about: "It is a draft until it is started. At most 50,000 rows, of `requested_data`; of the whole record where nobody says.",
            body: Some((JSON, wish())),
            errors: &[400, 404, 413, 415, 429, 503, 504],
            ..post(read("create_export", "/v1/logs/exports", "Makes one", made()))
        },
        read("get_export", "/v1/logs/exports/{id}", "How far one is", export()),
        Own {
            method: HttpMethod::Put,
            body: Some((JSON, wish())),
            errors: &[400, 404, 409, 413, 415, 503, 504],
            ..read("update_export", "/v1/logs/exports/{id}", "Changes a draft", made())
        },
        post(read("start_export", "/v1/logs/exports/{id}/start", "Starts it", done())),
        post(read("cancel_export", "/v1/logs/exports/{id}/cancel", "Stops it", done())),
        Own {
            about: "The address holds for an hour, for whoever has it.",
            errors: &[404, 409, 410, 503],
            ..read(
                "download_export",
                "/v1/logs/exports/{id}/download",
                "Where its lines are",
                object([("signed_url", text())]),
            )
        },
        Own {
            of: For::Anybody,
            takes: Takes::Own(signed),
            answer: Answer::Text(LINES, "A line for each request, the newest first."),
            errors: &[403, 409, 410, 503],
            ..read(
                "get_export_content",
                "/v1/logs/exports/{id}/content",
                "Its lines, at a signed address",
                any(),
            )
        },
    ]
}
