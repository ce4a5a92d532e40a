"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Jobs that train models, at providers that have them in a form of their own."""

import io
import json
import time

import openai

from cases import TIMEOUT_S, case, equal, raises, run, true


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-operator", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def example(words):
    messages = [{"role": "user", "content": words}, {"role": "assistant", "content": "yes"}]
    return json.dumps({"messages": messages})


def preference(words):
    said = lambda answer: [{"role": "assistant", "content": answer}]
    return json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": words}]},
            "preferred_output": said("yes"),
            "non_preferred_output": said("no"),
        }
    )


def upload(client, row):
    rows = "\n".join(row(words) for words in ("a", "b", "c"))
    return client.files.create(file=("rows.jsonl", io.BytesIO(rows.encode())), purpose="fine-tune")


def ended(client, job):
    until = time.monotonic() + TIMEOUT_S
    while job.status in ("validating_files", "queued", "running"):
        true(time.monotonic() < until, job)
        time.sleep(0.05)
        job = client.fine_tuning.jobs.retrieve(job.id)
    # The SDK takes anything; its models do not.
    return openai.types.fine_tuning.FineTuningJob.model_validate(job.model_dump())


@case
def supervised(client, model):
    file = upload(client, example)
    equal(file.purpose, "fine-tune")
    job = client.fine_tuning.jobs.create(
        model=model,
        training_file=file.id,
        validation_file=upload(client, example).id,
        suffix="mine",
        metadata={"team": "red"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 8}}},
    )
    equal((job.object, job.model, job.training_file), ("fine_tuning.job", model, file.id))
    job = ended(client, job)
    equal((job.status, job.metadata, job.error), ("succeeded", {"team": "red"}, None))
    equal(job.method.supervised.hyperparameters.n_epochs, 2)
    equal(job.trained_tokens, None if model.startswith("amazon.") else 850)
    true(job.fine_tuned_model and job.finished_at, job)
    true(job.id in [listed.id for listed in client.fine_tuning.jobs.list(limit=1)], "in the list")
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=1))
    true(len(events) > 1 and len({event.id for event in events}) == len(events), events)
    for event in events:
        openai.types.fine_tuning.FineTuningJobEvent.model_validate(event.model_dump())
    for checkpoint in client.fine_tuning.jobs.checkpoints.list(job.id):
        openai.types.fine_tuning.jobs.FineTuningJobCheckpoint.model_validate(checkpoint.model_dump())
    equal(client.files.list(purpose="fine-tune").data[0].purpose, "fine-tune")


@case
def preferences(client, model):
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    create = lambda: client.fine_tuning.jobs.create(model=model, training_file=upload(client, preference).id, method=method)
    if model.startswith("amazon."):
        return raises(openai.BadRequestError, create)
    job = create()
    job = ended(client, job)
    equal((job.status, job.method.dpo.hyperparameters.beta), ("succeeded", 0.2))


@case
def what_is_not_there(client, model):
    raises(openai.NotFoundError, lambda: client.fine_tuning.jobs.retrieve("ftjob-ostia-none"))
    raises(openai.BadRequestError, lambda: client.fine_tuning.jobs.create(model=model, training_file="file-1"))


run(connect)
