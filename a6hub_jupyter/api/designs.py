"""Designs before they are built: what is in a directory, what LibreLane thinks of a configuration, where it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async

from ..auth import DESIGNS, EXECUTE, READ, WRITE, Refusal
from ..builds.index import Filters
from ..builds.record import Record
from ..librelane.designconfig import NONE, ConfigFile, new_config, open_config
from .base import A6HubHandler, guarded, usable_store


class DesignHandler(A6HubHandler):
    """Base of those that look at the design directory that ``path`` names."""

    auth_resource = DESIGNS

    def directory(self) -> Path:
        """Return the directory; Refusal 422 where it is none, or lies elsewhere."""
        given = self.get_query_argument("path", "")
        path = self.services.roots.resolve(given, "path")
        if not path.is_dir():
            raise Refusal(422, f"The directory '{given}' does not exist.", field="path", remedy="Make it first.")
        return path


class ValidateHandler(A6HubHandler):
    """``designs/validate``."""

    @guarded(READ, DESIGNS)
    async def post(self) -> None:
        """Answer with all that is wrong with a build request, and with what its configuration comes to."""
        found = await self.services.examiner.examine(self.json_body())
        answer = found.answer
        cannot = [
            {**e, "message": f"It cannot be built here: {e['message']}"} for e in found.toolchain_errors if found.known
        ]
        await self.finish(
            {
                "valid": not found.errors,
                "errors": found.errors,
                "warnings": [*answer.get("warnings", []), *cannot],
                **{n: found.known.get(n) for n in ("flow", "pdk", "scl", "meta", "config")},
                "toolchain": found.toolchain or None,
                "presets": found.presets,
                "steps": answer.get("steps", []),
                **{n: answer.get(n, {}) for n in ("origins", "unused", "resolved")},
            }
        )


class AnalysisHandler(DesignHandler):
    """``designs/analysis``."""

    @guarded(READ, DESIGNS)
    async def get(self) -> None:
        """Answer with the Verilog files, the likely top module and its clock in a directory."""
        question = {
            "kind": "analyse",
            "design_dir": str(self.directory()),
            "top": self.get_query_argument("top", None),
        }
        answer = await self.services.provision.ask(question)
        if errors := answer.pop("errors"):
            first = errors[0]
            raise Refusal(422, first["message"], field=first["field"], remedy=first["remedy"])
        await self.finish(answer)


class DesignConfigHandler(DesignHandler):
    """``designs/config``."""

    @guarded(READ, DESIGNS)
    async def get(self) -> None:
        """Answer with the configuration that is saved in a design directory, and the one that was used last."""
        directory = self.directory()
        await self._answer(directory, await asyncio.to_thread(self._open, directory))

    @guarded(WRITE, DESIGNS)
    async def put(self) -> None:
        """Save a configuration, whole or not at all; 412 where ``If-Match`` is not the file's ETag any more."""
        directory, body = self.directory(), self.json_body()
        config, wanted = body.get("config"), body.get("format")
        for name in body:
            if name not in {"config", "format"}:
                raise Refusal(422, f"There is no field '{name}'.", field=name, remedy="Give 'config' and 'format'.")
        if not isinstance(config, dict):
            raise Refusal(422, "The configuration is missing.", field="config", remedy="Give a mapping.")
        if wanted not in {None, "json", "yaml"}:
            raise Refusal(422, "It is saved as JSON or as YAML.", field="format", remedy="Give 'json' or 'yaml'.")
        current = await asyncio.to_thread(self._open, directory)
        match = self.request.headers.get("If-Match", "*").strip()
        if match not in {"*", current.etag if current else NONE}:
            raise Refusal(412, "The file has been changed meanwhile.", remedy="Get it again, then save.")
        saved = await asyncio.to_thread(_target(directory, current, wanted).save, config)
        await self._answer(directory, saved)

    def _open(self, directory: Path) -> ConfigFile | None:
        found = open_config(directory)
        if found is None:
            return None
        real = self.services.roots.resolve(str(found.path), "path")  # a link must not lead out
        return ConfigFile(real, found.format, found.text)

    async def _answer(self, directory: Path, file: ConfigFile | None) -> None:
        config: dict[str, Any] = {}
        if file is not None:
            config = await (self._read_tcl(file) if file.format == "tcl" else asyncio.to_thread(file.config))
        meta = config.pop("meta", None)
        version = file.default_version if file else 2
        self.set_header("ETag", file.etag if file else NONE)
        await self.finish(
            {
                "file": file.path.name if file else None,
                "format": file.format if file else None,
                "writable": file is None or file.format != "tcl",
                "config": config,
                "meta": {"version": version, **(meta if isinstance(meta, dict) else {})},
                "last_used": await asyncio.to_thread(
                    self._last_used, directory, usable_store(self.services).find_live(_named(directory))
                ),
            }
        )

    async def _read_tcl(self, file: ConfigFile) -> dict[str, Any]:
        """Have LibreLane run the Tcl file: that is more than reading, and is asked for as such."""
        allowed = self.authorizer.is_authorized(self, self.current_user, EXECUTE, DESIGNS)
        if not await ensure_async(allowed):
            sentence = "A config.tcl is a program, which you may not run."
            raise Refusal(403, sentence, field="path", remedy="Keep the configuration as config.json.")
        pdk = self.services.examiner.pdk_for_display(None, None)
        root = str(pdk.root) if pdk.root else None
        question = {"kind": "read", "path": str(file.path), "pdk": pdk.name, "pdk_root": root, "scl": None}
        answer = await self.services.provision.ask(question)
        if errors := answer["errors"]:
            raise Refusal(422, errors[0]["message"], field="path", remedy=errors[0]["remedy"])
        return dict(answer["config"])

    def _last_used(self, directory: Path, live: Sequence[Record]) -> dict[str, Any] | None:
        for record in usable_store(self.services).find(_named(directory), 20, live):
            request = record.request
            if request.design_dir == str(directory):
                names = ("created", "config", "meta", "presets", "flow", "pdk", "scl")
                return {"build": request.id, **{n: getattr(request, n) for n in names}}
        return None


def _named(directory: Path) -> Filters:
    return Filters(text=str(directory))


def _target(directory: Path, current: ConfigFile | None, wanted: str | None) -> ConfigFile:
    """Return the file to write: the one that is there, unless another format is asked for."""
    if current is None or (current.format == "tcl" and wanted):
        return new_config(directory, wanted or "json")
    if current.format == "tcl":
        sentence = "The design has a config.tcl, which is a program and is never rewritten."
        raise Refusal(
            409, sentence, field="format", remedy="Give format 'json' to save beside it; LibreLane's files win by name."
        )
    if wanted not in {None, current.format}:
        sentence = f"The design has a {current.path.name}; a second file would leave it open which one counts."
        raise Refusal(409, sentence, field="format", remedy=f"Save as {current.format}, or remove that file first.")
    return current
