"""OpenAI Agents: https://openai.github.io/openai-agents-python/."""

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from openai.types.shared import Reasoning

from tool_loop import INSTRUCTIONS, TIMEOUT_S, messages, run, weather


async def client(gateway, api, model):
    set_tracing_disabled(True)
    openai = AsyncOpenAI(base_url=f"{gateway}/v1", api_key="sk-client", max_retries=0, timeout=TIMEOUT_S)
    kind = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}[api]
    settings = ModelSettings(
        reasoning=Reasoning(effort="medium", summary="auto" if api == "responses" else None),
        include_usage=True,
        parallel_tool_calls=True,
        store=False if api == "responses" else None,
        response_include=["reasoning.encrypted_content"] if api == "responses" else None,
    )
    agent = Agent(
        name="Weather",
        instructions=INSTRUCTIONS,
        model=kind(model, openai),
        model_settings=settings,
        tools=[function_tool(weather, failure_error_function=lambda _, error: f"Error: {error}")],
    )
    result = Runner.run_streamed(agent, messages())
    return [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]


run(client)
