"""A design's configuration file in LibreLane's own formats: read, and written with all in it that is not ours kept."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..auth import Refusal
from ..builds.model import is_too_deep, json_safe
from .presets import write_atomically

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

FORMATS = {"config.json": "json", "config.yaml": "yaml", "config.yml": "yaml", "config.tcl": "tcl"}
"""By name of the file; the first that is there is the design's."""
MAX_SIZES = {"json": 1 << 20, "tcl": 1 << 20, "yaml": 1 << 16}
"""Bytes that are read and written; YAML with its comments takes some 30 ms for a kB."""
MAX_VALUES = 100_000
NONE = '"none"'
"""ETag of a design without a configuration file."""


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file. ``path`` is where it is or will be, ``text`` is None where it is not there yet."""

    path: Path
    format: str
    text: str | None

    @property
    def etag(self) -> str:
        """Changes with the text."""
        return NONE if self.text is None else f'"{hashlib.sha256(self.text.encode()).hexdigest()[:16]}"'

    @property
    def default_version(self) -> int:
        """LibreLane's version of the format where ``meta`` does not say it."""
        return 2 if self.format == "yaml" else 1

    def config(self) -> dict[str, Any]:
        """Return what is in a JSON or YAML file; Refusal 422 that says why it cannot be read."""
        if self.text is None:
            return {}
        try:
            data = json.loads(self.text) if self.format == "json" else _plain(_load_yaml(self.text)[0], [MAX_VALUES])
            if is_too_deep(data):
                raise ValueError("it is nested too deeply")  # noqa: TRY301 - told below, with the others
        except (ValueError, RecursionError) as error:
            sentence = f"{self.path.name} cannot be read: {' '.join(str(error).split())[:300]}."
            raise Refusal(422, sentence, field="path", remedy="Mend the file in an editor.") from error
        if not isinstance(data, dict) or not all(isinstance(k, str) for k in data):
            raise Refusal(422, f"{self.path.name} holds no mapping.", field="path", remedy="Mend it in an editor.")
        return dict(json_safe(data))

    def written(self, config: Mapping[str, Any]) -> str:
        """Return the text of the file with this configuration: order, layout and comments stay where they can."""
        old = self.config() if self.text else {}  # refused where what is there cannot be kept
        if self.format == "yaml":
            return _dump_yaml(self.text or "", config)
        order = [k for k in old if k in config] + [k for k in config if k not in old]
        return json.dumps({k: config[k] for k in order}, indent=_indent(self.text), ensure_ascii=False) + "\n"

    def save(self, config: Mapping[str, Any]) -> ConfigFile:
        """Write the file, whole or not at all, and return it as it is now."""
        size = len(json.dumps(config))
        text = self.written(config) if size <= MAX_SIZES[self.format] else ""
        if not text or len(text.encode()) > MAX_SIZES[self.format]:
            sentence = f"The configuration has more than the {MAX_SIZES[self.format]} bytes that can be read again."
            raise Refusal(422, sentence, field="config", remedy="Keep long lists in files of their own.")
        try:
            write_atomically(self.path, text)
        except OSError as error:
            sentence = f"{self.path.name} could not be written: {error.strerror}."
            raise Refusal(
                507, sentence, field="path", remedy="Free space, or look at the directory's rights."
            ) from error
        return ConfigFile(self.path, self.format, text)


def open_config(design_dir: Path) -> ConfigFile | None:
    """Return the configuration file of a design directory, None if it has none."""
    for name, kind in FORMATS.items():
        path = design_dir / name
        if not path.is_file():
            continue
        try:
            if path.stat().st_size > MAX_SIZES[kind]:
                sentence = f"{name} is larger than {MAX_SIZES[kind]} bytes."
                raise Refusal(422, sentence, field="path", remedy="Make it smaller, or keep it as config.json.")
            return ConfigFile(path, kind, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            sentence = f"{name} cannot be read ({type(error).__name__})."
            raise Refusal(422, sentence, field="path", remedy="It must be text in UTF-8 that you may read.") from error
    return None


def new_config(design_dir: Path, kind: str) -> ConfigFile:
    """Return a file that is not there yet."""
    return ConfigFile(design_dir / f"config.{kind}", kind, None)


def _load_yaml(text: str) -> tuple[Any, int, int]:
    """Return the data, with its comments, and how deep mappings and lists are indented; ValueError if it is no YAML."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - 20 ms that few requests need
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415
    from ruamel.yaml.util import load_yaml_guess_indent  # noqa: PLC0415

    yaml = YAML()
    yaml.preserve_quotes = True
    try:
        data, indent, offset = load_yaml_guess_indent(text, yaml=yaml)
    except YAMLError as error:
        raise ValueError(str(error)) from error
    return data if data is not None else {}, indent or 2, offset or 0


def _dump_yaml(text: str, config: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415

    data, indent, offset = _load_yaml(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 16
    yaml.indent(mapping=2, sequence=max(indent, offset + 2), offset=offset)
    _replace(data, config)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _replace(old: CommentedMap | dict[str, Any], new: Mapping[str, Any]) -> None:
    """Make ``old`` equal to ``new`` by touching only what differs: what stays keeps its comments and its style."""
    for key in [k for k in old if k not in new]:
        del old[key]
    for key, value in new.items():
        present = old.get(key)
        if key in old and _plain(present, [MAX_VALUES]) == value:
            continue
        if isinstance(present, dict) and isinstance(value, Mapping):
            _replace(present, value)
        else:
            old[key] = value


def _plain(value: Any, left: list[int]) -> Any:
    """Return what JSON can hold of a YAML value; ValueError when it is too much: aliases make few lines many values."""
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("it holds too many values")
    if isinstance(value, dict):
        return {str(k): _plain(v, left) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v, left) for v in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


def _indent(text: str | None) -> int:
    for line in (text or "").splitlines()[1:]:
        if line.strip():
            return len(line) - len(line.lstrip()) or 2
    return 2
