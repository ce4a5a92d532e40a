"""Deepgram's SDK (deepgram-sdk): https://developers.deepgram.com/reference. Its own paths, handed on."""

from deepgram import DeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment

from cases import TIMEOUT_S, case, equal, raises, run

SOUND = bytes(range(256)) * 40


def connect(gateway, headers):
    frames = gateway.replace("http://", "ws://")
    hosts = DeepgramClientEnvironment(base=gateway, production=frames, agent=frames, agent_rest=gateway)
    # The gateway's key is shown as the vendor's would be.
    return DeepgramClient(
        environment=hosts, api_key="pk-gateway", headers=headers, timeout=TIMEOUT_S, max_retries=0
    )


@case
def speech(client, model):
    equal(b"".join(client.speak.v1.audio.generate(text="Hello", model=model)), SOUND)


@case
def a_transcript(client, model):
    heard = client.listen.v1.media.transcribe_file(request=b"RIFF" * 1000, model="nova-3")
    best = heard.results.channels[0].alternatives[0]
    equal((best.transcript, best.words[1].start), ("Hi Rome.", 1.0))


@case
def what_the_vendor_refuses(client, model):
    error = raises(ApiError, lambda: b"".join(client.speak.v1.audio.generate(text="Hello", model="none")))
    equal(error.status_code, 404)


run(connect)
