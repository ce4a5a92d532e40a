"""instructor: https://python.useinstructor.com/. Its loop: an answer that does not fit the model goes back with what is wrong."""

import sys

import anthropic
import instructor
import openai
from pydantic import BaseModel

from tool_loop import INSTRUCTIONS, TIMEOUT_S, messages, run


class Report(BaseModel):
    """The weather in cities."""

    cities: list[str]
    words: str


def client(gateway, api, model):
    shared = {"api_key": "sk-client", "max_retries": 0, "timeout": TIMEOUT_S}
    conversation = messages()
    if api == "messages":
        client = instructor.from_anthropic(anthropic.Anthropic(base_url=gateway, **shared))
        more = {"max_tokens": 4000, "system": INSTRUCTIONS}
    else:
        mode = instructor.Mode.TOOLS if api == "chat" else instructor.Mode.RESPONSES_TOOLS
        client = instructor.from_openai(openai.OpenAI(base_url=f"{gateway}/v1", **shared), mode=mode)
        conversation.insert(0, {"role": "system", "content": INSTRUCTIONS})
        more = {}
    report = client.create(model=model, response_model=Report, messages=conversation, max_retries=3, **more)
    if report.cities != ["Rome", "Oslo"]:
        sys.exit(f"the report is {report!r}")
    # Its streams are of parts of the model and cannot be corrected, so the answers come whole here.
    return [report.words, ""]


run(client)
