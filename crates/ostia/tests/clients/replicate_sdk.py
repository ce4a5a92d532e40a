"""Replicate's SDK (replicate): https://replicate.com/docs/reference/http. Its own paths, handed on, and the addresses in the answers."""

import io

import httpx
from replicate.client import Client
from replicate.exceptions import ReplicateError

from cases import TIMEOUT_S, case, equal, raises, run


def connect(gateway, headers):
    # The gateway's key is shown as the vendor's would be.
    client = Client(api_token="pk-gateway", base_url=gateway, headers=headers, timeout=TIMEOUT_S)
    client.poll_interval = 0.01
    return client


def follow(client, method, address):
    """Asks at an address as it was told, with the client's own headers."""
    return client._client.request(method, address)


@case
def a_prediction(client, version):
    prediction = client.predictions.create(version=version, input={"prompt": "a cat"}, wait=False)
    equal(prediction.status, "starting")
    equal(follow(client, "GET", prediction.urls["get"]).json()["status"], "succeeded")
    equal(follow(client, "POST", prediction.urls["cancel"]).json()["status"], "canceled")
    prediction.wait()
    equal(prediction.output, "https://replicate.delivery/a.png")


@case
def all_pages(client, version):
    first = client.predictions.list()
    second = client.predictions.list(first.next)
    equal([prediction.id for page in (first, second) for prediction in page], ["p1", "p2"])
    equal(second.next, None)


@case
def a_file_for_the_vendor(client, version):
    file = client.files.create(io.BytesIO(b"RIFF" * 100), filename="a.wav")
    # It goes into an input, which the vendor reads.
    equal(httpx.URL(file.urls["get"]).path, "/v1/files/f1")
    prediction = client.predictions.create(version=version, input={"audio": file.urls["get"]}, wait=False)
    equal(prediction.input["audio"], file.urls["get"])


@case
def what_the_vendor_refuses(client, version):
    error = raises(ReplicateError, lambda: client.predictions.get("none"))
    equal(error.status, 404)


run(connect)
