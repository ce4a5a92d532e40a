"""Reads /metrics as Prometheus' own reader of OpenMetrics does, which refuses what the format does not allow.

    prometheus_reader.py GATEWAY NAME...     (families that have to be there)
"""

import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

request = urllib.request.Request(f"{sys.argv[1]}/metrics", headers={"accept": "application/openmetrics-text"})
with urllib.request.urlopen(request) as response:
    media, text = response.headers["content-type"], response.read().decode()
assert media.startswith("application/openmetrics-text; version=1.0.0"), media
families = {family.name: family for family in text_string_to_metric_families(text)}
for name in sys.argv[2:]:
    assert name in families and families[name].samples, f"{name} is not among {sorted(families)}"
