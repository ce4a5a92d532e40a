"""ElevenLabs' SDK (elevenlabs): https://elevenlabs.io/docs/api-reference. Its own paths, handed on."""

import io

from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError

from cases import TIMEOUT_S, case, equal, raises, run

SOUND = bytes(range(256)) * 40


def connect(gateway, headers):
    # The gateway's key is shown as the vendor's would be.
    return ElevenLabs(base_url=gateway, api_key="pk-gateway", headers=headers, timeout=TIMEOUT_S)


@case
def speech(client, voice):
    equal(b"".join(client.text_to_speech.convert(voice, text="Hello", model_id="eleven_flash_v2_5")), SOUND)
    equal(b"".join(client.text_to_speech.stream(voice, text="Hello", output_format="pcm_24000")), SOUND)


@case
def a_transcript(client, voice):
    heard = client.speech_to_text.convert(model_id="scribe_v2", file=("a.wav", io.BytesIO(b"RIFF" * 1000), "audio/wav"))
    equal((heard.text, heard.words[1].start), ("Hi Rome.", 1.0))


@case
def what_the_vendor_refuses(client, voice):
    error = raises(ApiError, lambda: b"".join(client.text_to_speech.convert("none", text="Hello")))
    equal(error.status_code, 404)


run(connect)
