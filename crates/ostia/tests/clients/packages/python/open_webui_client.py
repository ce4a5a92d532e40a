"""Open WebUI, the server with the settings of its slim image: https://docs.openwebui.com/.

Asked as its page in the browser asks: the model is one of those that it lists, a tool stands in its workspace, and the server
itself goes through the loop of calls. What it tells the page meanwhile comes over its socket.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp
import socketio

from tool_loop import INSTRUCTIONS, TIMEOUT_S, check, messages

# On a busy machine that takes more than a minute.
START_S = 200
TOOL = '''
class Tools:
    async def weather(self, city: str) -> str:
        """
        The weather in a city.
        :param city: The city.
        """
        known = {"Rome": "21 C", "Oslo": "9 C"}
        if city not in known:
            raise ValueError(f"no such city: {city}")
        return known[city]
'''
SETTINGS = {
    "USE_SLIM_DOCKER": "true",
    "WEBUI_AUTH": "false",
    "WEBUI_SECRET_KEY": "a secret of at least thirty-two bytes",
    "OFFLINE_MODE": "true",
    "ENABLE_OLLAMA_API": "false",
    "OPENAI_API_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_API_KEY": "sk-client",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class WebUi:
    """What its page does, once it is open."""

    def __init__(self, session, url):
        self.session, self.url = session, url
        self.told = asyncio.Queue()
        self.socket = socketio.AsyncClient()

    async def ask(self, path, body=None):
        method = "GET" if body is None else "POST"
        async with self.session.request(method, f"{self.url}{path}", json=body) as answer:
            if answer.status != 200:
                sys.exit(f"{path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def open(self):
        """Waits for the server, signs in, connects the socket, and puts the tool into the workspace."""
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self.ask("/api/version")
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.2)
        token = (await self.ask("/api/v1/auths/signin", {"email": "", "password": ""}))["token"]
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.socket.on("events", self.told.put)
        place = {"socketio_path": "/ws/socket.io", "transports": ["websocket"]}
        await self.socket.connect(self.url, auth={"token": token}, **place)
        tool = {"id": "weather", "name": "Weather", "content": TOOL, "meta": {"description": "The weather."}}
        await self.ask("/api/v1/tools/create", tool)

    async def chat(self, gateway, model):
        """The pieces of the last answer, as the page is shown them."""
        connection = {"OPENAI_API_BASE_URLS": [f"{gateway}/v1"], "OPENAI_API_KEYS": ["sk-client"]}
        await self.ask("/openai/config/update", {"ENABLE_OPENAI_API": True, "OPENAI_API_CONFIGS": {}, **connection})
        listed = [each["id"] for each in (await self.ask("/api/models?refresh=true"))["data"]]
        if model not in listed:
            sys.exit(f"{model} is not among {listed}")
        number = os.urandom(4).hex()
        await self.ask(
            "/api/chat/completions",
            {
                "model": model,
                "messages": [{"role": "system", "content": INSTRUCTIONS}, *messages()],
                "stream": True,
                "params": {"function_calling": "native", "reasoning_effort": "medium"},
                "tool_ids": ["weather"],
                # A temporary chat, of which the server keeps nothing.
                "chat_id": f"temporary:{self.socket.get_sid()}",
                "id": number,
                "session_id": self.socket.get_sid(),
            },
        )
        async with asyncio.timeout(TIMEOUT_S):
            return await self.shown(number)

    async def shown(self, number):
        """What the page is told of the message, up to its end."""
        pieces, item = [], None
        while True:
            event = await self.told.get()
            if event.get("message_id") != number:
                continue
            kind, data = event["data"]["type"], event["data"].get("data") or {}
            if kind in ("chat:message:error", "chat:tasks:cancel") or data.get("error"):
                sys.exit(f"{event}")
            if data.get("type") == "response.output_text.delta":
                # Each answer of the model is an item of its own.
                pieces, item = pieces if data["item_id"] == item else [], data["item_id"]
                pieces.append(data["delta"])
            if data.get("done"):
                return pieces


async def attempt(ui, gateway, model):
    try:
        check(await ui.chat(gateway, model))
    except (Exception, SystemExit) as fault:
        return repr(fault)
    return "ok"


async def visit(url):
    words = sys.argv[1:]
    async with aiohttp.ClientSession(headers={}) as session:
        ui = WebUi(session, url)
        await ui.open()
        for number, start in enumerate(range(0, len(words), 3)):
            _, gateway, model = words[start:start + 3]
            print(f"\n== {number}: {await attempt(ui, gateway, model)}", flush=True)
        await ui.socket.disconnect()


def main():
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        program = [sys.executable, Path(sys.executable).with_name("open-webui"), "serve", f"--host=127.0.0.1", f"--port={port}"]
        surroundings = {**os.environ, **SETTINGS, "DATA_DIR": folder}
        log = Path(folder, "log").open("w+")
        server = subprocess.Popen(program, env=surroundings, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            asyncio.run(visit(f"http://127.0.0.1:{port}"))
        finally:
            server.terminate()
            server.wait()
            log.seek(0)
            print(log.read()[-6000:], file=sys.stderr)


main()
