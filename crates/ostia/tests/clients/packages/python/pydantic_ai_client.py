"""pydantic-ai: https://ai.pydantic.dev/."""

from pydantic_ai import Agent, ModelRetry, PartDeltaEvent, TextPartDelta, PartStartEvent
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from tool_loop import HISTORY, INSTRUCTIONS, TASK, Unknown, run, weather


def model_of(gateway, api, model):
    match api:
        case "chat":
            provider = OpenAIProvider(base_url=f"{gateway}/v1", api_key="sk-client")
            return OpenAIChatModel(model, provider=provider), {"openai_reasoning_effort": "medium"}
        case "responses":
            provider = OpenAIProvider(base_url=f"{gateway}/v1", api_key="sk-client")
            settings = {"openai_reasoning_effort": "medium", "openai_reasoning_summary": "auto", "openai_store": False}
            return OpenAIResponsesModel(model, provider=provider), settings
        case "messages":
            provider = AnthropicProvider(base_url=gateway, api_key="sk-client")
            thinking = {"type": "enabled", "budget_tokens": 2000}
            return AnthropicModel(model, provider=provider), {"anthropic_thinking": thinking, "max_tokens": 4000}
        case "gemini":
            provider = GoogleProvider(base_url=gateway, api_key="sk-client")
            return GoogleModel(model, provider=provider), {"google_thinking_config": {"include_thoughts": True}}


def told(city: str) -> str:
    """The weather in a city."""
    try:
        return weather(city)
    except Unknown as error:
        raise ModelRetry(str(error)) from error


def history():
    for asked, said in HISTORY:
        yield ModelRequest(parts=[UserPromptPart(asked)])
        yield ModelResponse(parts=[TextPart(said)])


async def client(gateway, api, model):
    model, settings = model_of(gateway, api, model)
    agent = Agent(model, instructions=INSTRUCTIONS, model_settings=settings, retries=3)
    agent.tool_plain(name="weather")(told)
    pieces = []
    async with agent.iter(TASK, message_history=list(history())) as steps:
        async for node in steps:
            if not Agent.is_model_request_node(node):
                continue
            async with node.stream(steps.ctx) as stream:
                async for event in stream:
                    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                        pieces.append(event.part.content)
                    elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                        pieces.append(event.delta.content_delta)
    return pieces


run(client)
