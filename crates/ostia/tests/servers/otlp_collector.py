"""A collector of OpenTelemetry's that stands in: it takes what is sent by OTLP, over HTTP or gRPC, decodes it with the official
messages, and prints each export as a line of JSON. How it answers is told as arguments, one for each export of any signal in turn, the
last for all that follow: ok, slow:SECONDS, partial:COUNT, later:SECONDS (with the wait that it asks for), later.

    otlp_collector.py http|grpc ANSWER...
"""

import gzip
import json
import sys
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

REQUESTS = {
    "traces": (trace_service_pb2.ExportTraceServiceRequest, trace_service_pb2.ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (metrics_service_pb2.ExportMetricsServiceRequest, metrics_service_pb2.ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (logs_service_pb2.ExportLogsServiceRequest, logs_service_pb2.ExportLogsServiceResponse, "rejected_log_records"),
}

protocol, answers = sys.argv[1], sys.argv[2:]
lock = threading.Lock()


def next_answer():
    with lock:
        word, _, argument = (answers.pop(0) if len(answers) > 1 else answers[0]).partition(":")
    return word, argument


def say(signal, headers, message, word):
    told = {"signal": signal, "headers": headers, "answer": word, "message": MessageToDict(message)}
    with lock:
        print(json.dumps(told), flush=True)


def response(signal, word, argument):
    _, kind, field = REQUESTS[signal]
    answer = kind()
    if word == "partial":
        setattr(answer.partial_success, field, int(argument))
        answer.partial_success.error_message = "some are too old"
    return answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.headers["content-type"] == "application/x-protobuf", self.headers["content-type"]
        signal = self.path.rsplit("/", 1)[1]
        message = REQUESTS[signal][0].FromString(body)
        word, argument = next_answer()
        say(signal, {name.lower(): value for name, value in self.headers.items()}, message, word)
        if word == "slow":
            time.sleep(float(argument))
        if word == "later":
            self.send_response(429)
            if argument:
                self.send_header("retry-after", argument)
            data = b""
        else:
            self.send_response(200)
            data = response(signal, word, argument).SerializeToString()
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def serve_http():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def serve_grpc():
    import grpc
    from google.protobuf.any_pb2 import Any
    from google.protobuf.duration_pb2 import Duration
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    def export(signal):
        def handle(self, request, context):
            word, argument = next_answer()
            say(signal, dict(context.invocation_metadata()), request, word)
            if word == "slow":
                time.sleep(float(argument))
            if word == "later":
                if argument:
                    detail = Any()
                    detail.Pack(RetryInfo(retry_delay=Duration(seconds=int(argument))))
                    status = Status(code=8, message="too much", details=[detail])
                    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too much")
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            return response(signal, word, argument)

        return handle

    server = grpc.server(futures.ThreadPoolExecutor(8))
    for signal, base, add in [
        ("traces", trace_service_pb2_grpc.TraceServiceServicer, trace_service_pb2_grpc.add_TraceServiceServicer_to_server),
        ("metrics", metrics_service_pb2_grpc.MetricsServiceServicer, metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server),
        ("logs", logs_service_pb2_grpc.LogsServiceServicer, logs_service_pb2_grpc.add_LogsServiceServicer_to_server),
    ]:
        add(type(signal, (base,), {"Export": export(signal)})(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


serve_grpc() if protocol == "grpc" else serve_http()
