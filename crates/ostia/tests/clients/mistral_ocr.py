"""Mistral's SDK (mistralai): https://github.com/mistralai/client-python. OCR by Azure's service and by models that see."""

import httpx2
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

from cases import TIMEOUT_S
from cases import case, equal, raises, run

PDF = {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0="}
IMAGE = {"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}


def connect(gateway, headers):
    client = httpx2.Client(headers=headers, timeout=TIMEOUT_S)
    return Mistral(api_key="sk-client", server_url=gateway, client=client)


@case
def a_document(client, model):
    answer = client.ocr.process(model=model, document=PDF)
    equal([(page.index, page.markdown) for page in answer.pages], [(0, "# One"), (1, "Two")])
    equal(answer.usage_info.pages_processed, 2)


@case
def an_image(client, model):
    answer = client.ocr.process(model=model, document=IMAGE)
    equal(answer.pages[0].index, 0)


@case
def what_is_no_document(client, model):
    raises(SDKError, lambda: client.ocr.process(model=model, document={"type": "file", "file_id": "f"}))


if __name__ == "__main__":
    run(connect)
