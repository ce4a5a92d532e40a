"""WebSockets on streams of HTTP/2 (RFC 8441), by two libraries that know nothing of the gateway's own: h2 for the streams and wsproto
for the frames (https://python-hyper.org)."""

import socket
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, TextMessage

from cases import TIMEOUT_S, case, equal, run, true

PIECE_BYTES = 65_536


class Http2:
    """A connection, and one WebSocket on each of its streams."""

    def __init__(self, gateway, headers):
        address = urlsplit(gateway)
        self.authority, self.headers = address.netloc, [("authorization", "Bearer sk-client"), *headers.items()]
        self.socket = socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S)
        self.http2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.http2.initiate_connection()
        self.streams = {}
        self.flush()
        while not self.http2.remote_settings.enable_connect_protocol:
            self.take()

    def flush(self):
        self.socket.sendall(self.http2.data_to_send())

    def take(self):
        data = self.socket.recv(PIECE_BYTES)
        true(data, "the connection has ended")
        for event in self.http2.receive_data(data):
            if stream := self.streams.get(getattr(event, "stream_id", None)):
                stream.take(event)
        self.flush()


class Stream:
    """A WebSocket."""

    def __init__(self, connection, path, version="13"):
        self.connection, self.http2 = connection, connection.http2
        self.id = self.http2.get_next_available_stream_id()
        self.frames, self.said, self.pieces = Connection(ConnectionType.CLIENT), [], []
        self.status = self.closed = self.ended = None
        connection.streams[self.id] = self
        head = [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":path", path),
            (":authority", connection.authority),
            ("sec-websocket-version", version),
            ("sec-websocket-extensions", "permessage-deflate"),
        ]
        self.http2.send_headers(self.id, [*head, *connection.headers])
        connection.flush()
        self.wait(lambda: self.status)

    def wait(self, found):
        while not found():
            self.connection.take()

    def take(self, event):
        if isinstance(event, ResponseReceived):
            head = dict(event.headers)
            self.status, self.agreed = head[":status"], head
        elif isinstance(event, DataReceived):
            self.http2.acknowledge_received_data(event.flow_controlled_length, self.id)
            if self.status == "200" and event.data:
                self.frames.receive_data(event.data)
                for heard in self.frames.events():
                    self.hear(heard)
        elif isinstance(event, (StreamEnded, StreamReset)):
            self.ended = event

    def hear(self, event):
        if isinstance(event, TextMessage):
            self.pieces.append(event.data)
            if event.message_finished:
                self.said.append("".join(self.pieces))
                self.pieces = []
        elif isinstance(event, CloseConnection):
            self.closed = event

    def send(self, event):
        data = self.frames.send(event)
        while data:
            room = min(self.http2.local_flow_control_window(self.id), self.http2.max_outbound_frame_size)
            if room <= 0:
                self.connection.take()
                continue
            self.http2.send_data(self.id, data[:room])
            self.connection.flush()
            data = data[room:]


@case
def frames_pass(connection, model):
    one, other = (Stream(connection, f"/v1/realtime?model={model}") for _ in range(2))
    for stream in (one, other):
        equal(stream.status, "200")
        true("sec-websocket-extensions" not in stream.agreed, stream.agreed)
    long = "x" * 1_000_000
    for stream, text in ((one, "Hello"), (other, long), (one, long), (other, "Hello")):
        stream.send(TextMessage(data=text))
        stream.wait(lambda: stream.said)
        equal(stream.said.pop(), text)
    one.send(CloseConnection(code=4000, reason="that was all"))
    one.wait(lambda: one.ended)
    equal((one.closed.code, one.closed.reason), (4000, "that was all"))
    true(isinstance(one.ended, StreamEnded), one.ended)
    # The other goes on.
    other.send(TextMessage(data="Still here"))
    other.wait(lambda: other.said)
    equal(other.said, ["Still here"])


@case
def refusals_are_answers(connection, model):
    refused = Stream(connection, f"/v1/realtime?model={model}", version="8")
    equal(refused.status, "426")
    refused.wait(lambda: refused.ended)


run(Http2)
