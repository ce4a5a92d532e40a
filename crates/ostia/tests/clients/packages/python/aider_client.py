"""aider, by its own loop of edits: https://aider.chat/docs/scripting.html.

aider has no tools: the model writes blocks of text to find and text to put there. The first block here fits nothing, so that
aider sends it back; the second one fits, and the test that aider then runs fails; the third one is right.
`../../../it/packages/edits.rs` plays the model.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from aider.main import main

from tool_loop import HISTORY, run

TASK = "Let weather.py know Oslo."
WEATHER = 'KNOWN = {"Rome": "21 C"}\n'
TEST = 'from weather import KNOWN\nassert KNOWN["Oslo"] == "9 C", "Oslo has " + KNOWN["Oslo"]\n'
SETTINGS = [
    "--edit-format=diff",
    "--auto-test",
    "--no-git",
    "--yes-always",
    "--no-pretty",
    "--no-check-update",
    "--no-analytics",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--no-detect-urls",
    "--map-tokens=0",
    "--timeout=30",
]


def target(gateway, api, model):
    """aider's arguments for a server in one of the formats."""
    os.environ["OPENAI_API_BASE"] = f"{gateway}/v1"
    os.environ["ANTHROPIC_API_BASE"] = gateway
    os.environ["OPENAI_API_KEY"] = os.environ["ANTHROPIC_API_KEY"] = "sk-client"
    return {
        "chat": [f"--model=openai/{model}", "--reasoning-effort=medium", "--no-check-model-accepts-settings"],
        "messages": [f"--model=anthropic/{model}", "--thinking-tokens=2000", "--no-check-model-accepts-settings"],
    }[api]


def watched(coder):
    """The pieces of the last answer, as aider takes them from the stream."""
    pieces = []
    show = coder.show_send_output_stream

    def show_watched(completion):
        pieces.clear()
        for chunk in completion:
            pieces.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)
            yield chunk

    coder.show_send_output_stream = lambda completion: show(show_watched(completion))
    return pieces


def client(gateway, api, model):
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("weather.py").write_text(WEATHER)
        Path("check.py").write_text(TEST)
        test = f"{sys.executable} -B check.py"
        arguments = [*target(gateway, api, model), *SETTINGS, f"--test-cmd={test}", "weather.py"]
        coder = main(arguments, return_coder=True)
        for asked, said in HISTORY[:3]:
            # An answer without an edit: there is nothing to test yet.
            coder.auto_test = False
            answer = coder.run(asked)
            if not answer.endswith(said):
                sys.exit(f"{asked} {answer}")
        coder.auto_test = True
        pieces = watched(coder)
        coder.run(TASK)
        subprocess.run(test.split(), check=True)
        os.chdir("/")
        return pieces


run(client)
