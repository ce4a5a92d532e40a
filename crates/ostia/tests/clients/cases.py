"""What the clients share: cases, each run in front of every provider, and what the scripted model is asked.

Every client is run as `CLIENT.py GATEWAY PROVIDER=MODEL ...` and ends with status 1 if any case failed.
`../it/clients.rs` starts them and plays the model: it knows what it is to be asked, and refuses with 400 what does
not reach it whole.
"""

import base64
import json
import os
import sys
import traceback

# A PNG of one red dot. Its base64 has signs that the alphabet for URLs has not, which Google's SDK writes.
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4L8UAAAM1ARr46/+zAAAAAElFTkSuQmCC"
)

# What an answer in JSON must be.
CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["name", "population"],
    "additionalProperties": False,
}
ROME = {"name": "Rome", "population": 2_750_000}

# What the tool `weather` takes. The model asks for two cities at once.
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
REPORT = "Rome: 21 C, Oslo: 9 C"

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 20
PIECES_MIN = 2

_CASES = []


def weather(city: str) -> str:
    """The weather in a city."""
    return {"Rome": "21 C", "Oslo": "9 C"}[city]


def case(function=None, *, at=None, but=()):
    """Marks a function of a client and a model as a case: at these providers only, or at all but those."""
    if function is None:
        return lambda function: case(function, at=at, but=but)
    _CASES.append((function, lambda provider: (at is None or provider in at) and provider not in but))
    return function


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"found {found!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def own_headers(client):
    """The gateway's headers among those that a client of OpenAI's SDK sends."""
    return {name: value for name, value in client.default_headers.items() if name.lower().startswith("x-ostia-")}


def is_streamed(pieces, text):
    """The pieces are the text, and more than one."""
    equal("".join(pieces), text)
    true(len(pieces) >= PIECES_MIN, f"the text came in {len(pieces)} pieces")


def raises(kinds, call):
    """The error of one of these kinds that a call ends with."""
    try:
        result = call()
    except kinds as error:
        return error
    raise AssertionError(f"no error, but {result!r}")


def to_json(text):
    return json.loads(text)


def own_lines(error):
    """Where in these scripts an error came up, without the insides of the SDK."""
    frames = traceback.extract_tb(error.__traceback__)
    return "".join(traceback.format_list([frame for frame in frames if os.path.dirname(frame.filename) == HERE]))


def run(connect):
    """Runs all cases with what `connect(gateway, headers)` gives, in front of each provider."""
    gateway, *targets = sys.argv[1:]
    passed, failed = 0, []
    for provider, model in (target.split("=") for target in targets):
        client = connect(gateway, {"x-ostia-provider": provider, "x-ostia-strict-open-ai-compliance": "false"})
        for function in (function for function, fits in _CASES if fits(provider)):
            try:
                function(client, model)
                passed += 1
            except Exception as error:
                failed.append(f"{function.__name__} in front of {provider}")
                print(f"{failed[-1]}: {type(error).__name__}: {error}\n{own_lines(error)}")
    print("\n".join([f"passed: {passed}", f"failed: {len(failed)}", *failed]))
    sys.exit(1 if failed or not passed else 0)
