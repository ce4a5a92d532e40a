"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Speech, transcription and translation."""

import base64
import io

import openai

from cases import TIMEOUT_S
from cases import case, equal, raises, run, true

# What the scripted vendors give for every text, and what they hear in every recording.
SOUND = bytes(range(256)) * 40
HEARD = "Hi Rome."
SRT = "1\n00:00:00,500 --> 00:00:01,500\nHi Rome.\n\n"
# More than a gateway keeps in memory.
LONG_BYTES = 3 << 20
# They tell no times.
WITHOUT_TIMES = ("google", "cohere")
SPEAK = ("groq", "elevenlabs", "deepgram", "google", "mistral-ai")
HEAR = ("groq", "elevenlabs", "deepgram", "google", "x-ai", "cohere", "mistral-ai")


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


def recording(size=1000):
    return ("a.wav", io.BytesIO(b"RIFF" + b"\r\n--x" * (size // 5)), "audio/wav")


def spoken(model, **fields):
    return {"model": model, "voice": "alloy", "input": "Hello", "response_format": "wav", **fields}


@case(at=SPEAK)
def speech(client, model):
    heard = client.audio.speech.create(**spoken(model)).read()
    # Where only samples are to be had, the gateway writes the head of the file.
    true(heard.endswith(SOUND) and len(heard) - len(SOUND) in (0, 44), f"{len(heard)} bytes")


@case(at=SPEAK)
def speech_as_it_comes(client, model):
    with client.audio.speech.with_streaming_response.create(**spoken(model)) as answer:
        equal(answer.headers["content-type"], "audio/wav")
        true(b"".join(answer.iter_bytes()).endswith(SOUND), "the sound")


@case(at=SPEAK, but=("groq",))
def speech_in_events(client, model):
    asked = spoken(model, stream_format="sse")
    with client.audio.speech.with_streaming_response.create(**asked) as answer:
        equal(answer.headers["content-type"], "text/event-stream; charset=utf-8")
        events = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    true('"speech.audio.done"' in events[-1], events[-1])
    sounds = [base64.b64decode(event.split('"audio":"')[1].split('"')[0]) for event in events[:-1]]
    true(b"".join(sounds).endswith(SOUND), "the sound")


@case(at=("elevenlabs", "google"))
def a_voice_that_is_none(client, model):
    asked = {**spoken(model), "voice": "nobody in particular"}
    error = raises(openai.BadRequestError, lambda: client.audio.speech.create(**asked))
    equal(error.body["param"], "voice")


@case(at=HEAR)
def transcription(client, model):
    equal(client.audio.transcriptions.create(model=model, file=recording()).text, HEARD)


@case(at=HEAR)
def a_long_transcription(client, model):
    equal(client.audio.transcriptions.create(model=model, file=recording(LONG_BYTES), language="en").text, HEARD)


@case(at=HEAR, but=("groq", "mistral-ai", *WITHOUT_TIMES))
def transcription_with_times(client, model):
    asked = {"model": model, "response_format": "verbose_json", "timestamp_granularities": ["word", "segment"]}
    answer = client.audio.transcriptions.create(file=recording(), **asked)
    equal([(word.word, word.start, word.end) for word in answer.words], [("Hi", 0.5, 1.0), ("Rome.", 1.0, 1.5)])
    equal([(piece.text, piece.start, piece.end) for piece in answer.segments], [(HEARD, 0.5, 1.5)])


@case(at=HEAR, but=("groq", "mistral-ai", *WITHOUT_TIMES))
def transcription_as_subtitles(client, model):
    equal(client.audio.transcriptions.create(model=model, file=recording(), response_format="srt"), SRT)


@case(at=WITHOUT_TIMES)
def subtitles_without_times(client, model):
    ask = lambda: client.audio.transcriptions.create(model=model, file=recording(), response_format="srt")
    equal(raises(openai.BadRequestError, ask).body["param"], "response_format")


@case(at=HEAR, but=("groq", "mistral-ai"))
def transcription_in_events(client, model):
    events = list(client.audio.transcriptions.create(model=model, file=recording(), stream=True))
    equal((events[-1].type, events[-1].text), ("transcript.text.done", HEARD))
    equal("".join(event.delta for event in events if event.type == "transcript.text.delta"), HEARD)


@case(at=("google", "groq"))
def translation(client, model):
    equal(client.audio.translations.create(model=model, file=recording()).text, HEARD)


run(connect)
