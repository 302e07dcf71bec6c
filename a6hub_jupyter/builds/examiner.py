"""Examines build requests: all that can be said of one before anything runs, and all that is wrong with it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..auth import Refusal, Roots
from ..librelane import pdks
from ..librelane.catalogue import pdk_stamp
from ..librelane.presets import Presets
from ..toolchains import AUTO
from .confinement import Confinement
from .examination import Examination
from .fields import check_names, read_meta, typed
from .provision import Provision


class Defaults(NamedTuple):
    """What holds where a request is silent, and how far it may go."""

    pdk: str
    pdk_roots: tuple[str, ...]
    timeout: float
    max_timeout: float
    max_queued: int
    grace: float
    cores: int
    memory: int


class Examiner:
    """Says what a request means here: its design, presets, PDK, toolchain, and LibreLane's own answer."""

    def __init__(self, roots: Roots, defaults: Defaults, presets: Presets, provision: Provision) -> None:
        self._presets = presets
        self._provision = provision
        self._roots = roots
        self._defaults = defaults
        self._confinement = Confinement(roots, defaults.pdk_roots)

    async def examine(self, body: Mapping[str, Any]) -> Examination:
        """Say all that can be said of a request before anything runs; what is wrong is in the result, not raised."""
        found = Examination()
        fields = found.attempt(typed, body)
        if fields is None:
            return found
        found.fields = fields
        if fields.get("only"):
            fields["from_step"] = fields["to_step"] = fields["only"]
        config: dict[str, Any] = dict(fields["config"])
        design_dir = found.attempt(self._design_dir, fields.get("design_dir"))
        named, meta = found.attempt(read_meta, config, fields.get("flow")) or (fields.get("flow"), {"version": 2})
        found.attempt(check_names, config)
        names = fields.get("presets") or []
        tried = [await asyncio.to_thread(found.attempt, self._presets.find, name, design_dir) for name in names]
        presets = [p for p in tried if p is not None]
        flow = named or "Express"
        if meta.get("substituting_steps"):
            meta["flow"] = meta["flow"] or flow
        await self._provision.find_toolchain(fields.get("toolchain") or AUTO, flow, meta, found)
        toolchain = found.toolchain
        pdk = found.attempt(self._pdk, fields.get("pdk") or self._defaults.pdk, fields.get("scl"), toolchain)
        if design_dir is None:
            return found
        layers: list[dict[str, Any]] = [{"name": p.name, "config": dict(p.config)} for p in presets]
        for part in (config, *(layer["config"] for layer in layers)):
            self._confine(part, design_dir, found)
        found.known = {
            "flow": flow,
            "pdk": pdk.name if pdk else self._defaults.pdk,
            "scl": fields.get("scl") if pdk else None,
            "pdk_root": str(pdk.root) if pdk and pdk.root else None,
            "from_step": fields.get("from_step"),
            "to_step": fields.get("to_step"),
            "skip": fields.get("skip") or [],
            "design_dir": str(design_dir),
            "config": config,
            "meta": meta,
        }
        found.pdk, found.presets = pdk, [p.name for p in presets]
        question = {
            **found.known,
            "kind": "check",
            "presets": layers,
            "pdk_stamp": pdk_stamp(pdk) if pdk else "",
        }
        answer = await self._provision.answer(question, fields.get("toolchain") or "express", found)
        found.add(answer.pop("errors"))
        for name, paths in answer.pop("paths").items():
            found.attempt(self._confinement.check_resolved, name, paths, found.known)
        found.known["config"] = answer["config"]
        found.answer = answer
        return found

    def _confine(self, config: dict[str, Any], design_dir: Path, found: Examination) -> None:
        """Note down each value that leads out, and take it away: nothing may look there."""
        for name in list(config):
            if not found.attempt(self._confinement.check, name, config[name], design_dir):
                del config[name]

    def _design_dir(self, given: str | None) -> Path:
        if given is None:
            raise Refusal(
                422,
                "The design directory is missing.",
                field="design_dir",
                remedy="Give the directory of the design.",
            )
        path = self._roots.resolve(given, "design_dir")
        if not path.is_dir():
            raise Refusal(
                422,
                f"The design directory '{given}' does not exist.",
                field="design_dir",
                remedy="Make it first.",
            )
        if not os.access(path, os.W_OK | os.X_OK):
            raise Refusal(
                422,
                f"The design directory '{given}' is not writable; LibreLane writes its runs there.",
                field="design_dir",
                remedy="Copy the design to a directory of your own.",
            )
        return path

    def _pdk(self, name: str, scl: str | None, toolchain: str) -> pdks.PDK:
        extra = self._defaults.pdk_roots
        pdk = pdks.find(name, extra)
        if pdk is None or (pdk.root is None and toolchain != "express"):
            there = sorted({*pdks.installed(extra), *(["sky130A"] if toolchain == "express" else [])})
            listed = f"Installed here: {', '.join(there)}. " if there else ""
            raise Refusal(
                422,
                f"The PDK '{name}' is not installed.",
                field="pdk",
                remedy=f"{listed}Others can be installed with 'ciel', or named by PDK_ROOT.",
            )
        if scl is not None and scl not in pdk.libraries:
            raise Refusal(
                422,
                f"The PDK {pdk.name} has no standard-cell library '{scl}'.",
                field="scl",
                remedy=f"It has: {', '.join(pdk.libraries) or 'none'}.",
            )
        if not pdk.libraries:
            raise Refusal(
                422,
                f"The PDK {pdk.name} in {pdk.root} has no standard-cell library that LibreLane can use.",
                field="pdk",
                remedy="Install it again, with its libraries.",
            )
        return pdk

    def pdk_for_display(self, name: str | None, scl: str | None) -> pdks.PDK:
        """Return the PDK whose defaults are shown; Refusal 422 as for a build."""
        return self._pdk(name or self._defaults.pdk, scl, "express")
