//! What is clients' own: models, how it was decided whom to ask, files and batches.

use utoipa::openapi::HttpMethod;
use utoipa::openapi::schema::Type;

use super::{Answer, For, LINES, Own, Takes, read};
use crate::endpoints::logs::parameters::table::Form;
use crate::endpoints::openapi::shapes::{any, flag, list, map, object, or_null, text, whole};
use crate::endpoints::openapi::{JSON, Shape};

const CLIENTS: &str = "Clients' own";
const LIST: [(&str, Form, &str); 3] = [
    ("after", Form::Text, "The id of the last one of the page before."),
    ("limit", Form::Whole(1, 10_000), "How many a page has."),
    ("order", Form::OneOf(&["asc", "desc"]), "By their age."),
];
const LIST_OF_FILES: [(&str, Form, &str); 4] = [
    LIST[0],
    LIST[1],
    LIST[2],
    ("purpose", Form::OneOf(&["batch", "batch_output", "fine-tune"]), "What they are for."),
];
const LIST_OF_BATCHES: [(&str, Form, &str); 3] =
    [LIST[0], ("limit", Form::Whole(1, 100), "How many a page has."), LIST[2]];
const OWN_FILES: &str =
    "Files of the gateway's own, in OpenAI's form: those of providers have the same paths.";
const LIST_OF_JOBS: [(&str, Form, &str); 2] =
    [LIST[0], ("limit", Form::Whole(1, 100), "How many a page has.")];
const OWN_JOBS: &str = "Jobs that train models, in OpenAI's form, at providers that have another one: those of all others have the same paths.";
const OWN_BATCHES: &str =
    "Batches of the gateway's own, in OpenAI's form: those of providers have the same paths.";

const LIST_OF_MESSAGE_BATCHES: [(&str, Form, &str); 3] = [
    ("after_id", Form::Text, "Those behind the one of this id."),
    ("before_id", Form::Text, "Those before the one of this id."),
    ("limit", Form::Whole(1, 1000), "How many a page has."),
];
const OWN_MESSAGE_BATCHES: &str =
    "Batches of the gateway's own, in Anthropic's form: those of providers have the same paths.";

pub(super) fn own() -> Vec<Own> {
    let client = |own: Own| Own { of: For::Clients, ..own };
    let explained = object([
        ("trace_id", text()),
        ("provider", text()),
        ("status", whole()),
        ("dropped", list(text())),
        ("usage", map(whole())),
        ("finish_reason", text()),
        ("first_token_ms", whole()),
        ("decisions", any()),
    ]);
    let dry = object([("request", any()), ("config", any()), ("path", text()), ("metadata", map(text()))]);
    let dry_run = object([("result", text()), ("calls", list(map(any()))), ("warnings", list(text()))]);
    let models = || object([("object", text()), ("data", list(map(any())))]);
    let all = [
        Own {
            errors: &[404],
            ..read("explain", "/v1/explain/{trace_id}", CLIENTS, "How it was decided whom to ask", explained)
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, dry)),
            errors: &[400, 413],
            ..read("dry_run", "/v1/explain", CLIENTS, "How it would be decided; nobody is asked", dry_run)
        },
        Own {
            errors: &[],
            ..read("list_models", "/v1/models", CLIENTS, "Models that can be asked", models())
        },
        Own { errors: &[404], ..read("get_model", "/v1/models/{name}", CLIENTS, "One of them", map(any())) },
    ];
    let all = all.into_iter().chain(files()).chain(batches()).chain(message_batches());
    all.chain(fine_tuning()).map(client).collect()
}

fn files() -> Vec<Own> {
    let file = || {
        object([
            ("id", text()),
            ("object", text()),
            ("bytes", whole()),
            ("created_at", whole()),
            ("filename", text()),
            ("purpose", text()),
            ("status", text()),
        ])
    };
    let form = object([("file", text()), ("purpose", text())]);
    let read = |id, path, summary, shape| Own {
        about: OWN_FILES,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_FILES),
            ..read("list_files", "/v1/files", "Files", stored_list(file()))
        },
        Own {
            method: HttpMethod::Post,
            body: Some(("multipart/form-data", form)),
            errors: &[400, 413, 429, 503],
            ..read("upload_file", "/v1/files", "Uploads rows of a batch, or of training", file())
        },
        read("get_file", "/v1/files/{id}", "One of them", file()),
        Own {
            method: HttpMethod::Delete,
            errors: &[404, 409, 503],
            ..read(
                "delete_file",
                "/v1/files/{id}",
                "Deletes it",
                object([("id", text()), ("deleted", flag())]),
            )
        },
        Own {
            answer: Answer::Text(LINES, "Its rows."),
            ..read("get_file_content", "/v1/files/{id}/content", "What is in it", any())
        },
    ]
}

fn batches() -> Vec<Own> {
    let batch = || {
        object([
            ("id", text()),
            ("object", text()),
            ("endpoint", text()),
            ("status", text()),
            ("input_file_id", text()),
            ("output_file_id", or_null(Type::String)),
            ("error_file_id", or_null(Type::String)),
            ("completion_window", text()),
            ("created_at", whole()),
            ("request_counts", object(["total", "completed", "failed"].map(|name| (name, whole())))),
            ("metadata", any()),
        ])
    };
    let order = object([
        ("input_file_id", text()),
        ("endpoint", text()),
        ("completion_window", text()),
        ("metadata", map(text())),
        ("ostia_options", map(any())),
        ("portkey_options", map(any())),
    ]);
    let read = |id, path, summary, shape| Own {
        about: OWN_BATCHES,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_BATCHES),
            ..read("list_batches", "/v1/batches", "Batches", stored_list(batch()))
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, order)),
            errors: &[400, 404, 429, 503],
            ..read("create_batch", "/v1/batches", "Has the rows of a file asked", batch())
        },
        read("get_batch", "/v1/batches/{id}", "One of them", batch()),
        Own {
            method: HttpMethod::Post,
            ..read("cancel_batch", "/v1/batches/{id}/cancel", "Gives it up", batch())
        },
        Own {
            answer: Answer::Text(LINES, "A row for each that was answered."),
            errors: &[404, 409, 503],
            ..read("get_batch_output", "/v1/batches/{id}/output", "What came of its rows", any())
        },
    ]
}

fn message_batches() -> Vec<Own> {
    let batch = || {
        let counts = ["processing", "succeeded", "errored", "canceled", "expired"];
        object([
            ("id", text()),
            ("type", text()),
            ("processing_status", text()),
            ("request_counts", object(counts.map(|name| (name, whole())))),
            ("created_at", text()),
            ("expires_at", text()),
            ("ended_at", or_null(Type::String)),
            ("cancel_initiated_at", or_null(Type::String)),
            ("results_url", or_null(Type::String)),
        ])
    };
    let deleted = object([("id", text()), ("type", text())]);
    let request = object([("custom_id", text()), ("params", map(any()))]);
    let order = object([("requests", list(request)), ("completion_window", text())]);
    let page = object([
        ("data", list(batch())),
        ("has_more", flag()),
        ("first_id", or_null(Type::String)),
        ("last_id", or_null(Type::String)),
    ]);
    let read = |id, path, summary, shape| Own {
        about: OWN_MESSAGE_BATCHES,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_MESSAGE_BATCHES),
            ..read("list_message_batches", "/v1/messages/batches", "Batches of messages", page)
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, order)),
            errors: &[400, 413, 429, 503],
            ..read("create_message_batch", "/v1/messages/batches", "Has messages answered", batch())
        },
        read("get_message_batch", "/v1/messages/batches/{id}", "One of them", batch()),
        Own {
            method: HttpMethod::Delete,
            errors: &[404, 409, 503],
            ..read(
                "delete_message_batch",
                "/v1/messages/batches/{id}",
                "Takes it away, with what came of it",
                deleted,
            )
        },
        Own {
            method: HttpMethod::Post,
            ..read("cancel_message_batch", "/v1/messages/batches/{id}/cancel", "Gives it up", batch())
        },
        Own {
            answer: Answer::Text(LINES, "A row for each request."),
            errors: &[404, 409, 503],
            ..read("get_message_batch_results", "/v1/messages/batches/{id}/results", "What came of it", any())
        },
    ]
}

fn fine_tuning() -> Vec<Own> {
    let job = || {
        object([
            ("id", text()),
            ("object", text()),
            ("created_at", whole()),
            ("status", text()),
            ("model", text()),
            ("training_file", text()),
            ("validation_file", or_null(Type::String)),
            ("fine_tuned_model", or_null(Type::String)),
            ("trained_tokens", or_null(Type::Integer)),
            ("finished_at", or_null(Type::Integer)),
            ("error", any()),
            ("method", map(any())),
            ("metadata", any()),
        ])
    };
    let order = object([
        ("model", text()),
        ("training_file", text()),
        ("validation_file", text()),
        ("method", map(any())),
        ("hyperparameters", map(any())),
        ("suffix", text()),
        ("seed", whole()),
        ("integrations", list(map(any()))),
        ("metadata", map(text())),
    ]);
    let read = |id, path, summary, shape| Own {
        about: OWN_JOBS,
        errors: &[400, 404, 503],
        ..read(id, path, CLIENTS, summary, shape)
    };
    let listed = |of| object([("object", text()), ("has_more", flag()), ("data", list(of))]);
    let below = |id, path, summary| Own {
        takes: Takes::Own(&LIST_OF_JOBS),
        ..read(id, path, summary, listed(map(any())))
    };
    vec![
        Own {
            takes: Takes::Own(&LIST_OF_JOBS),
            ..read("list_fine_tuning_jobs", "/v1/fine_tuning/jobs", "Jobs that train models", listed(job()))
        },
        Own {
            method: HttpMethod::Post,
            body: Some((JSON, order)),
            errors: &[400, 404, 429, 503],
            ..read("create_fine_tuning_job", "/v1/fine_tuning/jobs", "Has a model trained", job())
        },
        read("get_fine_tuning_job", "/v1/fine_tuning/jobs/{id}", "One of them", job()),
        Own {
            method: HttpMethod::Post,
            ..read("cancel_fine_tuning_job", "/v1/fine_tuning/jobs/{id}/cancel", "Gives it up", job())
        },
        below("list_fine_tuning_events", "/v1/fine_tuning/jobs/{id}/events", "What happened to it"),
        below(
            "list_fine_tuning_checkpoints",
            "/v1/fine_tuning/jobs/{id}/checkpoints",
            "The models that came of it meanwhile",
        ),
    ]
}

fn stored_list(of: Shape) -> Shape {
    object([
        ("object", text()),
        ("first_id", or_null(Type::String)),
        ("last_id", or_null(Type::String)),
        ("has_more", flag()),
        ("data", list(of)),
    ])
}
