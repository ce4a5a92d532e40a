"""Anthropic's SDK (anthropic): https://platform.claude.com/docs/en/api/sdks/python."""

import base64

import anthropic

from cases import CITY, IMAGE, REPORT, ROME, TIMEOUT_S, WEATHER
from cases import case, equal, is_streamed, raises, run, to_json, true, weather


def connect(gateway, headers):
    return anthropic.Anthropic(
        base_url=gateway, api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def request(model, content, **fields):
    return {"model": model, "max_tokens": 4000, "messages": [{"role": "user", "content": content}], **fields}


def tools(model):
    tool = {"name": "weather", "description": "The weather in a city.", "input_schema": WEATHER}
    thinking = {"type": "enabled", "budget_tokens": 2000}
    return request(model, "Weather in Rome and Oslo?", tools=[tool], thinking=thinking)


def results(message):
    """The two turns behind a message that calls tools: itself, and what came of the calls."""
    calls = [block for block in message.content if block.type == "tool_use"]
    equal([(call.name, call.input) for call in calls], [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})])
    equal(message.stop_reason, "tool_use")
    result = lambda call: {"type": "tool_result", "tool_use_id": call.id, "content": weather(**call.input)}
    return [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result(call) for call in calls]},
    ]


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


@case
def whole(client, model):
    message = client.messages.create(**request(model, "Hello"))
    equal((text(message), message.stop_reason, message.role), ("Hi thére", "end_turn", "assistant"))
    true(message.usage.input_tokens > 0 and message.usage.output_tokens > 0, f"usage: {message.usage}")


@case
def stream(client, model):
    with client.messages.stream(**request(model, "Hello")) as stream:
        is_streamed(list(stream.text_stream), "Hi thére")
        message = stream.get_final_message()
    equal((text(message), message.stop_reason), ("Hi thére", "end_turn"))
    true(message.usage.input_tokens > 0 and message.usage.output_tokens > 0, f"usage: {message.usage}")


@case
def events(client, model):
    events = list(client.messages.create(**request(model, "Hello", stream=True)))
    equal((events[0].type, events[-1].type), ("message_start", "message_stop"))
    is_streamed([event.delta.text for event in events if event.type == "content_block_delta"], "Hi thére")


@case
def system(client, model):
    message = client.messages.create(**request(model, "Who are you?", system="You are a sailor."))
    equal(text(message), "A sailor.")


@case
def json_schema(client, model):
    output = {"format": {"type": "json_schema", "schema": CITY}}
    message = client.messages.create(**request(model, "Capital of Italy?", output_config=output))
    equal(to_json(text(message)), ROME)


@case
def image(client, model):
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(IMAGE).decode()}
    content = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    equal(text(client.messages.create(**request(model, content))), "A red dot.")


@case
def conversation(client, model):
    asked = request(model, "My name is Ada.")
    first = client.messages.create(**asked)
    equal(text(first), "Hello Ada.")
    asked["messages"] += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": "What is my name?"},
    ]
    equal(text(client.messages.create(**asked)), "Ada.")


@case
def tool_loop(client, model):
    asked = tools(model)
    asked["messages"] += results(client.messages.create(**asked))
    equal(text(client.messages.create(**asked)), REPORT)


@case
def tool_loop_in_streams(client, model):
    asked = tools(model)
    with client.messages.stream(**asked) as stream:
        asked["messages"] += results(stream.get_final_message())
    with client.messages.stream(**asked) as stream:
        is_streamed(list(stream.text_stream), REPORT)


@case
def count_tokens(client, model):
    count = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "Hello"}])
    true(count.input_tokens > 0, "nothing was counted")


@case
def errors_have_their_class(client, model):
    for stream in (False, True):
        error = raises(
            anthropic.RateLimitError, lambda: client.messages.create(**request(model, "Fail", stream=stream))
        )
        equal((error.status_code, error.body["error"]["type"]), (429, "rate_limit_error"))
        true("slow down" in error.body["error"]["message"], error.body)


@case
def a_broken_stream_is_an_error(client, model):
    stream = client.messages.create(**request(model, "Break off", stream=True))
    raises(anthropic.APIError, lambda: list(stream))


run(connect)
