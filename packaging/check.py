"""Checks the files of packaging/ by tools of others: `cargo xtask packaging` installs those and runs this.

    check.py [--bin OSTIA] [--sbom FILE]

The chart is linted and rendered by Helm's own engine, and each object is held against the schemas of Kubernetes; the
ostia.yaml in it is read by the gateway where --bin says which. hadolint reads the Dockerfile, Compose's schema compose.yaml,
systemd-analyze the units (where systemd is installed), CycloneDX's schema the SBOM.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from helm_python import Chart, lint

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHART = ROOT / "packaging/helm/ostia"
# The oldest that Chart.yaml names, and the newest whose schemas are installed.
KUBERNETES = ("1.30", kubernetes_validate.latest_version())
# What `cargo xtask packaging` set up, beside this Python.
TOOLS = pathlib.Path(sys.executable).parent

DIGEST = "sha256:" + "0" * 64
# Values, and the grace period of a pod that they give.
VALUES = {
    "defaults": ({}, 30 + 5 + 15),
    "everything": (
        {
            "replicaCount": 3,
            "image": {"repository": "example.com/ostia", "digest": DIGEST, "pullPolicy": "Always"},
            "imagePullSecrets": [{"name": "pull"}],
            "fullnameOverride": "gate",
            "config": {
                "auth": {"keys": ["${OSTIA_KEY}"]},
                "timeouts": {"first_byte": "60s"},
                "providers": {"openai": {"api_key": "${OPENAI_API_KEY}", "models": ["gpt-4o-mini"]}},
            },
            "secret": {"OSTIA_KEY": "k", "OPENAI_API_KEY": "sk"},
            "env": [{"name": "RUST_BACKTRACE", "value": "1"}],
            "drainSeconds": 600,
            "preStopSeconds": 10,
            "service": {"type": "LoadBalancer", "port": 80, "annotations": {"a": "b"}},
            "ingress": {"enabled": True, "className": "nginx", "host": "ai.example.com", "tlsSecret": "tls"},
            "autoscaling": {"enabled": True},
            "podDisruptionBudget": {"minAvailable": "50%"},
            "serviceAccount": {"annotations": {"a": "b"}},
            "podAnnotations": {"a": "b"},
            "podLabels": {"c": "d"},
            "nodeSelector": {"e": "f"},
            "tolerations": [{"key": "g", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
        },
        600 + 10 + 15,
    ),
    "https": ({"existingSecret": "keys", "tlsSecret": "tls"}, 30 + 5 + 15),
    "few": (
        {
            "existingSecret": "keys",
            "preStopSeconds": 0,
            "serviceAccount": {"create": False},
            "podDisruptionBudget": {"enabled": False},
            "topologySpread": False,
        },
        30 + 15,
    ),
}
PROBES = ["startupProbe", "livenessProbe", "readinessProbe"]
# Values that the chart's schema has to refuse.
REFUSED = [
    {"replicaCount": "two"},
    {"config": {"auth": {"keys": []}}},
    {"config": {"auth": {"keys": ["k"]}, "listen": "127.0.0.1:1"}},
    {"config": {"auth": {"keys": ["k"]}, "tls": {"cert": "/elsewhere.pem"}}},
    {"drainSeconds": 7200},
    {"unknown": 1},
]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bin")
    arguments.add_argument("--sbom")
    given = arguments.parse_args()
    problems = [*chart(given.bin), *dockerfile(), *compose(), *units(given.bin)]
    if given.sbom:
        problems += sbom(given.sbom)
    for problem in problems:
        print(f"FAILED  {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


def say(text):
    print(f"ok      {text}", flush=True)


def chart(binary):
    found = []
    report = lint(CHART, strict=True)
    found += [f"helm lint: {message}" for message in report.get("messages", []) if severity(message) >= 2]
    loaded = Chart.load(CHART)
    for values in REFUSED:
        try:
            loaded.validate_schema(values)
            found.append(f"values.schema.json takes {values}")
        except Exception:
            pass
    for name, (values, grace) in VALUES.items():
        loaded.validate_schema(values)
        objects = []
        for path, text in loaded.render(values, name="release", namespace="ns").items():
            if path.endswith(".yaml"):
                objects += [item for item in yaml.safe_load_all(text) if item]
        found += [problem for item in objects for problem in invalid(name, item)]
        found += whole(name, objects, grace, binary)
        say(f"chart, values `{name}`: {', '.join(sorted(item['kind'] for item in objects))}")
    return found


def severity(message):
    level = message.get("severity", 0) if isinstance(message, dict) else 2
    return {"info": 1, "warning": 2, "error": 3}.get(str(level).lower(), level if isinstance(level, int) else 2)


def invalid(name, item):
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            yield f"chart, values `{name}`: Kubernetes {version} has no {item['kind']}"
        except kubernetes_validate.ValidationError as error:
            yield f"chart, values `{name}`: {item['kind']} for Kubernetes {version}: {error.message}"


def whole(name, objects, grace, binary):
    """What no schema knows: times that agree, and a configuration that the gateway takes."""
    pod = next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    if pod["terminationGracePeriodSeconds"] != grace:
        yield f"chart, values `{name}`: the grace period is {pod['terminationGracePeriodSeconds']} s, not {grace} s"
    text = next(item for item in objects if item["kind"] == "ConfigMap")["data"]["ostia.yaml"]
    config = yaml.safe_load(text)
    schemes = {pod["containers"][0][probe]["httpGet"]["scheme"] for probe in PROBES}
    if schemes != {"HTTPS" if "tls" in config else "HTTP"}:
        yield f"chart, values `{name}`: the probes ask by {schemes}"
    if not config["timeouts"]["drain"]:
        yield f"chart, values `{name}`: ostia.yaml has no drain"
    if binary:
        yield from checked(f"chart, values `{name}`", binary, text)


def checked(name, binary, text):
    keys = {"OSTIA_KEY": "k", "OPENAI_API_KEY": "sk"}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        # The certificate is on no other machine than its own.
        without = ["--no-secrets"] if "tls" in yaml.safe_load(text) else []
        answer = run(binary, "check", *without, "--config", file.name, env=keys)
    if answer.returncode:
        yield f"{name}: ostia check: {answer.stderr.strip()}"


def dockerfile():
    answer = run(TOOLS / "hadolint", ROOT / "Dockerfile")
    if answer.returncode:
        return [f"hadolint: {answer.stdout}{answer.stderr}"]
    say("Dockerfile: hadolint")
    return []


def compose():
    answer = run(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")
    if answer.returncode:
        return [f"compose.yaml: {answer.stdout}{answer.stderr}"]
    say("compose.yaml: Compose's schema")
    return []


def units(binary):
    found = list(checked("packaging/debian/ostia.yaml", binary, (ROOT / "packaging/debian/ostia.yaml").read_text())) if binary else []
    if not shutil.which("systemd-analyze"):
        print("skipped the units: systemd-analyze is not installed")
        return found
    with tempfile.TemporaryDirectory() as folder:
        names = ["ostia.service", "ostia.socket"]
        for name in names:
            # The program is not installed here: any other that exists stands for it.
            text = (ROOT / "packaging" / name).read_text().replace("/usr/bin/ostia", "/bin/true")
            (pathlib.Path(folder) / name).write_text(text)
        paths = [os.path.join(folder, name) for name in names]
        answer = run("systemd-analyze", "verify", "--man=no", *paths)
        if answer.returncode or answer.stderr.strip():
            return [*found, f"systemd-analyze verify: {answer.stdout}{answer.stderr}"]
        # In tenths: what it is now. Whoever opens something says so here.
        answer = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", paths[0])
        level = answer.stdout.strip().splitlines()[-1:] or [answer.stderr]
        if answer.returncode:
            return [*found, f"systemd-analyze security: {level[0]}"]
    say(f"ostia.service, ostia.socket: systemd-analyze; {level[0].lstrip('→ ')}")
    return found


def sbom(path):
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(pathlib.Path(path).read_text())
    if problem:
        return [f"{path}: {problem.data}"]
    say(f"{path}: CycloneDX's schema")
    return []


def run(*words, env=None):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, env=env)


main()
