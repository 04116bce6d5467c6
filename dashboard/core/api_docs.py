"""The browsable page of the API: every operation of the OpenAPI document, with a call to copy."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, current_app, render_template, request

from dashboard.core.api import PREFIX, TOKEN_HEADER, document_of

METHODS = ("get", "post", "put", "patch", "delete")
TOKEN_PLACEHOLDER = "YOUR_TOKEN"  # noqa: S105 - the reader puts hers there
# A schema that holds itself ends here instead of growing for ever.
MAX_DEPTH = 6

api_docs = Blueprint("api_docs", __name__)


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter, or a member of a body."""

    name: str
    place: str
    type: str
    required: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address, ready to print."""

    id: str
    method: str
    path: str
    tag: str
    title: str
    text: str
    public: bool
    roles: list[str]
    arguments: list[Argument]
    answers: list[tuple[str, str]]
    example: str
    curl: str
    python: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    text: str
    operations: list[Operation] = field(default_factory=list)


def init_app(app: Flask) -> None:
    """Serve the page beside the document."""
    app.register_blueprint(api_docs)


@api_docs.get(f"{PREFIX}/docs")
def page() -> str:
    """The API, to read and to copy from."""
    document = document_of(current_app._get_current_object())  # type: ignore[attr-defined]
    return render_template(
        "api/docs.html",
        document=document,
        groups=groups(document, base=request.host_url.rstrip("/") + request.script_root),
        token_header=TOKEN_HEADER,
    )


def groups(document: dict[str, Any], *, base: str) -> list[Group]:
    """The document's operations by tag, in the order of its tags."""
    found = {
        tag["name"]: Group(tag["name"], tag.get("description", "")) for tag in document["tags"]
    }
    for operation in _operations(document, base=base):
        found.setdefault(operation.tag, Group(operation.tag, "")).operations.append(operation)
    return [group for group in found.values() if group.operations]


def _operations(document: dict[str, Any], *, base: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method in METHODS:
            if method in methods:
                raw = {**methods[method]}
                raw["parameters"] = shared + raw.get("parameters", [])
                yield _operation(document, path, method, raw=raw, base=base)


def _operation(
    document: dict[str, Any], path: str, method: str, *, raw: dict[str, Any], base: str
) -> Operation:
    body = _body_schema(document, raw)
    public = raw.get("security") == []
    sample = example_of(document, body) if body else None
    return Operation(
        id=f"{method}{path.removeprefix(PREFIX)}".replace("/", "-").strip("-{}"),
        method=method.upper(),
        path=path,
        tag=(raw.get("tags") or ["other"])[0],
        title=raw.get("summary", ""),
        text=raw.get("description", ""),
        public=public,
        roles=raw.get("x-roles", []),
        arguments=[*_parameters(raw["parameters"]), *_members(document, body)],
        answers=[
            (code, _text(document, raw["responses"][code])) for code in sorted(raw["responses"])
        ],
        example=_answer_example(document, raw),
        curl=_curl(method, base + path, public=public, sample=sample),
        python=_python(method, base + path, public=public, sample=sample),
    )


def _parameters(raw: list[dict[str, Any]]) -> list[Argument]:
    return [
        Argument(
            name=each["name"],
            place=each["in"],
            type=_type_name(each.get("schema", {})),
            required=bool(each.get("required")),
            text=each.get("description", ""),
        )
        for each in raw
        if "name" in each
    ]


def _members(document: dict[str, Any], body: dict[str, Any] | None) -> list[Argument]:
    schema = _resolve(document, body or {})
    return [
        Argument(
            name=name,
            place="body",
            type=_type_name(_resolve(document, member)),
            required=name in schema.get("required", []),
            text=member.get("description", ""),
        )
        for name, member in schema.get("properties", {}).items()
    ]


def _body_schema(document: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any] | None:
    content = raw.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def _type_name(schema: dict[str, Any]) -> str:
    """The type with its bounds, as `integer 1 … 100`."""
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    name = " | ".join(kind) if isinstance(kind, list) else str(kind)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return name
    return f"{name} {'' if low is None else low} … {'' if high is None else high}"


def _text(document: dict[str, Any], response: dict[str, Any]) -> str:
    return str(_resolve(document, response).get("description", ""))


def _answer_example(document: dict[str, Any], raw: dict[str, Any]) -> str:
    """The shape of the success answer as JSON, or "" when it has no JSON body."""
    for code, response in raw["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if code.startswith("2") and schema:
            return json.dumps(example_of(document, schema), indent=2, ensure_ascii=False)
    return ""


def example_of(document: dict[str, Any], schema: dict[str, Any], *, depth: int = 0) -> Any:
    """A value that fits the schema."""
    schema = _resolve(document, schema)
    if depth > MAX_DEPTH:
        return None
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        members = schema.get("properties", {})
        return {name: example_of(document, each, depth=depth + 1) for name, each in members.items()}
    if kind == "array":
        return [example_of(document, schema.get("items", {}), depth=depth + 1)]
    return _plain_example(kind, schema)


def _plain_example(kind: str, schema: dict[str, Any]) -> Any:
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return {"date-time": "2026-03-01T14:05:00", "uri": "https://example.org/"}.get(
        schema.get("format", ""), "text"
    )


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _curl(method: str, url: str, *, public: bool, sample: Any) -> str:
    parts = [f"curl -X {method.upper()} '{url}'"]
    if not public:
        parts.append(f"-H '{TOKEN_HEADER}: {TOKEN_PLACEHOLDER}'")
    if sample is not None:
        # A quote inside single quotes ends them; the shell's way round it is '\''.
        body = json.dumps(sample, ensure_ascii=False).replace("'", "'\\''")
        parts += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
    return " \\\n  ".join(parts)


def _python(method: str, url: str, *, public: bool, sample: Any) -> str:
    headers = {} if public else {TOKEN_HEADER: TOKEN_PLACEHOLDER}
    data = "None" if sample is None else f"json.dumps({sample!r}).encode()"
    if sample is not None:
        headers["Content-Type"] = "application/json"
    return (
        "import json, urllib.request\n\n"
        "request = urllib.request.Request(\n"
        f"    {url!r},\n"
        f"    method={method.upper()!r},\n"
        f"    headers={headers!r},\n"
        f"    data={data},\n"
        ")\n"
        "print(json.load(urllib.request.urlopen(request)))"
    )
