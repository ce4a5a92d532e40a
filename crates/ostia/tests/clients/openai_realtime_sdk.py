"""OpenAI's SDK (openai[realtime]) in realtime sessions: https://platform.openai.com/docs/guides/realtime-websocket."""

import openai

from cases import TIMEOUT_S, case, equal, own_headers, raises, run, true


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def session(client, model):
    return client.realtime.connect(model=model, extra_headers=own_headers(client))


@case
def a_session(client, model):
    with session(client, model) as connection:
        equal(connection.recv().type, "session.created")
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        equal(connection.recv().session.output_modalities, ["text"])
        content = [{"type": "input_text", "text": "Hello"}]
        for turn in range(2):
            connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            connection.response.create()
            text = ""
            for event in connection:
                if event.type == "response.output_text.delta":
                    text += event.delta
                if event.type == "response.done":
                    break
            equal((text, event.response.status), ("Hi thére", "completed"))
            true(event.response.usage.input_tokens > 0, event)


@case
def sound(client, model):
    with session(client, model) as connection:
        connection.recv()
        # A second of it, in one frame.
        connection.input_audio_buffer.append(audio="A" * 64_000)
        equal(connection.recv().type, "input_audio_buffer.committed")


@case
def an_error_of_the_handshake(client, model):
    nobody = {"x-ostia-provider": "nobody"}
    error = raises(Exception, lambda: client.realtime.connect(model="m", extra_headers=nobody).enter())
    true("400" in str(error), error)


run(connect)
