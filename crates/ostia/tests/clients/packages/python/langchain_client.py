"""LangChain: https://docs.langchain.com/oss/python/langchain/agents."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import StructuredTool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

from tool_loop import INSTRUCTIONS, messages, run, weather


def model_of(gateway, api, model):
    shared = {"model": model, "api_key": "sk-client", "max_retries": 0}
    match api:
        case "chat":
            return ChatOpenAI(base_url=f"{gateway}/v1", reasoning_effort="medium", **shared)
        case "responses":
            reasoning = {"effort": "medium", "summary": "auto"}
            return ChatOpenAI(base_url=f"{gateway}/v1", use_responses_api=True, reasoning=reasoning,
                              include=["reasoning.encrypted_content"], store=False, **shared)
        case "messages":
            thinking = {"type": "enabled", "budget_tokens": 2000}
            return ChatAnthropic(base_url=gateway, thinking=thinking, max_tokens=4000, **shared)
        case "gemini":
            return ChatGoogleGenerativeAI(base_url=gateway, include_thoughts=True, **shared)


def client(gateway, api, model):
    tool = StructuredTool.from_function(weather)
    tool.handle_tool_error = True
    agent = create_agent(model_of(gateway, api, model), [tool], system_prompt=INSTRUCTIONS, middleware=[tell_failures])
    stream = agent.stream({"messages": messages()}, stream_mode="messages")
    return [chunk.text for chunk, _ in stream if chunk.type == "AIMessageChunk" and chunk.text]


from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import ToolMessage


@wrap_tool_call
def tell_failures(request, handler):
    """Tells the model of a failure, as the documentation has it."""
    try:
        return handler(request)
    except Exception as error:
        return ToolMessage(content=str(error), status="error", tool_call_id=request.tool_call["id"])


run(client)
