"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Files and batches that the gateway runs itself."""

import io
import json
import time

import openai

from cases import TIMEOUT_S, case, equal, raises, run, true

ROWS = 30
ITSELF = {"x-ostia-provider": "ostia"}


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def line(custom_id, model, content):
    body = {"model": model, "messages": [{"role": "user", "content": content}]}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body})


def upload(client, *lines):
    file = ("rows.jsonl", io.BytesIO("\n".join(lines).encode()), "application/jsonl")
    return client.files.create(file=file, purpose="batch", extra_headers=ITSELF)


def ended(client, batch):
    until = time.monotonic() + TIMEOUT_S
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        true(time.monotonic() < until, batch)
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    return batch


def create(client, file):
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="immediate",
        metadata={"team": "red"},
    )


@case
def rows(client, model):
    file = upload(client, *(line(f"row-{n}", model, f"say {n}") for n in range(ROWS)), line("last", model, "bad"))
    equal((file.purpose, file.filename, file.status), ("batch", "rows.jsonl", "processed"))
    equal(client.files.retrieve(file.id), file)
    true(file.id in [listed.id for listed in client.files.list(purpose="batch", extra_headers=ITSELF)], "in the list")
    batch = ended(client, create(client, file))
    equal((batch.status, batch.metadata, batch.errors), ("completed", {"team": "red"}, None))
    equal(batch.request_counts.model_dump(), {"total": ROWS + 1, "completed": ROWS, "failed": 1})
    output = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    said = {row["custom_id"]: row["response"]["body"]["choices"][0]["message"]["content"] for row in output}
    equal((said, len(output)), ({f"row-{n}": f"say {n}" for n in range(ROWS)}, ROWS))
    errors = [json.loads(row) for row in client.files.content(batch.error_file_id).text.splitlines()]
    equal([(row["custom_id"], row["response"]["status_code"]) for row in errors], [("last", 400)])
    listed = client.batches.list(limit=1, extra_headers=ITSELF)
    equal(listed.data[0], batch)
    for own in (file.id, batch.output_file_id, batch.error_file_id):
        true(client.files.delete(own).deleted, own)
    raises(openai.NotFoundError, lambda: client.files.retrieve(file.id))


@case
def a_line_that_is_none(client, model):
    error = raises(openai.BadRequestError, lambda: upload(client, line("a", model, "x"), line("a", model, "y")))
    equal((error.code, error.param), ("duplicate_custom_id", "file"))
    true("Line 2" in error.message, error)


@case
def cancelled(client, model):
    batch = create(client, upload(client, *(line(f"row-{n}", model, "x") for n in range(2_000))))
    true(client.batches.cancel(batch.id).status in ("cancelling", "cancelled"), batch)
    batch = ended(client, batch)
    equal(batch.status, "cancelled")
    true(batch.request_counts.completed < 2_000, batch)


run(connect)
