"""fal's SDK (fal-client): https://docs.fal.ai/documentation/model-apis/inference/queue. Its queue, handed on, and the addresses in the answers."""

from fal_client import Completed, InProgress, SyncClient
from fal_client import client as sdk

from cases import TIMEOUT_S, case, equal, raises, run


def connect(gateway, headers):
    # The SDK asks for another host of the queue's in FAL_QUEUE_RUN_HOST, by HTTPS alone; this gateway has no certificate.
    sdk.QUEUE_URL_FORMAT = f"{gateway}/v1/proxy/"
    # The gateway's key is shown as the vendor's would be.
    client = SyncClient(key="pk-gateway", default_timeout=TIMEOUT_S)
    client._client.headers.update(headers)
    return client


@case
def a_request_to_its_end(client, model):
    handle = client.submit(model, {"prompt": "a cat"})
    steps = [type(step) for step in handle.iter_events(with_logs=True, interval=0.01)]
    equal(steps, [InProgress, Completed])
    equal(handle.get(interval=0.01), {"images": [{"url": "https://v3.fal.media/files/a.png"}]})


@case
def a_request_that_is_given_up(client, model):
    equal(client.submit(model, {"prompt": "a dog"}).cancel(), None)


@case
def what_the_vendor_refuses(client, model):
    error = raises(sdk.FalClientHTTPError, lambda: client.submit("fal-ai/none", {}))
    equal(error.status_code, 404)


run(connect)
