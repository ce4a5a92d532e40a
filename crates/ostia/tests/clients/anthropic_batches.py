"""Anthropic's SDK (anthropic): https://platform.claude.com/docs/en/api/sdks/python. Batches of messages."""

import time

import anthropic

from cases import TIMEOUT_S, case, equal, raises, run, true


def connect(gateway, headers):
    return anthropic.Anthropic(
        base_url=gateway, api_key="sk-operator", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def request(custom_id, model, content):
    params = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": content}]}
    return {"custom_id": custom_id, "params": params}


def ended(client, batch):
    until = time.monotonic() + TIMEOUT_S
    while batch.processing_status != "ended":
        true(time.monotonic() < until, batch)
        time.sleep(0.05)
        batch = client.messages.batches.retrieve(batch.id)
    return batch


@case
def messages(client, model):
    batch = client.messages.batches.create(
        requests=[request("one", model, "Hello"), request("two", model, "bad"), request("three", model, "Bye")]
    )
    batch = ended(client, batch)
    counts = batch.request_counts
    equal((counts.succeeded, counts.errored, counts.processing), (2, 1, 0))
    true(batch.created_at < batch.expires_at and batch.ended_at is not None, batch)
    # The SDK asks where the batch says that its results are.
    results = {row.custom_id: row.result for row in client.messages.batches.results(batch.id)}
    equal(sorted(results), ["one", "three", "two"])
    equal(results["one"].message.content[0].text, "Hello")
    equal(results["three"].message.stop_reason, "end_turn")
    equal((results["two"].type, results["two"].error.error.type), ("errored", "invalid_request_error"))


@case(at=("up",))
def what_the_gateway_keeps(client, model):
    batch = client.messages.batches.create(requests=[request("one", model, "Hello")])
    true(batch.id in [listed.id for listed in client.messages.batches.list()], "in the list")
    ended(client, batch)
    equal(client.messages.batches.delete(batch.id).type, "message_batch_deleted")
    true(batch.id not in [listed.id for listed in client.messages.batches.list(limit=1)], "gone from the list")
    raises(anthropic.BadRequestError, lambda: client.messages.batches.create(requests=[]))
    raises(anthropic.NotFoundError, lambda: client.messages.batches.retrieve("batch_ostia_none"))


run(connect)
