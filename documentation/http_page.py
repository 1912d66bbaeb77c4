"""docs/reference/http.md: every route, from the description that the service serves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from documentation.pages import code, page, table
from ingest_assets.cli.commands.serve import compose_service
from ingest_assets.composition import Deployment
from ingest_assets.http.application import build_application
from ingest_assets.settings import SHORTEST_SECRET, Settings

INTRODUCTION = """`ingest serve` describes itself at `/openapi.json`, and this page says the same. [Over
HTTP](../http.md) shows how to use it. Every error is `application/problem+json` with a [code](errors.md)."""


def http_page() -> str:
    """Return the page."""
    described = _openapi()
    schemas = described["components"]["schemas"]
    routes = [
        part
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        for part in _route(method, path, operation)
    ]
    bodies = [part for name in sorted(schemas) for part in _body(name, schemas[name])]
    return page("HTTP", INTRODUCTION, [*routes, "## Bodies", *bodies])


def _openapi() -> Any:
    """Return the description of a service that has no database, and asks for none."""
    with TemporaryDirectory() as home:
        settings = Settings(home=Path(home), jwt_secret=SecretStr("x" * SHORTEST_SECRET))
        deployment = Deployment(settings)
        try:
            return build_application(compose_service(deployment)).openapi()
        finally:
            deployment.close()


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {method.upper()} {path}"
    yield str(operation.get("description") or operation["summary"])
    parameters = [
        (code(each["name"]), each["in"], _type(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", [])
    ]
    if parameters:
        yield table(("parameter", "in", "type", "meaning"), parameters)
    if "requestBody" in operation:
        yield f"Body: {_content(operation['requestBody'])}"
    answers = [
        (status, each.get("description", ""), _content(each)) for status, each in sorted(operation["responses"].items())
    ]
    yield table(("status", "meaning", "body"), answers)


def _body(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    if description := schema.get("description"):
        yield str(description)
    properties = schema.get("properties", {})
    rows = [(code(key), _type(each), each.get("description", "")) for key, each in properties.items()]
    if rows:
        yield table(("field", "type", "meaning"), rows)
    else:
        yield _type(schema)


def _content(answer: Mapping[str, Any]) -> str:
    return ", ".join(
        f"`{media}`" + (f" ({_type(each['schema'])})" if each.get("schema") else "")
        for media, each in answer.get("content", {}).items()
    )


def _type(schema: Mapping[str, Any]) -> str:
    """Return a type as people say it; one that has a name is a link."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(each) for each in alternatives)
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(code(str(each)) for each in values)
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind
