"""LiteLLM as a client: https://docs.litellm.ai/docs/providers/openai_compatible."""

import json
import litellm

from tool_loop import INSTRUCTIONS, TIMEOUT_S, Unknown, messages, run, weather

TURNS_MAX = 5
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": weather.__doc__,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def target(gateway, api, model):
    return {
        "chat": {"model": f"openai/{model}", "api_base": f"{gateway}/v1"},
        "responses": {"model": f"openai/responses/{model}", "api_base": f"{gateway}/v1"},
        "messages": {"model": f"anthropic/{model}", "api_base": gateway},
        "gemini": {"model": f"gemini/{model}", "api_base": f"{gateway}/v1beta"},
    }[api]


def thinking(api):
    """How much to think. LiteLLM knows what models take by names without `@`, and has to be told that this one does."""
    field = {"messages": "thinking", "gemini": "thinking"}.get(api, "reasoning_effort")
    value = {"type": "enabled", "budget_tokens": 2000} if field == "thinking" else "medium"
    return {field: value, "allowed_openai_params": [field]}


def told(city):
    try:
        return weather(city)
    except Unknown as error:
        return f"Error: {error}"


def client(gateway, api, model):
    conversation, pieces = [{"role": "system", "content": INSTRUCTIONS}, *messages()], []
    for _ in range(TURNS_MAX):
        chunks = list(litellm.completion(
            **target(gateway, api, model), api_key="sk-client", messages=conversation, tools=[TOOL], stream=True,
            **thinking(api), num_retries=0, timeout=TIMEOUT_S, max_tokens=8000,
            stream_options={"include_usage": True},
        ))
        pieces += [text for chunk in chunks if chunk.choices and (text := chunk.choices[0].delta.content)]
        message = litellm.stream_chunk_builder(chunks, messages=conversation).choices[0].message
        conversation.append(message)
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            result = told(**json.loads(call.function.arguments))
            conversation.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return pieces


run(client)
