"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Chat Completions, Responses and embeddings."""

import base64

import openai
from openai.lib.responses_websocket import (
    ResponsesWebSocketError,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)

from cases import CITY, IMAGE, REPORT, ROME, TIMEOUT_S, WEATHER
from cases import case, equal, is_streamed, own_headers, raises, run, to_json, true, weather

DATA_URL = f"data:image/png;base64,{base64.b64encode(IMAGE).decode()}"
CALLS = [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})]


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


# Chat Completions


def chat(model, content, **fields):
    return {"model": model, "messages": [{"role": "user", "content": content}], **fields}


def chat_tools(model, question):
    function = {"name": "weather", "description": "The weather in a city.", "parameters": WEATHER, "strict": True}
    return chat(model, question, tools=[{"type": "function", "function": function}], reasoning_effort="high")


def chat_results(choice):
    """The turns behind one that calls tools: itself, and what came of each call."""
    calls = [(call.function.name, to_json(call.function.arguments)) for call in choice.message.tool_calls]
    equal((calls, choice.finish_reason), (CALLS, "tool_calls"))
    result = lambda call, city: {"role": "tool", "tool_call_id": call.id, "content": weather(city)}
    cities = [arguments["city"] for _, arguments in calls]
    return [choice.message, *map(result, choice.message.tool_calls, cities)]


@case
def chat_whole(client, model):
    answer = client.chat.completions.create(**chat(model, "Hello"))
    choice = answer.choices[0]
    equal((choice.message.content, choice.finish_reason), ("Hi thére", "stop"))
    true(answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0, f"usage: {answer.usage}")


@case
def chat_stream(client, model):
    chunks = list(client.chat.completions.create(**chat(model, "Hello", stream=True)))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    is_streamed([choice.delta.content for choice in choices if choice.delta.content], "Hi thére")
    equal([choice.finish_reason for choice in choices if choice.finish_reason], ["stop"])


@case
def chat_system(client, model):
    asked = chat(model, "Who are you?")
    asked["messages"].insert(0, {"role": "system", "content": "You are a sailor."})
    equal(client.chat.completions.create(**asked).choices[0].message.content, "A sailor.")


@case
def chat_json_schema(client, model):
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
    answer = client.chat.completions.create(**chat(model, "Capital of Italy?", response_format=form))
    equal(to_json(answer.choices[0].message.content), ROME)


@case
def chat_image(client, model):
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": DATA_URL}}]
    equal(client.chat.completions.create(**chat(model, content)).choices[0].message.content, "A red dot.")


@case
def chat_conversation(client, model):
    asked = chat(model, "My name is Ada.")
    first = client.chat.completions.create(**asked).choices[0].message
    asked["messages"] += [first, {"role": "user", "content": "What is my name?"}]
    equal(client.chat.completions.create(**asked).choices[0].message.content, "Ada.")


@case
def chat_tool_loop(client, model):
    asked = chat_tools(model, "Weather in Rome and Oslo?")
    asked["messages"] += chat_results(client.chat.completions.create(**asked).choices[0])
    equal(client.chat.completions.create(**asked).choices[0].message.content, REPORT)


@case
def chat_tool_loop_in_streams(client, model):
    # The SDK folds the deltas of `content_blocks` to something that is no block, so that no thought could come back.
    asked = chat_tools(model, "Weather in Rome and Oslo? Do not think.")
    for turn in range(2):
        with client.chat.completions.stream(**asked) as stream:
            choice = stream.get_final_completion().choices[0]
        if turn == 0:
            asked["messages"] += chat_results(choice)
    equal(choice.message.content, REPORT)


@case
def chat_errors_have_their_class(client, model):
    for stream in (False, True):
        asked = chat(model, "Fail", stream=stream)
        error = raises(openai.RateLimitError, lambda: client.chat.completions.create(**asked))
        true(error.status_code == 429 and "slow down" in error.message, error.message)


@case
def a_broken_chat_stream_is_an_error(client, model):
    stream = client.chat.completions.create(**chat(model, "Break off", stream=True))
    raises(openai.APIError, lambda: list(stream))


@case(at=["at-chat", "at-gemini", "at-cohere"])
def embeddings(client, model):
    answer = client.embeddings.create(model=model, input=["Hello", "Goodbye"])
    equal([item.embedding for item in answer.data], [[0.5, 0.25], [1.0, 2.0]])


# Responses


def response_tools(model):
    function = {"name": "weather", "description": "The weather in a city.", "parameters": WEATHER, "strict": True}
    return {
        "model": model,
        "input": [{"role": "user", "content": "Weather in Rome and Oslo?"}],
        "tools": [{"type": "function", **function}],
        "reasoning": {"effort": "high"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }


def response_results(response):
    """The items behind those of an answer that calls tools: what came of each call."""
    items = [item for item in response.output if item.type == "function_call"]
    calls = [(item.name, to_json(item.arguments)) for item in items]
    equal((calls, response.status), (CALLS, "completed"))
    result = lambda item, city: {"type": "function_call_output", "call_id": item.call_id, "output": weather(city)}
    return [*response.output, *map(result, items, [arguments["city"] for _, arguments in calls])]


@case
def response_whole(client, model):
    response = client.responses.create(model=model, input="Hello")
    equal((response.output_text, response.status, response.error), ("Hi thére", "completed", None))
    true(response.usage.input_tokens > 0 and response.usage.output_tokens > 0, f"usage: {response.usage}")


@case
def response_stream(client, model):
    with client.responses.stream(model=model, input="Hello") as stream:
        events = list(stream)
        response = stream.get_final_response()
    equal((events[0].type, events[-1].type), ("response.created", "response.completed"))
    is_streamed([event.delta for event in events if event.type == "response.output_text.delta"], "Hi thére")
    equal(response.output_text, "Hi thére")
    equal([event.sequence_number for event in events], list(range(len(events))))


@case
def response_instructions(client, model):
    response = client.responses.create(model=model, input="Who are you?", instructions="You are a sailor.")
    equal(response.output_text, "A sailor.")


@case
def response_json_schema(client, model):
    form = {"type": "json_schema", "name": "city", "schema": CITY, "strict": True}
    response = client.responses.create(model=model, input="Capital of Italy?", text={"format": form})
    equal(to_json(response.output_text), ROME)


@case
def response_image(client, model):
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": DATA_URL, "detail": "auto"},
    ]
    response = client.responses.create(model=model, input=[{"role": "user", "content": content}])
    equal(response.output_text, "A red dot.")


@case(but=["at-responses"])
def response_remembered(client, model):
    first = client.responses.create(model=model, input="My name is Ada.")
    equal(first.output_text, "Hello Ada.")
    second = client.responses.create(model=model, input="What is my name?", previous_response_id=first.id)
    equal(second.output_text, "Ada.")
    equal(client.responses.retrieve(second.id).output_text, "Ada.")


@case
def response_tool_loop(client, model):
    asked = response_tools(model)
    asked["input"] += response_results(client.responses.create(**asked))
    equal(client.responses.create(**asked).output_text, REPORT)


@case
def response_tool_loop_in_streams(client, model):
    asked = response_tools(model)
    for turn in range(2):
        with client.responses.stream(**asked) as stream:
            response = stream.get_final_response()
        if turn == 0:
            asked["input"] += response_results(response)
    equal(response.output_text, REPORT)


@case
def response_input_tokens(client, model):
    count = client.responses.input_tokens.count(model=model, input="Hello")
    true(count.input_tokens > 0, "nothing was counted")


@case
def response_errors_have_their_class(client, model):
    for stream in (False, True):
        error = raises(
            openai.RateLimitError, lambda: client.responses.create(model=model, input="Fail", stream=stream)
        )
        true(error.status_code == 429 and "slow down" in error.message, error.message)


@case
def a_broken_response_stream_is_an_error(client, model):
    stream = client.responses.create(model=model, input="Break off", stream=True)
    raises(openai.APIError, lambda: list(stream))


# Responses over a WebSocket


def socket(client):
    """The SDK sends no default headers there."""
    return client.responses.connect(extra_headers=own_headers(client))


def answered(connection, **fields):
    """The events of one answer to `response.create`."""
    connection.response.create(**fields)
    events = []
    for event in connection:
        events.append(event)
        if event.type in ("response.completed", "response.incomplete", "response.failed", "error"):
            return events


def heard(events):
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


@case
def socket_conversation(client, model):
    with socket(client) as connection:
        events = answered(connection, model=model, input="Hello")
        equal(heard(events), "Hi thére")
        equal([event.sequence_number for event in events], list(range(len(events))))
        first = answered(connection, model=model, input="My name is Ada.", store=False)[-1].response
        equal(first.output_text, "Hello Ada.")
        asked = {"input": "What is my name?", "previous_response_id": first.id, "store": False}
        equal(heard(answered(connection, model=model, **asked)), "Ada.")


@case
def socket_tool_loop(client, model):
    with socket(client) as connection:
        asked = {**response_tools(model), "store": False}
        first = answered(connection, **asked)[-1].response
        # Without the proof of its thoughts a model would not be asked as it has to be.
        asked["input"] += response_results(first)
        equal(answered(connection, **asked)[-1].response.output_text, REPORT)


@case
def socket_errors_are_events(client, model):
    with socket(client) as connection:
        error = answered(connection, model=model, input="Fail")[-1]
        equal((error.type, error.status), ("error", 429))
        true("slow down" in error.error.message, error)
        equal(answered(connection, model=model, input="Break off")[-1].type, "error")
        equal(heard(answered(connection, model=model, input="Hello")), "Hi thére")


@case
def socket_lanes(client, model):
    limits = ResponsesWebSocketLimits(
        max_lanes=4, max_events_per_lane=256, max_events=512, max_bytes_per_lane=1 << 20, max_bytes=1 << 21
    )
    with ResponsesWebSocketSession(socket(client).enter(), limits=limits) as session:
        lanes = [session.lane("planner"), session.lane("critic"), session.default]
        said = {"type": "response.create", "model": model, "store": False}
        for lane in lanes:
            lane.send({**said, "input": "My name is Ada."})
        firsts = [lane.get_final_response(timeout=TIMEOUT_S) for lane in lanes]
        equal([first.output_text for first in firsts], ["Hello Ada."] * 3)
        # Each goes on from the same answer: two of them are forks.
        for lane in lanes:
            lane.send({**said, "input": "What is my name?", "previous_response_id": firsts[0].id})
        equal([lane.get_final_response(timeout=TIMEOUT_S).output_text for lane in lanes], ["Ada."] * 3)
        lanes[1].send({**said, "input": "Fail"})
        error = raises(ResponsesWebSocketError, lambda: lanes[1].get_final_response(timeout=TIMEOUT_S)).event
        equal((error.status, error.stream_id), (429, "critic"))


def steered(client, model, store):
    with socket(client) as connection:
        connection.response.create(model=model, input="Take your time", store=store)
        events = []
        while [event.type for event in events].count("response.completed") < 2:
            event = connection.recv()
            if event.type == "response.created" and not events:
                connection.response.steer(previous_response_id=event.response.id, input="Be quick")
            true(event.type not in ("error", "response.failed", "response.steer.failed"), event)
            events.append(event)
        kinds = [event.type for event in events]
        true(kinds.index("response.steer.accepted") < kinds.index("response.completed"), kinds)
        said = [event.response.output_text for event in events if event.type == "response.completed"]
        equal(said, ["Slowly.", "Quickly."])
        late = [event for event in events if event.type == "response.created"][0].response.id
        connection.response.steer(previous_response_id=late, input="Be quick")
        failed = connection.recv()
        equal((failed.type, failed.error.code), ("response.steer.failed", "response_already_completed"))


@case
def socket_steering(client, model):
    steered(client, model, store=False)


# A provider of Responses goes on from what it has stored itself, and this one stores nothing.
@case(but=("at-responses",))
def socket_steering_of_what_is_stored(client, model):
    steered(client, model, store=True)


run(connect)
