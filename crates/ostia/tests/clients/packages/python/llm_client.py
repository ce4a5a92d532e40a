"""llm, Simon Willison's command and library: https://llm.datasette.io/."""

import sys

import llm
from llm.default_plugins.openai_models import Chat

from tool_loop import HISTORY, INSTRUCTIONS, TASK, run, weather


def client(gateway, api, model):
    chat = Chat(model_id="here", model_name=model, api_base=f"{gateway}/v1", supports_tools=True, reasoning=True)
    chat.key = "sk-client"
    conversation = chat.conversation()
    for asked, said in HISTORY[:3]:
        answer = conversation.prompt(asked).text()
        if answer != said:
            sys.exit(f"{asked} {answer}")
    chain = conversation.chain(TASK, system=INSTRUCTIONS, tools=[weather], options={"reasoning_effort": "medium"})
    return list(chain)


run(client)
