"""An application that is traced by OpenTelemetry's own SDK: its spans and logs go to the gateway by OTLP, and so does its call to a model,
with the trace in its headers. Then the gateway tells all of it as one tree.

    otel_sender.py GATEWAY PROVIDER=MODEL
"""

import json
import logging
import sys
import time
import urllib.request
import warnings

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import inject
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

warnings.simplefilter("ignore")
gateway, target = sys.argv[1], sys.argv[2]
provider, model = target.split("=", 1)
resource = Resource.create({"service.name": "shop"})


class Checked(OTLPSpanExporter):
    """Fails where the SDK would only write a line into its log."""

    def export(self, spans):
        result = super().export(spans)
        assert result == SpanExportResult.SUCCESS, result
        return result


tracing = TracerProvider(resource=resource)
tracing.add_span_processor(SimpleSpanProcessor(Checked(f"{gateway}/v1/otel/v1/traces", compression=Compression.Gzip)))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{gateway}/v1/otel/v1/logs")))

tracer = tracing.get_tracer("shop.checkout")
with tracer.start_as_current_span("checkout", attributes={"cart.items": 3, "cart.tags": ["a", "b"]}) as checkout:
    checkout.add_event("paid", {"amount": 1.5})
    with tracer.start_as_current_span("ask the model"):
        headers = {"content-type": "application/json", "x-ostia-provider": provider}
        inject(headers)
        body = {"model": model, "messages": [{"role": "user", "content": "say a"}]}
        request = urllib.request.Request(f"{gateway}/v1/chat/completions", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            assert response.status == 200
    try:
        from opentelemetry.sdk._logs import LoggingHandler

        handler = LoggingHandler(logger_provider=logs)
        logging.getLogger("shop").addHandler(handler)
        logging.getLogger("shop").warning("stock is low")
    except ImportError:
        from opentelemetry._logs import LogRecord, SeverityNumber

        now = time.time_ns()
        logs.get_logger("shop").emit(
            LogRecord(timestamp=now, observed_timestamp=now, severity_text="WARN", severity_number=SeverityNumber.WARN, body="stock is low")
        )
tracing.shutdown()
logs.shutdown()

trace_id = format(checkout.get_span_context().trace_id, "032x")
deadline = time.time() + 20
while True:
    with urllib.request.urlopen(f"{gateway}/v1/traces/{trace_id}") as response:
        told = json.load(response)
    root = told["data"][0]
    children = root["children"]
    if children and children[0]["children"]:
        break
    assert time.time() < deadline, told
    time.sleep(0.05)

assert len(told["data"]) == 1, told
assert (root["object"], root["name"], root["service"], root["scope"]) == ("span", "checkout", "shop", "shop.checkout"), root
assert root["attributes"] == {"cart.items": 3, "cart.tags": ["a", "b"]}, root
assert root["events"][0]["name"] == "paid" and root["events"][0]["attributes"] == {"amount": 1.5}, root
assert root["logs"][0]["body"] == "stock is low" and root["logs"][0]["severity"].startswith("WARN"), root
ask = children[0]
assert ask["name"] == "ask the model", ask
call = ask["children"][0]
assert (call["object"], call["status"], call["parent_span_id"]) == ("request", 200, ask["span_id"]), call
assert ask["started_ms"] <= call["started_ms"] + 1 and ask["duration_us"] >= call["duration_us"] / 2, told
