"""Whether an answer is what the OpenAPI document says: its status, its content type, its headers, its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from a6hub_jupyter.api import handlers
from a6hub_jupyter.api.document import DOCUMENT

PREFIX = "/api/a6hub"
METHODS = ("get", "post", "put", "patch", "delete", "head")


def documented(route: str) -> str:
    """Return the path in the document for a route of the server."""
    path = route.removeprefix(PREFIX).removesuffix("/?").replace(r"\.", ".")
    return path.replace("([^/]+)", "{id}", 1).replace("(.+)", "{path}", 1) or "/"


class Contract:
    """The document, and what it asks of an answer."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The parsed document."""
        data: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
        return data

    @cached_property
    def _registry(self) -> Any:
        return Registry().with_resource("urn:api", DRAFT202012.create_resource(self.document))

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what a node with ``$ref`` stands for."""
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def validator(self, schema: Any) -> Draft202012Validator:
        """Return the validator of a schema, whose references are to the document."""
        return Draft202012Validator(_absolute(schema), registry=self._registry)

    def named(self, name: str) -> Draft202012Validator:
        """Return the validator of one of the document's schemas."""
        return self.validator({"$ref": f"#/components/schemas/{name}"})

    def check(self, method: str, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raise AssertionError where an answer differs from the document; what is no route of ours passes."""
        path = PREFIX + url.partition("?")[0].partition(PREFIX)[2]
        route = next((r for r, _ in handlers if re.fullmatch(r, path)), None)
        if route is None:
            return
        name = f"{method} {documented(route)} -> {status}"
        operation = self.document["paths"][documented(route)].get(method.lower())
        if operation is None:
            assert status in {403, 405}, f"{name}: the document has no such method"
            return
        assert str(status) in operation["responses"], f"{name} is not in the document: {body[:500]!r}"
        response = self.resolve(operation["responses"][str(status)])
        self._check_headers(name, response.get("headers", {}), headers)
        self._check_content(name, response.get("content"), headers.get("Content-Type", ""), body, partial=status == 206)

    def _check_headers(self, name: str, expected: dict[str, Any], headers: Mapping[str, str]) -> None:
        for header, node in expected.items():
            definition = self.resolve(node)
            if header not in headers:
                assert not definition.get("required"), f"{name}: the header {header} is missing"
                continue
            value: Any = headers[header]
            if definition["schema"].get("type") == "integer":
                value = int(value)
            self.validator(definition["schema"]).validate(value)

    def _check_content(
        self, name: str, content: dict[str, Any] | None, content_type: str, body: bytes, *, partial: bool
    ) -> None:
        if content is None:
            assert not body, f"{name}: the document has no content for it"
            return
        kind = content_type.partition(";")[0]
        if not body and kind not in content:
            return
        assert kind in content, f"{name}: {content_type} is not among {', '.join(content)}"
        if kind == "application/json" and not partial:
            problems = list(self.validator(content[kind]["schema"]).iter_errors(json.loads(body, parse_constant=_no)))
            assert not problems, f"{name}: {problems[0].json_path}: {problems[0].message}"


def _absolute(schema: Any) -> Any:
    """Return a schema of the document in a form that can be used outside of it."""
    if isinstance(schema, dict):
        return {k: f"urn:api{v}" if k == "$ref" else _absolute(v) for k, v in schema.items()}
    return [_absolute(v) for v in schema] if isinstance(schema, list) else schema


def _no(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


CONTRACT = Contract()
