"""Presets: named sets of variables, ours, an administrator's, a user's and a project's."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..auth import DESIGNS, READ, WRITE, Refusal
from ..builds.confinement import RESERVED
from ..librelane.presets import Preset
from .base import A6HubHandler, guarded

MAX_DESCRIPTION = 1000


class PresetsBase(A6HubHandler):
    """Base of the handlers of presets."""

    auth_resource = DESIGNS

    def design_dir(self) -> Path | None:
        """Return the project's directory, None if the request names none; Refusal 422."""
        given = self.get_query_argument("design_dir", None)
        if given is None:
            return None
        path = self.services.roots.resolve(given, "design_dir")
        if not path.is_dir():
            sentence = f"The design directory '{given}' does not exist."
            raise Refusal(422, sentence, field="design_dir", remedy="Make it first.")
        return path


class PresetsHandler(PresetsBase):
    """``presets``."""

    @guarded(READ, DESIGNS)
    async def get(self) -> None:
        """Answer with all presets, those of the project ``design_dir`` too."""
        listed = await asyncio.to_thread(self.services.presets.listing, self.design_dir())
        await self.finish({"presets": [p.to_json() for p in listed]})


class PresetHandler(PresetsBase):
    """``presets/{name}``."""

    @guarded(READ, DESIGNS)
    async def get(self, name: str) -> None:
        """Answer with the preset that a request of this name gets."""
        try:
            found = await asyncio.to_thread(self.services.presets.find, name, self.design_dir(), "name")
        except Refusal as refusal:
            if refusal.body["field"] != "name":
                raise
            raise Refusal(404, str(refusal), field="name", remedy=str(refusal.body["remedy"])) from refusal
        await self.finish(found.to_json())

    @guarded(WRITE, DESIGNS)
    async def put(self, name: str) -> None:
        """Save a preset for the user or a project: 201 if it is new."""
        body = self.json_body()
        for key in body:
            if key not in {"description", "config", "scope"}:
                remedy = "Give 'description', 'config' and 'scope'."
                raise Refusal(422, f"There is no field '{key}'.", field=key, remedy=remedy)
        config, description = body.get("config"), body.get("description", "")
        if not isinstance(config, dict) or not config:
            raise Refusal(422, "A preset needs values.", field="config", remedy="Give at least one variable.")
        if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
            remedy = f"Give at most {MAX_DESCRIPTION} characters."
            raise Refusal(422, "The description is no text.", field="description", remedy=remedy)
        for key in config:
            if key in RESERVED or key == "meta":
                remedy = "Leave it to the request."
                raise Refusal(422, f"{key} cannot be part of a preset.", field=f"config.{key}", remedy=remedy)
        if errors := (await self.services.provision.ask({"kind": "preset", "config": config}))["errors"]:
            first = errors[0]
            raise Refusal(422, first["message"], field=first["field"], remedy=first["remedy"], errors=errors)
        preset = Preset(name, str(body.get("scope", "user")), description, config)
        new = await asyncio.to_thread(self.services.presets.save, preset, self.design_dir())
        self.set_status(201 if new else 200)
        await self.finish(preset.to_json())

    @guarded(WRITE, DESIGNS)
    async def delete(self, name: str) -> None:
        """Remove a preset of the user's, or with ``scope=project`` of the project's."""
        scope = self.get_query_argument("scope", "user")
        await asyncio.to_thread(self.services.presets.delete, name, scope, self.design_dir())
        self.set_status(204)
        await self.finish()
