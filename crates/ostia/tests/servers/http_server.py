"""Python's http.server as a provider's server. It closes connections that are idle for a second.

    python http_server.py

Says where it listens, then for each request its id and the connection's port. The path's first part says how the
answer ends: /length/, /chunked/ or /events/.
"""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 1
    # Head and body leave together.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        request_id = re.search(rb'"(id-[a-z0-9-]+)"', body)[1].decode()
        # One write for each line: there are other threads.
        self.server.log.write(f"{request_id} {self.client_address[1]}\n".encode())
        self.answer(self.path.split("/")[1], request_id)

    def answer(self, kind, text):
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        whole = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
        chunk = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        event = json.dumps(
            {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [chunk]}
        )
        pieces = [f"data: {event}\n\n", "data: [DONE]\n\n"] if kind == "events" else [whole[:20], whole[20:]]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if kind == "events" else "application/json")
        if kind == "length":
            self.send_header("content-length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole.encode())
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in [*pieces, ""]:
            self.wfile.write(f"{len(piece):x}\r\n{piece}\r\n".encode())

    def log_message(self, *words):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    log = open(1, "wb", buffering=0)


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    server.log.write(f"listens on 127.0.0.1:{server.server_port}\n".encode())
    server.serve_forever()
