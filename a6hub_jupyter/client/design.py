"""A design: Verilog files and LibreLane's settings for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .build import Build
from .errors import RequestRefusedError
from .linting import Findings, lint
from .options import check, refused, split
from .server import current_server
from .settings import Settings
from .validation import Validation


class Design:
    """A design in a directory.

    ``name`` is the top module. ``verilog_files`` are paths relative to ``directory`` (default: the working directory).
    ``clock_period`` is in nanoseconds; a design without a clock leaves ``clock_port`` out. All other LibreLane
    variables are given by their own names, in ``config`` or as keywords: ``FP_CORE_UTIL=40``. Numbers are in
    LibreLane's units: times in nanoseconds, lengths in micrometres, shares in percent (see ``a6hub.variables()``).
    Other keywords are the options of ``build``: pdk, scl, flow, toolchain, presets, ...
    """

    def __init__(
        self,
        name: str,
        *,
        verilog_files: Sequence[str | Path] | str | Path,
        clock_port: str | None = None,
        clock_period: float | None = None,
        directory: str | Path | None = None,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(verilog_files, (str, Path)):
            verilog_files = [verilog_files]
        self.directory = Path(directory or ".").resolve()
        self.config = Settings(DESIGN_NAME=name, VERILOG_FILES=[_in_design(f) for f in verilog_files])
        if clock_port is not None:
            self.config["CLOCK_PORT"] = clock_port
        if clock_period is not None:
            self.config["CLOCK_PERIOD"] = clock_period
        variables, self.options = split(options, "Design")
        self.config.update({**(config or {}), **variables})
        self._keywords = set(variables)

    @classmethod
    def from_directory(cls, path: str | Path = ".", *, top: str | None = None, **options: Any) -> Design:
        """Return the design in a directory: its saved configuration, and what that leaves open read from the Verilog.

        The files, the top module (``top`` names it where there are several), its clock and the include directories are
        found by parsing; ``config.json``, ``config.yaml`` or ``config.tcl`` win where they say it. ``options`` as for
        ``Design``. RequestRefusedError where there is no Verilog file.
        """
        directory = Path(path).resolve()
        server = current_server()
        saved = server.get("designs/config", path=str(directory))
        config: dict[str, Any] = dict(saved["config"])
        wanted = top or config.get("DESIGN_NAME")
        found = server.get("designs/analysis", path=str(directory), **({"top": wanted} if wanted else {}))
        design = cls(found["name"], verilog_files=found["verilog_files"], directory=directory, **options)
        design.analysis = found
        if found["clock_port"]:
            design.config.setdefault("CLOCK_PORT", found["clock_port"])
        if found["include_dirs"]:
            design.config.setdefault("VERILOG_INCLUDE_DIRS", [_in_design(d) for d in found["include_dirs"]])
        given = split(options, "Design")[0]
        design.config.update({**config, **({"DESIGN_NAME": top} if top else {}), **given})
        meta = {k: v for k, v in saved["meta"].items() if k in {"version", "flow", "substituting_steps"}}
        if config and meta != {"version": 2}:
            design.config["meta"] = meta
        return design

    @property
    def name(self) -> str:
        """The top module."""
        return str(self.config.get("DESIGN_NAME", ""))

    analysis: dict[str, Any] | None = None
    """What ``from_directory`` found: other possible tops and clocks, files that were left out and why."""

    def build(self, *, config: Mapping[str, Any] | None = None, **overrides: Any) -> Build:
        """Start a build and return it at once; it runs on the server and needs this kernel no more.

        What is given here wins over what the design has: LibreLane's variables by their own names, as keywords or in
        ``config`` (nanoseconds, micrometres, percent), and the options ``pdk``, ``scl`` (standard-cell library),
        ``flow`` (a name, or a list of step ids), ``substituting_steps`` (a mapping from step ids to step ids or None),
        ``presets``, ``toolchain``, ``from_step``, ``to_step``, ``only``, ``skip`` (step ids), ``tags``, ``timeout``
        (seconds), ``cores``, ``memory`` (bytes). TypeError names the nearest where a name is unknown;
        RequestRefusedError names each bad field.
        """
        request = self.request(config, overrides, "build")
        try:
            return Build(current_server().post("builds", request))
        except RequestRefusedError as error:
            raise refused({*self._keywords, *overrides}, error) from None

    def validate(self, *, config: Mapping[str, Any] | None = None, **overrides: Any) -> Validation:
        """Ask LibreLane what it thinks of the design, without starting anything; arguments as for ``build``.

        TypeError names the nearest where a keyword is no variable; what ``config`` names is in the result.
        """
        request = self.request(config, overrides, "validate")
        answer = current_server().post("designs/validate", request)
        check({*self._keywords, *overrides}, answer["errors"])
        return Validation(answer)

    def preset(self, *names: str) -> Design:
        """Lay presets under the design's own values, the later over the earlier; return the design.

        ``design.preset("balanced").build()``; without names there are none any more. ``a6hub.presets()`` lists them.
        """
        self.options["presets"] = list(names)
        self.config.changed()
        return self

    def save(self, *, format: str | None = None) -> str:  # noqa: A002 - the word for it
        """Write the configuration into the design directory, in LibreLane's own format; return the name of the file.

        An existing config.json or config.yaml keeps its format, its order and its comments. ``format`` is json or yaml.
        """
        body = {"config": self.config, "format": format}
        saved = current_server().put("designs/config", body, path=str(self.directory))
        return str(saved["file"])

    def request(self, config: Mapping[str, Any] | None, overrides: dict[str, Any], where: str) -> dict[str, Any]:
        """Return what the API is sent for a build of this design."""
        variables, options = split(overrides, where)
        request = {**self.options, **options}
        merged = {**self.config, **(config or {}), **variables}
        given = merged.pop("meta", None) or {}
        meta = dict(given) if isinstance(given, Mapping) else {}
        if "flow" in request and not isinstance(request["flow"], str) and request["flow"] is not None:
            meta["flow"] = list(request.pop("flow"))
        if substitutions := request.pop("substituting_steps", None):
            meta["substituting_steps"] = substitutions
        if isinstance(request.get("presets"), str):
            request["presets"] = [request["presets"]]
        if meta or given:
            merged["meta"] = meta or given  # what is no mapping is the server's to refuse
        return {**request, "design_dir": str(self.directory), "name": self.name, "config": merged}

    def lint(self) -> Findings:
        """Check the Verilog with Verilator, within a second or so."""
        return lint(*self._files(), top=self.name, directory=self.directory)

    def _files(self) -> list[str]:
        files = self.config.get("VERILOG_FILES") or []
        return [str(f).removeprefix("dir::") for f in (files if isinstance(files, (list, tuple)) else [files])]

    def __repr__(self) -> str:
        return f"Design({self.name!r}, {', '.join(self._files())})"


def _in_design(path: str | Path) -> str:
    text = Path(path).as_posix() if isinstance(path, Path) else path
    return text if "::" in text else f"dir::{Path(text).as_posix()}"
