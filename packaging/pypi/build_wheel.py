"""Makes a wheel that carries the program: build_wheel.py PROGRAM VERSION LICENCES FOLDER prints its path.

A wheel is a zip whose layout is written down (https://packaging.python.org/en/latest/specifications/binary-distribution-format/).
What stands under NAME.data/scripts is put beside Python's own programs. Nothing but the standard library is needed.
"""

import base64
import hashlib
import pathlib
import re
import sys
import sysconfig
import zipfile

NAME = "ostia_gateway"
HERE = pathlib.Path(__file__).resolve().parent

METADATA = """\
Metadata-Version: 2.4
Name: ostia-gateway
Version: {version}
Summary: One door in front of every model: an AI gateway. This package brings the program.
License-Expression: Apache-2.0
License-File: LICENSE
License-File: THIRD-PARTY-LICENSES.txt
Project-URL: Homepage, https://github.com/ostia-ai/ostia
Keywords: ai,llm,gateway,openai,anthropic,gemini,proxy
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{readme}"""

# `uvx ostia-gateway` looks for a program of the package's name.
BY_PACKAGE = '#!/bin/sh\nexec "$(dirname "$0")/ostia" "$@"\n'


def main(program, version, licences, folder):
    program = pathlib.Path(program).read_bytes()
    tag = f"py3-none-{platform(program)}"
    info = f"{NAME}-{version}.dist-info"
    scripts = f"{NAME}-{version}.data/scripts"
    readme = (HERE / "README.md").read_text()
    files = {
        f"{scripts}/ostia": (program, 0o755),
        f"{scripts}/ostia-gateway": (BY_PACKAGE.encode(), 0o755),
        f"{info}/licenses/LICENSE": ((HERE.parent.parent / "LICENSE").read_bytes(), 0o644),
        f"{info}/licenses/THIRD-PARTY-LICENSES.txt": (pathlib.Path(licences).read_bytes(), 0o644),
        f"{info}/METADATA": (METADATA.format(version=version, readme=readme).encode(), 0o644),
        f"{info}/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: ostia\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
            0o644,
        ),
    }
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, (data, _) in files.items())
    files[f"{info}/RECORD"] = (f"{record}{info}/RECORD,,\n".encode(), 0o644)
    wheel = pathlib.Path(folder) / f"{NAME}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, (data, mode) in files.items():
            # The same bytes give the same wheel, whenever it is made.
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    print(wheel)


def platform(program):
    """The systems that it runs on: on Linux those whose glibc is not older than what it was linked with."""
    own = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", program)]
    if not own.startswith("linux_") or not versions:
        return own
    return f"manylinux_2_{max(versions)}_{own.removeprefix('linux_')}"


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


main(*sys.argv[1:])
