"""LlamaIndex: https://developers.llamaindex.ai/python/framework/."""

import json

from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.google_genai import GoogleGenAI
from llama_index.llms.openai_like import OpenAILike, OpenAILikeResponses

from tool_loop import INSTRUCTIONS, TASK, messages, run, weather


def model_of(gateway, api, model):
    openai = {
        "model": model,
        "api_base": f"{gateway}/v1",
        "api_key": "sk-client",
        "is_chat_model": True,
        "is_function_calling_model": True,
        "context_window": 200_000,
        "max_retries": 0,
    }
    match api:
        case "chat":
            return OpenAILike(additional_kwargs={"reasoning_effort": "medium"}, **openai)
        case "responses":
            return OpenAILikeResponses(
                reasoning_options={"effort": "medium", "summary": "auto"},
                include=["reasoning.encrypted_content"], store=False, **openai,
            )
        case "messages":
            thinking = {"type": "enabled", "budget_tokens": 2000}
            # It takes no names of models but those that it knows: the gateway is told the other one in a header.
            provider, name = model.removeprefix("@").split("/")
            config = {"provider": provider, "override_params": {"model": name}}
            return Anthropic(
                model="claude-sonnet-4-5", base_url=gateway, api_key="sk-client", max_tokens=4000, max_retries=0,
                thinking_dict=thinking, default_headers={"x-ostia-config": json.dumps(config)},
            )
        case "gemini":
            return GoogleGenAI(
                model=model, api_key="sk-client", http_options={"base_url": gateway}, max_tokens=4000,
                context_window=200_000, max_retries=0,
            )


async def client(gateway, api, model):
    agent = FunctionAgent(tools=[weather], llm=model_of(gateway, api, model), system_prompt=INSTRUCTIONS)
    history = [ChatMessage(**message) for message in messages()[:-1]]
    handler = agent.run(user_msg=TASK, chat_history=history)
    pieces = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream) and event.delta]
    await handler
    return pieces


run(client)
