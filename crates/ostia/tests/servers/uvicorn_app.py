"""uvicorn as a provider's server. It closes connections that are idle for a second.

    python uvicorn_app.py

Says where it listens, then for each request its id and the connection's port. The path's first part says how the
answer ends: /length/, /chunked/ or /events/.
"""

import json
import re
import socket

import uvicorn


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    request_id = re.search(rb'"(id-[a-z0-9-]+)"', body)[1].decode()
    print(request_id, scope["client"][1], flush=True)
    await answer(scope["path"].split("/")[1], request_id, send)


async def answer(kind, text, send):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    whole = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
    chunk = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    event = json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [chunk]})
    pieces = {
        "length": [whole],
        "chunked": [whole[:20], whole[20:]],
        "events": [f"data: {event}\n\n", "data: [DONE]\n\n"],
    }[kind]
    media = "text/event-stream" if kind == "events" else "application/json"
    headers = [(b"content-type", media.encode())]
    if kind == "length":
        headers.append((b"content-length", str(len(whole)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"listens on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, timeout_keep_alive=1, access_log=False, log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
