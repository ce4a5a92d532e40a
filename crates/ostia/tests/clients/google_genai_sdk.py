"""Google's SDK (google-genai): https://googleapis.github.io/python-genai/."""

from google import genai
from google.genai import errors, types

from cases import CITY, IMAGE, REPORT, ROME, TIMEOUT_S, WEATHER
from cases import case, equal, is_streamed, raises, run, to_json, true, weather


def connect(gateway, headers):
    options = types.HttpOptions(base_url=gateway, headers=headers, timeout=TIMEOUT_S * 1000)
    return genai.Client(api_key="sk-client", http_options=options)


def tools():
    declaration = types.FunctionDeclaration(
        name="weather", description="The weather in a city.", parameters_json_schema=WEATHER
    )
    return types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )


def question():
    return types.Content(role="user", parts=[types.Part(text="Weather in Rome and Oslo?")])


def results(calls):
    """The turn that answers all calls of a turn."""
    equal([(call.name, call.args) for call in calls], [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})])
    response = lambda call: types.FunctionResponse(
        id=call.id, name=call.name, response={"output": weather(**call.args)}
    )
    return types.Content(role="user", parts=[types.Part(function_response=response(call)) for call in calls])


@case
def whole(client, model):
    answer = client.models.generate_content(model=model, contents="Hello")
    equal(answer.text, "Hi thére")
    equal(answer.candidates[0].finish_reason, types.FinishReason.STOP)
    usage = answer.usage_metadata
    true(usage.prompt_token_count > 0 and usage.candidates_token_count > 0, f"usage: {usage}")


@case
def stream(client, model):
    chunks = list(client.models.generate_content_stream(model=model, contents="Hello"))
    is_streamed([chunk.text for chunk in chunks if chunk.text], "Hi thére")
    equal(chunks[-1].candidates[0].finish_reason, types.FinishReason.STOP)
    true(chunks[-1].usage_metadata.prompt_token_count > 0, "no usage")


@case
def system_instruction(client, model):
    config = types.GenerateContentConfig(system_instruction="You are a sailor.", temperature=1.0)
    equal(client.models.generate_content(model=model, contents="Who are you?", config=config).text, "A sailor.")


@case
def json_schema(client, model):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=CITY)
    answer = client.models.generate_content(model=model, contents="Capital of Italy?", config=config)
    equal(to_json(answer.text), ROME)


@case
def image(client, model):
    contents = ["What is this?", types.Part.from_bytes(data=IMAGE, mime_type="image/png")]
    equal(client.models.generate_content(model=model, contents=contents).text, "A red dot.")


@case
def chat_session(client, model):
    chat = client.chats.create(model=model)
    equal(chat.send_message("My name is Ada.").text, "Hello Ada.")
    pieces = [chunk.text for chunk in chat.send_message_stream("What is my name?") if chunk.text]
    equal("".join(pieces), "Ada.")
    equal([content.role for content in chat.get_history()][:2], ["user", "model"])


@case
def function_calling(client, model):
    contents = [question()]
    answer = client.models.generate_content(model=model, contents=contents, config=tools())
    contents += [answer.candidates[0].content, results(answer.function_calls)]
    equal(client.models.generate_content(model=model, contents=contents, config=tools()).text, REPORT)


@case
def function_calling_in_streams(client, model):
    contents = [question()]
    for turn in range(2):
        chunks = list(client.models.generate_content_stream(model=model, contents=contents, config=tools()))
        parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
        if turn == 0:
            calls = [part.function_call for part in parts if part.function_call]
            contents += [types.Content(role="model", parts=parts), results(calls)]
    is_streamed([part.text for part in parts if part.text and not part.thought], REPORT)


@case
def automatic_function_calling(client, model):
    config = types.GenerateContentConfig(tools=[weather])
    answer = client.models.generate_content(model=model, contents="Weather in Rome and Oslo?", config=config)
    equal(answer.text, REPORT)


@case
def count_tokens(client, model):
    true(client.models.count_tokens(model=model, contents="Hello").total_tokens > 0, "nothing was counted")


@case(at=["at-chat", "at-gemini", "at-cohere"])
def embeddings(client, model):
    answer = client.models.embed_content(model=model, contents=["Hello", "Goodbye"])
    equal([embedding.values for embedding in answer.embeddings], [[0.5, 0.25], [1.0, 2.0]])


@case
def errors_have_code_and_status(client, model):
    calls = [
        lambda: client.models.generate_content(model=model, contents="Fail"),
        lambda: list(client.models.generate_content_stream(model=model, contents="Fail")),
    ]
    for call in calls:
        error = raises(errors.ClientError, call)
        equal((error.code, error.status), (429, "RESOURCE_EXHAUSTED"))
        true("slow down" in error.message, error.message)


@case
def a_broken_stream_is_an_error(client, model):
    stream = client.models.generate_content_stream(model=model, contents="Break off")
    error = raises(errors.APIError, lambda: list(stream))
    true(error.code >= 500, f"code: {error.code}")


run(connect)
