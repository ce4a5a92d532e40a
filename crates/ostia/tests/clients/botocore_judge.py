"""Holds what a server was sent against botocore's model of Bedrock, and reads a stream as botocore does.

Standard input has a JSON object on each line: `{"operation", "model", "body"}`, or `{"stream"}` with the bytes of an event
stream in hexadecimal. What is wrong is printed, a line for each; nothing means that all is well.
"""

import base64
import json
import re
import sys

import botocore.session
from botocore.eventstream import EventStreamBuffer
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")


def bounds(value, shape, path, problems):
    """What ParamValidator leaves to the server: lengths, ranges, patterns and enumerations."""
    rules = shape.metadata
    size = value if isinstance(value, (int, float)) else len(value)
    if "min" in rules and size < rules["min"] or "max" in rules and size > rules["max"]:
        problems.append(f"{path}: {size} is out of bounds")
    if isinstance(value, str):
        if rules.get("enum") and value not in rules["enum"]:
            problems.append(f"{path}: {value!r} is not in {rules['enum']}")
        if rules.get("pattern") and not re.fullmatch(rules["pattern"], value):
            problems.append(f"{path}: {value!r} does not match {rules['pattern']}")


def typed(value, shape, path, problems):
    """A value of JSON as botocore's callers give it: bytes in place of base64."""
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False) or not isinstance(value, dict):
            return value
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            problems.append(f"{path}: a union of {sorted(value)}")
        unknown = sorted(set(value) - set(shape.members))
        problems.extend(f"{path}.{name}: is not known" for name in unknown)
        known = ((name, field) for name, field in value.items() if name in shape.members)
        return {name: typed(field, shape.members[name], f"{path}.{name}", problems) for name, field in known}
    if shape.type_name == "map" and isinstance(value, dict):
        bounds(value, shape, path, problems)
        return {name: typed(field, shape.value, f"{path}.{name}", problems) for name, field in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        bounds(value, shape, path, problems)
        return [typed(item, shape.member, f"{path}[{at}]", problems) for at, item in enumerate(value)]
    if shape.type_name == "blob":
        value = base64.b64decode(value, validate=True)
    if shape.type_name != "boolean" and isinstance(value, (str, bytes, int, float)):
        bounds(value, shape, path, problems)
    return value


def sent(line):
    shape = MODEL.operation_model(line["operation"]).input_shape
    problems = []
    values = typed({**line["body"], "modelId": line["model"]}, shape, "", problems)
    report = ParamValidator().validate(values, shape)
    if report.has_errors():
        problems.append(report.generate_report())
    return problems


def streamed(line):
    buffer = EventStreamBuffer()
    buffer.add_data(bytes.fromhex(line["stream"]))
    kinds = MODEL.operation_model("ConverseStream").output_shape.members["stream"].members
    problems = []
    for message in buffer:
        shape = kinds.get(message.headers[":event-type"])
        if shape is None:
            problems.append(f"{message.headers} is no event")
            continue
        payload = json.loads(message.payload)
        payload.pop("p", None)
        report = ParamValidator().validate(typed(payload, shape, "", problems), shape)
        if report.has_errors():
            problems.append(report.generate_report())
    return problems


def main():
    for line in map(json.loads, sys.stdin):
        for problem in streamed(line) if "stream" in line else sent(line):
            print(f"{problem} in {json.dumps(line)[:2000]}")


if __name__ == "__main__":
    main()
