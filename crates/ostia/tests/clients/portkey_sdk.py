"""Portkey's SDK asks for what the gateway keeps: feedback, logs and analytics."""

import json
import sys
import time
from datetime import datetime, timedelta, timezone

import httpx
from portkey_ai import Portkey

URL, TARGET = sys.argv[1:3]
PROVIDER, MODEL = TARGET.split("=")
now = datetime.now(timezone.utc)
TIME = {
    "time_of_generation_min": (now - timedelta(hours=1)).isoformat(),
    "time_of_generation_max": (now + timedelta(hours=1)).isoformat(),
}


def client(trace, **more):
    return Portkey(
        api_key="none", base_url=f"{URL}/v1", provider=PROVIDER, trace_id=trace, metadata={"_user": "ada", "team": "red"}, **more
    )


def plain(value):
    """What an answer holds, without the SDK's types."""
    return value.model_dump() if hasattr(value, "model_dump") else value


def check(name, found, expected):
    assert found == expected, f"{name}: {found!r} is not {expected!r}"


def has(name, graph, summary, **point):
    """Is this what a graph comes to, and is there a point of it?"""
    graph = plain(graph)
    check(name, graph["object"], "analytics-graph")
    for field, value in summary.items():
        check(f"{name}.{field}", graph["summary"][field], value)
    points = graph["data_points"]
    assert any(all(one[field] == value for field, value in point.items()) for one in points), f"{name}: {points}"


portkey = client("trace-1")
messages = [{"role": "user", "content": "Hello"}]
for _ in range(3):
    portkey.chat.completions.create(model=MODEL, messages=messages)
try:
    client("trace-2").chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Nonsense"}])
    raise AssertionError("it was answered")
except AssertionError:
    raise
except Exception:
    pass

portkey.logs.create(
    request={"url": "https://api.example.com/v1/chat/completions", "method": "POST", "body": {"model": "own-model", "messages": messages}},
    response={"status": 200, "body": {"usage": {"prompt_tokens": 5, "completion_tokens": 7}}, "response_time": 1200},
    metadata={"trace_id": "trace-3", "_user": "bob"},
)

created = portkey.feedback.create(trace_id="trace-1", value=5, weight=0.5, metadata={"text": "good"})
check("feedback", created.status, "success")
bulk = portkey.feedback.bulk_create(feedbacks=[{"trace_id": "trace-1", "value": 1}, {"trace_id": "trace-3", "value": -10, "weight": 1}])
check("bulk", len(bulk.feedback_ids), 2)
changed = portkey.feedback.update(feedback_id=created.feedback_ids[0], value=10, weight=0.5)
check("update", changed.feedback_ids, created.feedback_ids)
for wrong in [{"value": 11}, {"value": 1.5}, {"value": 1, "weight": 2}, {"value": 1, "metadata": 7}, {}]:
    try:
        portkey.feedback.create(trace_id="trace-1", **wrong)
        raise RuntimeError(f"{wrong} was taken")
    except RuntimeError:
        raise
    except Exception as error:
        check(str(wrong), getattr(error, "status_code", None), 400)

graphs = portkey.analytics.graphs
for _ in range(100):
    if plain(graphs.requests(**TIME))["summary"]["total"] == 5:
        break
    time.sleep(0.1)
has("requests", graphs.requests(**TIME), {"total": 5}, total=5)
has("tokens", graphs.tokens(**TIME, total_units_min=12, total_units_max=12), {"total": 12, "avg": 12.0}, total=12)
has("cost", graphs.cost(**TIME, cost_max=100), {})
has("latency", graphs.latency(**TIME, metadata='{"_user": "bob"}'), {"avg": 1200.0})
has("users", graphs.users(**TIME), {"total": 2}, total=2)
has("users/requests", graphs.users_requests(**TIME), {"total": 5, "unique": 2, "avg": 2.5}, avg=2.5)
has("errors", graphs.errors(**TIME), {"total": 1}, total=1)
has("errors/rate", graphs.errors_rate(**TIME), {"rate": 20.0}, rate=20.0)
has("errors/stacks", graphs.errors_stacks(**TIME), {"total": 1}, stats=[{"status_code": 400, "count": 1}])
has("errors/status-codes", graphs.errors_status_codes(**TIME), {"total_errors": 1, "unique_error_codes": 1}, status_code=400, count=1)
has("rescued", graphs.requests_rescued(**TIME), {"retry": 0, "fallback": 0}, retry=[], fallback=0)
has("cache/hit-rate", graphs.cache_hit_rate(**TIME), {"total": 0, "rate": 0}, simple_hits=0)
has("cache/latency", graphs.cache_latency(**TIME), {"avg": 0}, avg=0)
has("feedbacks", graphs.feedbacks(**TIME), {"total": 3}, total=3)
has("feedbacks/scores", graphs.feedbacks_scores(**TIME), {"total": 3}, score=-10, total=1)
has("feedbacks/weighted", graphs.feedbacks_weighted(**TIME, ai_org_model=f"{PROVIDER}__{MODEL}"), {"avg": 3.0}, avg=3.0)
has("feedbacks/ai-models", graphs.feedbacks_ai_models(**TIME), {}, ai_model="own-model", total=1, avg_weighted_feedback=-10.0)
has("filter", graphs.requests(**TIME, status_code="400,500"), {"total": 1})
has("filter", graphs.requests(**TIME, virtual_keys=PROVIDER), {"total": 4})
has("filter", graphs.requests(**TIME, weighted_feedback_max=-1), {"total": 1})

users = plain(portkey.analytics.groups.users(**TIME))
check("groups", (users["object"], users["total"]), ("list", 2))
check("users", [(one["user"], one["requests"]) for one in users["data"]], [("ada", 4), ("bob", 1)])
models = plain(portkey.analytics.groups.ai_models(**TIME, current_page=0, page_size=1))
check("models", (models["total"], models["data"][0]["ai_model"], models["data"][0]["requests"]), (2, MODEL, 4))
teams = plain(portkey.analytics.groups.metadata(metadata_key="team", **TIME))
check("teams", [(one["metadata_value"], one["requests"], one["requests_with_feedback"]) for one in teams["data"]], [("red", 4, 3)])
check("workspaces", plain(portkey.analytics.groups.workspaces(**TIME))["total"], 0)
cache = plain(portkey.analytics.summary.cache(**TIME))
check("cache", (cache["hits"], cache["total_requests"]), (0, 5))

exports = portkey.logs.exports
wanted = ["id", "trace_id", "is_success", "ai_model", "total_units", "request"]
made = exports.create(filters={**TIME, "status_code": "200"}, requested_data=wanted, workspace_id="w", description="mine")
check("export", (made.object, made.total), ("export", 4))
draft = exports.retrieve(export_id=made.id)
check("draft", (draft.status, draft.requested_data, draft.description), ("draft", wanted, "mine"))
check("update", exports.update(export_id=made.id, filters={**TIME, "total_units_max": 12, "total_units_min": 12}).id, made.id)
check("start", exports.start(export_id=made.id).object, "export")
until = time.time() + 20
while exports.retrieve(export_id=made.id).status == "in_progress" and time.time() < until:
    time.sleep(0.05)
done = exports.retrieve(export_id=made.id)
check("done", (done.status, done.total_records), ("success", 1))
address = exports.download(export_id=made.id).signed_url
rows = [json.loads(line) for line in httpx.get(address).text.splitlines()]
check("rows", [(row["trace_id"], row["ai_model"], row["is_success"], row["total_units"]) for row in rows], [("trace-3", "own-model", True, 12)])
check("fields", sorted(rows[0]), sorted(wanted))
check("forged", httpx.get(address[:-1] + ("0" if address[-1] != "0" else "1")).status_code, 403)
check("list", [one["id"] for one in exports.list(workspace_id="w").data], [made.id])
stopped = exports.create(filters={})
check("cancel", exports.cancel(export_id=stopped.id).object, "export")
check("stopped", exports.retrieve(export_id=stopped.id).status, "stopped")
