"""Holds what servers of batches were sent, and what they said, against the models of their vendors' own SDKs.

Standard input has a JSON object on each line: `{"vendor", "kind", "body"}`, where `kind` is `create` (what makes a batch), `row` (of a
file), `batch` (what is said of one) or `result` (of a row). What is wrong is printed, a line for each; nothing means that all is well.
"""

import json
import sys
import typing

import pydantic
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse
from anthropic.types.messages.batch_create_params import Request
from google.genai import batches as google_batches
from google.genai import types as google
from mistralai.client.models import (
    BatchJob,
    BatchRequest,
    ChatCompletionRequest,
    ChatCompletionResponse,
    CreateBatchJobRequest,
)

ANTHROPIC_ROW = pydantic.TypeAdapter(Request)
ANTHROPIC_FIELDS = set(typing.get_type_hints(MessageCreateParamsNonStreaming))


def anthropic_create(body):
    if set(body) != {"requests"}:
        raise ValueError(f"{sorted(body)} are not known")
    for row in body["requests"]:
        params = ANTHROPIC_ROW.validate_python(row)["params"]
        # Lists are held against their models when they are read.
        list(params["messages"])
        list(params.get("tools", []))
        unknown = set(params) - ANTHROPIC_FIELDS
        if unknown:
            raise ValueError(f"{sorted(unknown)} are not known")


def google_create(body):
    batch = body["batch"]
    google.BatchJobSource.model_validate({"fileName": batch["inputConfig"]["fileName"]})
    google.CreateBatchJobConfig.model_validate({"displayName": batch["displayName"]})


def google_row(body):
    request = dict(body["request"])
    for content in request.pop("contents"):
        google.Content.model_validate(content)
    if "systemInstruction" in request:
        google.Content.model_validate(request.pop("systemInstruction"))
    google.GenerationConfig.model_validate(request.pop("generationConfig", {}))
    for tool in request.pop("tools", []):
        google.Tool.model_validate(tool)
    google.ToolConfig.model_validate(request.pop("toolConfig", {}))
    if request or set(body) != {"key", "request"}:
        raise ValueError(f"{sorted(request)} or {sorted(body)} are not known")


def google_batch(body):
    job = google.BatchJob.model_validate(google_batches._BatchJob_from_mldev(body))
    if job.state is None or job.name is None:
        raise ValueError(f"no state or no name: {job}")


def google_result(body):
    if "response" in body:
        google.GenerateContentResponse.model_validate(body["response"])
    else:
        google.JobError.model_validate(body["error"])


def mistral_row(body):
    row = BatchRequest.model_validate(body)
    ChatCompletionRequest.model_validate({"model": "the job's", **row.body})


def mistral_result(body):
    if body["response"]["status_code"] == 200:
        ChatCompletionResponse.model_validate(body["response"]["body"])


JUDGES = {
    ("anthropic", "create"): anthropic_create,
    ("anthropic", "batch"): lambda body: MessageBatch.model_validate(body, strict=False),
    ("anthropic", "result"): MessageBatchIndividualResponse.model_validate,
    ("google", "create"): google_create,
    ("google", "row"): google_row,
    ("google", "batch"): google_batch,
    ("google", "result"): google_result,
    ("mistral-ai", "create"): CreateBatchJobRequest.model_validate,
    ("mistral-ai", "row"): mistral_row,
    ("mistral-ai", "batch"): BatchJob.model_validate,
    ("mistral-ai", "result"): mistral_result,
}


for line in sys.stdin:
    said = json.loads(line)
    try:
        JUDGES[said["vendor"], said["kind"]](said["body"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{said['vendor']} {said['kind']}: {type(error).__name__}: {error}: {json.dumps(said['body'])}")
