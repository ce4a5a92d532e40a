"""What the clients in Python share: the task, the tool, and what has to come of it.

Each is run as `CLIENT.py API GATEWAY MODEL API GATEWAY MODEL ...` and says of each three how it went, by their number.
`../../../it/packages.rs` plays the model: it calls `weather` once, then twice at the same time (one of the calls fails), and then says REPORT.
"""

import asyncio
import sys
import traceback

TASK = "Weather in Rome, Oslo and Atlantis?"
REPORT = "Rome has 21 C, Oslo has 9 C, and Atlantis is not to be found."
INSTRUCTIONS = "You tell the weather."
# Questions and answers that stand before the task.
HISTORY = [(f"Number {number}?", f"{number}.") for number in range(20)]
TIMEOUT_S = 30
PIECES_MIN = 2


class Unknown(Exception):
    """What the tool says of a city that it does not know."""

    def __init__(self, city):
        super().__init__(f"no such city: {city}")


def weather(city: str) -> str:
    """The weather in a city."""
    known = {"Rome": "21 C", "Oslo": "9 C"}
    if city not in known:
        raise Unknown(city)
    return known[city]


def messages():
    """The history in the words of OpenAI, and the task behind it."""
    turns = [
        {"role": role, "content": text}
        for asked, said in HISTORY
        for role, text in (("user", asked), ("assistant", said))
    ]
    return [*turns, {"role": "user", "content": TASK}]


def check(pieces):
    """The last answer came whole, and in pieces."""
    text = "".join(pieces)
    if not text.endswith(REPORT):
        sys.exit(f"the last words are {text!r}")
    if len(pieces) < PIECES_MIN:
        sys.exit(f"the text came in {len(pieces)} pieces")


def attempt(client, api, gateway, model):
    """`ok`, or what went wrong."""
    try:
        pieces = client(gateway, api, model)
        check(asyncio.run(pieces) if asyncio.iscoroutine(pieces) else pieces)
    except (Exception, SystemExit):
        return traceback.format_exc()
    return "ok"


def run(client):
    """Runs `client(gateway, api, model)`, which gives the pieces of the text that it was shown, for all that is asked."""
    words = sys.argv[1:]
    for number, start in enumerate(range(0, len(words), 3)):
        print(f"\n== {number}: {attempt(client, *words[start:start + 3])}", flush=True)
