"""Holds what servers of batches were sent, and what they said, against the models of their vendors' own SDKs.

Standard input has a JSON object on each line: `{"vendor", "kind", "body"}`, where `kind` is `create` (what makes a batch), `made` (what is said of
it then), `dataset` (what makes a place for rows), `row` (of a file), `batch` (what is said of one) or `result` (of a row); for jobs that train models
`tuning_create`, `dpo_create`, `tuning_row`, `tuning` (what is said of one), `events` or `checkpoints`. What is wrong is printed, a line for each; nothing means that all is well.
"""

import base64
import io
import json
import re
import sys
import typing

import botocore.session
import botocore.validate
import fastavro
import pydantic
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse
from anthropic.types.messages.batch_create_params import Request
from cohere.batches import Batch
from cohere.types import ChatMessageV2
from cohere.v2.types import V2ChatResponse
from fireworks.types import (
    BatchInferenceJob,
    SupervisedFineTuningJob,
    batch_inference_job_create_params,
    dataset_create_params,
    dpo_job_create_params,
    supervised_fine_tuning_job_create_params,
)
from fireworks.types.shared_params import dpo_config, reinforcement_learning_loss_config, training_config, wandb_config
from google.genai import batches as google_batches
from google.genai import tunings as google_tunings
from google.genai import types as google
from google.protobuf import json_format
from mistralai.client.models import (
    BatchJob,
    BatchRequest,
    ChatCompletionRequest,
    ChatCompletionResponse,
    CreateBatchJobRequest,
)
from openai.types.chat import ChatCompletion, completion_create_params
from together.lib.types import fine_tuning as together_tuning
from together.types import (
    BatchCreateParams,
    BatchCreateResponse,
    FinetuneResponse,
    FineTuningListCheckpointsResponse,
    FineTuningListEventsResponse,
)
from together.types import BatchJob as TogetherJob
from xai_sdk.proto import batch_pb2

BEDROCK = botocore.session.Session().get_service_model("bedrock")
RUNTIME = botocore.session.Session().get_service_model("bedrock-runtime")
ANTHROPIC_ROW = pydantic.TypeAdapter(Request)
ANTHROPIC_PARAMS = pydantic.TypeAdapter(MessageCreateParamsNonStreaming)
# What the models of today take no more is missing in the SDK's types.
OLDER_FIELDS = {"temperature", "top_k", "top_p"}
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


CHAT = pydantic.TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming)
TOGETHER_CREATE = pydantic.TypeAdapter(BatchCreateParams)


def known(fields, params):
    unknown = set(fields) - set(params)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are not known")


def camel(params):
    """The fields of a type of Fireworks', as they are sent."""
    words = (name.split("_") for name in typing.get_type_hints(params) if name != "account_id")
    return {first + "".join(word.title() for word in rest) for first, *rest in words}


def openai_row(body, more=(), model=None):
    known(body, {"custom_id", "body", *more})
    chat = CHAT.validate_python({**({"model": model} if model else {}), **body["body"]})
    list(chat["messages"])


def openai_result(body):
    if body["response"]["status_code"] == 200:
        ChatCompletion.model_validate(body["response"]["body"])


def xai_create(body):
    json_format.ParseDict(body, batch_pb2.CreateBatchRequest())


def xai_batch(body):
    # Over HTTP times are bare dates.
    times = ("create_time", "expire_time", "cancel_time")
    json_format.ParseDict({name: value for name, value in body.items() if name not in times}, batch_pb2.Batch())


def xai_row(body):
    openai_row(body, {"method", "url"})


def xai_result(body):
    result = body["batch_result"]
    if "error" in result:
        json_format.ParseDict({"batch_request_id": body["batch_request_id"], **result}, batch_pb2.BatchResult())
    else:
        ChatCompletion.model_validate(result["response"]["chat_get_completion"])


def together_batch(body):
    job = TogetherJob.model_validate(body)
    if job.id is None or job.status is None:
        raise ValueError(f"no id or no status: {job}")


def together_tuning_create(body):
    # The SDK sends the key under another name than the API has.
    known(body, {*together_tuning.FinetuneRequest.model_fields, "wandb_api_key"})
    # It computes what the API chooses by itself.
    chosen = {"n_epochs": 1, "learning_rate": 1e-5, "warmup_ratio": 0, "max_grad_norm": 1, "weight_decay": 0}
    request = together_tuning.FinetuneRequest.model_validate({**chosen, **body})
    method = together_tuning.TrainingMethodDPO if request.training_method.method == "dpo" else together_tuning.TrainingMethodSFT
    known(body["training_method"], method.model_fields)
    method.model_validate(body["training_method"])


def fireworks_tuning_create(body):
    known(body, camel(supervised_fine_tuning_job_create_params.SupervisedFineTuningJobCreateParams))
    known(body.get("wandbConfig", {}), camel(wandb_config.WandbConfig))


def fireworks_dpo_create(body):
    known(body, camel(dpo_job_create_params.DpoJobCreateParams))
    known(body["trainingConfig"], camel(training_config.TrainingConfig))
    known(body["lossConfig"], camel(reinforcement_learning_loss_config.ReinforcementLearningLossConfig))
    known(body["lossConfig"].get("dpo", {}), camel(dpo_config.DpoConfig))


def fireworks_create(body):
    known(body, camel(batch_inference_job_create_params.BatchInferenceJobCreateParams))


def fireworks_dataset(body):
    known(body, camel(dataset_create_params.DatasetCreateParams))
    known(body["dataset"], camel(dataset_create_params.DatasetParam))


def fireworks_batch(body):
    job = BatchInferenceJob.model_validate(body)
    if job.name is None or job.state is None:
        raise ValueError(f"no name or no state: {job}")


def fireworks_result(body):
    if "response" in body:
        ChatCompletion.model_validate(body["response"])


COHERE_MESSAGE = pydantic.TypeAdapter(ChatMessageV2)


def cohere_create(body):
    Batch.model_validate(body)
    known(body, Batch.model_fields)


def cohere_row(body):
    known(body, {"custom_id", "body"})
    for message in body["body"]["messages"]:
        for part in message["content"] or []:
            # A dataset has the address alone.
            if part["type"] == "image_url":
                part["image_url"] = {"url": part["image_url"]}
        COHERE_MESSAGE.validate_python(message)


def cohere_result(body):
    for row in fastavro.reader(io.BytesIO(base64.b64decode(body))):
        if row["error"] is None:
            V2ChatResponse.model_validate(row["body"])


def claude(body, version):
    params = dict(body)
    if params.pop("anthropic_version") != version:
        raise ValueError("another version")
    unknown = set(params) - ANTHROPIC_FIELDS - OLDER_FIELDS | {"model", "stream"} & set(params)
    if unknown:
        raise ValueError(f"{sorted(unknown)} are not known")
    ANTHROPIC_PARAMS.validate_python({"model": "m", **params})


def fits(value, shape):
    """Texts are as their patterns want them: botocore itself leaves that to AWS."""
    if shape.type_name == "structure":
        for name, field in value.items():
            fits(field, shape.members[name])
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        raise ValueError(f"{value!r} is no {shape.name}")
    longest = shape.metadata.get("max")
    if isinstance(value, str) and longest is not None and len(value) > longest:
        raise ValueError(f"{value!r} is longer than {longest}")


def bedrock_create(body):
    shape = BEDROCK.operation_model("CreateModelInvocationJob").input_shape
    botocore.validate.validate_parameters(body, shape)
    fits(body, shape)


def bedrock_batch(body):
    name = "GetModelInvocationJob" if "status" in body else "CreateModelInvocationJob"
    botocore.validate.validate_parameters(body, BEDROCK.operation_model(name).output_shape)


def bedrock_row(body):
    if set(body) != {"recordId", "modelInput"} or not re.fullmatch("[a-zA-Z0-9]+", body["recordId"]):
        raise ValueError(f"{sorted(body)}")
    if "anthropic_version" in body["modelInput"]:
        claude(body["modelInput"], "bedrock-2023-05-31")
    else:
        converse = RUNTIME.operation_model("Converse").input_shape
        botocore.validate.validate_parameters({"modelId": "m", **body["modelInput"]}, converse)


def bedrock_tuning_create(body):
    shape = BEDROCK.operation_model("CreateModelCustomizationJob").input_shape
    botocore.validate.validate_parameters(body, shape)
    fits(body, shape)


def bedrock_tuning(body):
    name = "GetModelCustomizationJob" if "status" in body else "CreateModelCustomizationJob"
    botocore.validate.validate_parameters(body, BEDROCK.operation_model(name).output_shape)


def bedrock_tuning_row(body):
    if body.pop("schemaVersion") != "bedrock-conversation-2024":
        raise ValueError("another version")
    known(body, {"system", "messages"})
    converse = RUNTIME.operation_model("Converse").input_shape
    botocore.validate.validate_parameters({"modelId": "m", **body}, converse)


def vertex_create(body):
    source, dest = body["inputConfig"], body["outputConfig"]
    if set(body) != {"displayName", "model", "inputConfig", "outputConfig"}:
        raise ValueError(f"{sorted(body)} are not known")
    google.BatchJobSource.model_validate(google_batches._BatchJobSource_from_vertex(source))
    google.BatchJobDestination.model_validate(google_batches._BatchJobDestination_from_vertex(dest))
    if not re.fullmatch("publishers/(google|anthropic)/models/[^/]+", body["model"]):
        raise ValueError(body["model"])


def vertex_row(body):
    if "custom_id" in body:
        return claude(body["request"], "vertex-2023-10-16")
    labels = body["request"].pop("labels")
    plain = re.compile("[a-z0-9_-]{1,63}")
    if not all(plain.fullmatch(text) for label in labels.items() for text in label):
        raise ValueError(f"{labels} are no labels")
    return google_row({"key": "", **body})


def vertex_batch(body):
    job = google.BatchJob.model_validate(google_batches._BatchJob_from_vertex(body))
    if job.state is None or job.name is None:
        raise ValueError(f"no state or no name: {job}")


def vertex_result(body):
    if "custom_id" not in body and not body["status"]:
        google.GenerateContentResponse.model_validate(body["response"])


def google_fields(model):
    """The fields of a type of Google's, as they are sent."""
    return {field.alias or name for name, field in model.model_fields.items()}


def vertex_tuning_create(body):
    known(body, google_fields(google.TuningJob))
    google.TuningJob.model_validate(body)
    supervised = "supervisedTuningSpec" in body
    spec = body["supervisedTuningSpec" if supervised else "preferenceOptimizationSpec"]
    known(spec, google_fields(google.SupervisedTuningSpec if supervised else google.PreferenceOptimizationSpec))
    numbers = google.SupervisedHyperParameters if supervised else google.PreferenceOptimizationHyperParameters
    known(spec["hyperParameters"], google_fields(numbers))


def vertex_tuning(body):
    job = google.TuningJob.model_validate(google_tunings._TuningJob_from_vertex(body))
    if job.state is None or job.name is None:
        raise ValueError(f"no state or no name: {job}")


def vertex_tuning_row(body):
    if "completions" in body:
        google.Content.model_validate(body.get("system_instruction", {}))
        example = {name: value for name, value in body.items() if name != "system_instruction"}
        known(example, google_fields(google.GeminiPreferenceExample))
        google.GeminiPreferenceExample.model_validate(example)
        return
    known(body, {"systemInstruction", "contents", "tools"})
    google_row({"key": "", "request": body})


JUDGES = {
    ("anthropic", "create"): anthropic_create,
    ("anthropic", "made"): lambda body: MessageBatch.model_validate(body, strict=False),
    ("anthropic", "batch"): lambda body: MessageBatch.model_validate(body, strict=False),
    ("anthropic", "result"): MessageBatchIndividualResponse.model_validate,
    ("bedrock", "create"): bedrock_create,
    ("bedrock", "row"): bedrock_row,
    ("bedrock", "batch"): bedrock_batch,
    ("bedrock", "tuning_create"): bedrock_tuning_create,
    ("bedrock", "tuning"): bedrock_tuning,
    ("bedrock", "tuning_row"): bedrock_tuning_row,
    ("google", "create"): google_create,
    ("google", "row"): google_row,
    ("google", "made"): google_batch,
    ("google", "batch"): google_batch,
    ("google", "result"): google_result,
    ("mistral-ai", "create"): CreateBatchJobRequest.model_validate,
    ("mistral-ai", "row"): mistral_row,
    ("mistral-ai", "made"): BatchJob.model_validate,
    ("mistral-ai", "batch"): BatchJob.model_validate,
    ("mistral-ai", "result"): mistral_result,
    ("cohere", "create"): cohere_create,
    ("cohere", "row"): cohere_row,
    ("cohere", "made"): lambda body: Batch.model_validate(body["batch"]),
    ("cohere", "batch"): lambda body: Batch.model_validate(body["batch"]),
    ("cohere", "result"): cohere_result,
    ("x-ai", "create"): xai_create,
    ("x-ai", "row"): xai_row,
    ("x-ai", "made"): xai_batch,
    ("x-ai", "batch"): xai_batch,
    ("x-ai", "result"): xai_result,
    ("together-ai", "create"): TOGETHER_CREATE.validate_python,
    ("together-ai", "row"): openai_row,
    ("together-ai", "made"): lambda body: together_batch(BatchCreateResponse.model_validate(body).job.model_dump()),
    ("together-ai", "batch"): together_batch,
    ("together-ai", "result"): openai_result,
    ("together-ai", "tuning_create"): together_tuning_create,
    ("together-ai", "tuning"): FinetuneResponse.model_validate,
    ("together-ai", "events"): FineTuningListEventsResponse.model_validate,
    ("together-ai", "checkpoints"): FineTuningListCheckpointsResponse.model_validate,
    ("fireworks-ai", "tuning_create"): fireworks_tuning_create,
    ("fireworks-ai", "dpo_create"): fireworks_dpo_create,
    ("fireworks-ai", "tuning"): SupervisedFineTuningJob.model_validate,
    ("fireworks-ai", "dataset"): fireworks_dataset,
    ("fireworks-ai", "create"): fireworks_create,
    ("fireworks-ai", "row"): lambda body: openai_row(body, model="the job's"),
    ("fireworks-ai", "made"): fireworks_batch,
    ("fireworks-ai", "batch"): fireworks_batch,
    ("fireworks-ai", "result"): fireworks_result,
    ("vertex-ai", "create"): vertex_create,
    ("vertex-ai", "row"): vertex_row,
    ("vertex-ai", "batch"): vertex_batch,
    ("vertex-ai", "result"): vertex_result,
    ("vertex-ai", "tuning_create"): vertex_tuning_create,
    ("vertex-ai", "tuning"): vertex_tuning,
    ("vertex-ai", "tuning_row"): vertex_tuning_row,
}


for line in sys.stdin:
    said = json.loads(line)
    try:
        JUDGES[said["vendor"], said["kind"]](said["body"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{said['vendor']} {said['kind']}: {type(error).__name__}: {error}: {json.dumps(said['body'])}")
