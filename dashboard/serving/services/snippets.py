"""Calls to copy: they run as shown once the token is put in."""

import json
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from dashboard.core.api import TOKEN_HEADER
from dashboard.core.i18n import _
from dashboard.serving.models import Deployment, ModelVersion

TOKEN = "YOUR_TOKEN"  # noqa: S105 - the reader puts hers there


@dataclass(frozen=True, slots=True)
class Snippet:
    """A call, and what it does."""

    label: str
    text: str


def for_test(version: ModelVersion, records: list[dict[str, Any]]) -> list[Snippet]:
    """Trying a version that is not deployed."""
    url = _url("serving_api.ModelTest", model_id=version.model_id, number=version.number)
    body = {"records": records[:2]}
    header = (TOKEN_HEADER, TOKEN)
    return [
        Snippet("curl", curl("POST", url, header, body)),
        Snippet("Python", python("POST", url, header, body)),
    ]


def for_deployment(deployment: Deployment, records: list[dict[str, Any]]) -> list[Snippet]:
    """Calling a deployment: at once, as a task, with a file, by the Open Inference Protocol."""
    where = {"deployment_id": deployment.id}
    body = {"records": records[:2]}
    header = ("Authorization", f"Bearer {TOKEN}")
    predict, tasks = _url("serving_api.Predict", **where), _url("serving_api.Tasks", **where)
    batch = _url("serving_api.Batch", **where)
    return [
        Snippet(_("At once: %(way)s", way="curl"), curl("POST", predict, header, body)),
        Snippet(_("At once: %(way)s", way="Python"), python("POST", predict, header, body)),
        Snippet(_("As a task: %(way)s", way="Python"), _task(tasks, header, body)),
        Snippet(_("Batch: %(way)s", way="curl"), _batch(batch, header)),
        Snippet(
            _("Batch of any size: %(way)s", way="Python"),
            _large_batch(_url("serving_api.uploads"), batch, header),
        ),
        Snippet(
            _("Open Inference Protocol: %(way)s", way="curl"),
            f"curl '{request.host_url.rstrip('/')}{request.script_root}/v2/models/{deployment.name}' \\\n"
            f"  -H '{header[0]}: {header[1]}'",
        ),
    ]


def curl(method: str, url: str, header: tuple[str, str], body: Any) -> str:
    """The call for a shell."""
    # A quote inside single quotes ends them; the shell's way round it is '\''.
    data = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl -X {method} '{url}' \\\n  -H '{header[0]}: {header[1]}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{data}'"
    )


def python(method: str, url: str, header: tuple[str, str], body: Any) -> str:
    """The call for Python, with nothing to install."""
    return (
        "import json, urllib.request\n\n"
        "request = urllib.request.Request(\n"
        f"    {url!r},\n"
        f"    method={method!r},\n"
        f'    headers={{{header[0]!r}: {header[1]!r}, "Content-Type": "application/json"}},\n'
        f"    data=json.dumps({body!r}).encode(),\n"
        ")\n"
        "print(json.load(urllib.request.urlopen(request)))"
    )


def _task(url: str, header: tuple[str, str], body: Any) -> str:
    return (
        "import json, time, urllib.request\n\n"
        f'HEADERS = {{{header[0]!r}: {header[1]!r}, "Content-Type": "application/json"}}\n\n'
        "def call(url, body=None):\n"
        "    data = json.dumps(body).encode() if body is not None else None\n"
        "    request = urllib.request.Request(url, data, HEADERS)\n"
        "    return json.load(urllib.request.urlopen(request))\n\n"
        f"task = call({url!r}, {body!r})\n"
        'while task["state"] in ("waiting", "queued", "running"):\n'
        "    time.sleep(1)\n"
        f'    task = call({url!r} + "/" + task["id"])\n'
        f'print(call({url!r} + "/" + task["id"] + "/result"))'
    )


def _batch(url: str, header: tuple[str, str]) -> str:
    return f"curl -X POST '{url}' \\\n  -H '{header[0]}: {header[1]}' \\\n  -F 'file=@rows.csv'"


def _large_batch(uploads: str, batch: str, header: tuple[str, str]) -> str:
    return (
        "import json, os, urllib.parse, urllib.request\n\n"
        f'HEADERS = {{{header[0]!r}: {header[1]!r}, "Tus-Resumable": "1.0.0"}}\n'
        'PATH, PIECE = "rows.csv", 8 * 2**20\n\n'
        "def call(method, url, data=None, **more):\n"
        "    headers = {**HEADERS, **{name.replace('_', '-'): value for name, value in more.items()}}\n"
        "    return urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method))\n\n"
        f"UPLOADS = {uploads!r}\n"
        'begun = call("POST", UPLOADS, Upload_Length=str(os.path.getsize(PATH)))\n'
        'address, at = urllib.parse.urljoin(UPLOADS, begun.headers["Location"]), 0\n'
        'with open(PATH, "rb") as file:\n'
        "    while piece := file.read(PIECE):\n"
        '        call("PATCH", address, piece, Upload_Offset=str(at),\n'
        '             Content_Type="application/offset+octet-stream")\n'
        "        at += len(piece)\n"
        'form = urllib.parse.urlencode({"upload": address.rpartition("/")[2]}).encode()\n'
        f'print(json.load(call("POST", {batch!r}, form))["id"])'
    )


def _url(endpoint: str, **values: Any) -> str:
    return str(url_for(endpoint, _external=True, **values))
