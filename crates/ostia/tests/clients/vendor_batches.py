"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Batches that a provider runs in a form of its own."""

import base64
import io
import json
import time

import openai

from cases import IMAGE, TIMEOUT_S, WEATHER, case, equal, raises, run, true

# More than the fewest rows that a vendor's batches have.
ROWS = 120
ITSELF = {"x-ostia-provider": "ostia"}
DOT = "data:image/png;base64," + base64.b64encode(IMAGE).decode()


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-operator", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def line(custom_id, model, content, **more):
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body})


def upload(client, *lines):
    file = ("rows.jsonl", io.BytesIO("\n".join(lines).encode()), "application/jsonl")
    return client.files.create(file=file, purpose="batch", extra_headers=ITSELF)


def create(client, file):
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"team": "red"},
    )


def ended(client, batch):
    until = time.monotonic() + TIMEOUT_S
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        true(time.monotonic() < until, batch)
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    return batch


def rows_of(client, file):
    return {row["custom_id"]: row for row in map(json.loads, client.files.content(file).text.splitlines())}


@case
def rows(client, model):
    plain = (line(f"row {n}", model, f"say {n}") for n in range(ROWS))
    # Cohere's rows have no words to stop at.
    stop = {} if model.startswith("command") else {"stop": ["x"]}
    file = upload(
        client,
        *plain,
        line("tools", model, "tools", tools=[{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]),
        line("settings", model, "settings", temperature=0.5, max_tokens=100, top_p=0.9, **stop),
        line("parts", model, [{"type": "text", "text": "parts"}, {"type": "image_url", "image_url": {"url": DOT}}]),
        line("wrong", model, "bad"),
    )
    batch = create(client, file)
    equal((batch.object, batch.completion_window, batch.input_file_id), ("batch", "24h", file.id))
    batch = ended(client, batch)
    equal((batch.status, batch.metadata, batch.errors), ("completed", {"team": "red"}, None))
    equal(batch.request_counts.model_dump(), {"total": ROWS + 4, "completed": ROWS + 3, "failed": 1})
    output = rows_of(client, batch.output_file_id)
    for n in range(ROWS):
        answer = openai.types.chat.ChatCompletion.model_validate(output[f"row {n}"]["response"]["body"])
        equal(answer.choices[0].message.content, f"say {n}")
        equal(answer.choices[0].finish_reason, "stop")
        true(answer.usage.total_tokens > 0, answer)
    equal(set(output), {f"row {n}" for n in range(ROWS)} | {"tools", "settings", "parts"})
    errors = rows_of(client, batch.error_file_id)
    # Cohere says what is wrong, and no status.
    status = 500 if model.startswith("command") else 400
    equal([(row["custom_id"], row["response"]["status_code"]) for row in errors.values()], [("wrong", status)])
    equal(client.files.retrieve(batch.output_file_id).purpose, "batch_output")
    true(batch.id in [listed.id for listed in client.batches.list(extra_headers=ITSELF)], "in the list")


# What goes as it is, as calls in OpenAI's form do, is the vendor's to judge.
@case(but=("fireworks-ai", "mistral-ai", "together-ai", "x-ai"))
def a_line_that_cannot_be_told(client, model):
    more = (line(f"row {n}", model, "x") for n in range(ROWS))
    file = upload(client, line("a", model, "x"), line("b", model, "y", messages=[]), *more)
    batch = ended(client, create(client, file))
    error = batch.errors.data[0]
    equal((batch.status, error.line), ("failed", 2))
    true("Line 2" in error.message and "messages" in error.message, error)


@case
def what_is_not_there(client, model):
    raises(openai.NotFoundError, lambda: client.batches.retrieve("batch_ostia_none"))
    raises(openai.NotFoundError, lambda: client.files.content("file-ostia-none"))


run(connect)
