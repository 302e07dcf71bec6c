"""The server extension: its configuration, and how its rooms are wired together."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Float, Int, List, Unicode, default

from . import environment
from ._version import __version__

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from .api.base import Services
    from .builds.record import Record

STATIC = str(Path(__file__).parent / "static")
EVENTS = Path(__file__).parent / "builds" / "events.yaml"
EVENT_SCHEMA = "https://a6hub.github.io/a6hub-jupyter/events/builds/v1"


class A6HubApp(ExtensionApp):
    """Runs LibreLane builds for notebooks."""

    name = "a6hub_jupyter"
    version = __version__
    description = "a6hub-jupyter: LibreLane builds from notebooks"
    load_other_extensions = True
    static_paths = [STATIC]  # noqa: RUF012 - a trait of the base class

    builds_dir = Unicode(
        help="Directory of the builds' records. Default: 'a6hub/builds' in Jupyter's data directory."
    ).tag(config=True)
    cache_dir = Unicode(help="Directory for what can be made again (scenes of layouts).").tag(config=True)
    extra_roots = List(Unicode(), help="More directories, beside the server's root, that may hold designs.").tag(
        config=True
    )
    pdk = Unicode("sky130A", help="The PDK of builds that name none.").tag(config=True)
    preset_dirs = List(
        Unicode(), help="Directories of presets for all users: '<name>.json' with 'description' and 'config'."
    ).tag(config=True)
    pdk_roots = List(Unicode(), help="Directories that hold PDKs, looked at before PDK_ROOT and ciel's home.").tag(
        config=True
    )
    max_running = Int(0, min=0, help="Builds that run at once; 0: as many as the cores allow.").tag(config=True)
    max_cores = Int(0, min=0, help="Cores of all builds together; 0: the host's (or its container's).").tag(config=True)
    max_memory = Int(0, min=0, help="Bytes of memory of all builds together; 0: the host's.").tag(config=True)
    build_cores = Int(2, min=1, help="Cores that a build counts for, and may use, where it does not say.").tag(
        config=True
    )
    build_memory = Int(2 << 30, min=0, help="Bytes that a build counts for where it does not say.").tag(config=True)
    keep_builds = Int(0, min=0, help="Records of ended builds that are kept; 0: all.").tag(config=True)
    keep_days = Float(0.0, min=0, help="Days for which records of ended builds are kept; 0: for ever.").tag(config=True)
    keep_bytes = Int(0, min=0, help="Bytes that records of ended builds may take; 0: any.").tag(config=True)
    max_queued = Int(500, min=1, help="Builds that may wait; past it, new ones are refused.").tag(config=True)
    max_streams = Int(1000, min=1, help="Streams of builds (WebSockets) that are open at once.").tag(config=True)
    max_downloads = Int(
        100, min=1, help="Files, logs, scenes and archives that are sent at once; past it, requests are refused."
    ).tag(config=True)
    build_timeout = Float(help="Seconds a build may run where it does not say. Default: WORKER_TIMEOUT, or 3600.").tag(
        config=True
    )
    max_build_timeout = Float(
        help="Seconds that a build may ask for at most. Default: MAX_JOB_DURATION, or 86400."
    ).tag(config=True)
    librelane_path = Unicode(
        help="LibreLane's executable, for the toolchain 'path'. Default: LIBRELANE_PATH, or the LibreLane beside us."
    ).tag(config=True)
    container_engine = Unicode(help="Docker or Podman, by name or path. Default: the first that answers.").tag(
        config=True
    )
    container_image = Unicode(
        help="Image of the toolchain 'container'. Default: LibreLane's own, of the release installed beside us."
    ).tag(config=True)
    apptainer_image = Unicode(
        help="Image of the toolchain 'apptainer': a .sif file or a URI. Default: LibreLane's own."
    ).tag(config=True)
    nix_flake = Unicode(help="Flake of the toolchain 'nix'. Default: LibreLane's own, of our release.").tag(config=True)
    pdk_home = Unicode(help="Where PDKs are installed. Default: PDK_ROOT, or ~/.ciel.").tag(config=True)
    cancel_grace = Float(10.0, help="Seconds that tools have to end by themselves after each signal.").tag(config=True)
    min_free_disk = Int(500_000_000, help="Bytes that must be free for a build to be taken in.").tag(config=True)
    check_timeout = Float(30.0, help="Seconds in which LibreLane has to check a request.").tag(config=True)
    layout_timeout = Float(120.0, help="Seconds that preparing a layout for the browser may take.").tag(config=True)
    layout_memory = Int(4 << 30, help="Bytes of memory that preparing a layout may take.").tag(config=True)
    layout_cache_bytes = Int(2 << 30, help="Bytes that prepared layouts may take on disk.").tag(config=True)
    stuck_after = Float(
        3600.0,
        help="Seconds without output after which a build no longer keeps the server from being culled.",
    ).tag(config=True)

    @default("builds_dir")
    def _builds_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "a6hub" / "builds")

    @default("build_timeout")
    def _build_timeout(self) -> float:
        return environment.seconds("WORKER_TIMEOUT", 3600.0, self.log)

    @default("max_build_timeout")
    def _max_build_timeout(self) -> float:
        return environment.seconds("MAX_JOB_DURATION", 86400.0, self.log)

    @default("cache_dir")
    def _cache_dir(self) -> str:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return str(Path(base) / "a6hub-jupyter")

    def initialize_handlers(self) -> None:
        """Make the services and add the handlers."""
        from .api import handlers  # noqa: PLC0415 - imported when the extension is loaded, not when it is found

        self._services = self._make_services()
        if self.serverapp is not None:
            self.serverapp.web_app.settings["a6hub"] = self._services
        self.handlers.extend(handlers)

    def _make_services(self) -> Services:
        from .api.base import Services  # noqa: PLC0415
        from .auth import Roots  # noqa: PLC0415
        from .builds.examiner import Defaults, Examiner  # noqa: PLC0415
        from .builds.intake import Intake  # noqa: PLC0415
        from .builds.limits import Limits, host_cores, host_memory  # noqa: PLC0415
        from .builds.provision import Provision  # noqa: PLC0415
        from .builds.queue import Queue  # noqa: PLC0415
        from .builds.retention import Retention  # noqa: PLC0415
        from .builds.store import Store  # noqa: PLC0415
        from .executors import EXECUTORS  # noqa: PLC0415
        from .layout.cache import SceneCache  # noqa: PLC0415
        from .librelane.catalogue import Catalogue  # noqa: PLC0415
        from .librelane.pdkjobs import PDKJobs  # noqa: PLC0415
        from .librelane.presets import DIRECTORY as PRESETS  # noqa: PLC0415
        from .librelane.presets import Presets  # noqa: PLC0415
        from .toolchains import Settings  # noqa: PLC0415

        # resolved: a supervisor has another working directory
        store = Store(Path(self.builds_dir).expanduser().resolve())
        cores, memory = self.max_cores or host_cores(), self.max_memory or host_memory()
        limits = Limits(self.max_running or max(1, cores // self.build_cores), cores, memory, self.min_free_disk)
        retention = Retention(self.keep_builds, self.keep_days, self.keep_bytes)
        queue = Queue(store, EXECUTORS, limits, retention, self.log)
        roots = Roots([self._root_dir(), *self.extra_roots])
        defaults = Defaults(
            pdk=self.pdk,
            pdk_roots=(*self.pdk_roots, *filter(None, [self.pdk_home])),
            timeout=self.build_timeout,
            max_timeout=self.max_build_timeout,
            max_queued=self.max_queued,
            grace=self.cancel_grace,
            cores=self.build_cores,
            memory=self.build_memory,
        )
        settings = Settings(
            librelane=self.librelane_path,
            container_engine=self.container_engine,
            container_image=self.container_image,
            apptainer_image=self.apptainer_image,
            nix_flake=self.nix_flake,
        )
        cache = Path(self.cache_dir).expanduser().resolve()
        provision = Provision(settings, self.check_timeout)
        environment.check_paths(self.log)
        own = Path(jupyter_config_dir()) / PRESETS
        presets = Presets(own, [Path(d).expanduser() for d in self.preset_dirs])
        examiner = Examiner(roots, defaults, presets, provision)
        intake = Intake(store, queue, examiner, defaults)
        scenes = SceneCache(cache / "scenes", self.layout_cache_bytes, self.layout_timeout, self.layout_memory)
        jobs = PDKJobs(self.pdk_home, tuple(self.pdk_roots), self.log)
        catalogue = Catalogue()
        return Services(
            store=store,
            queue=queue,
            provision=provision,
            examiner=examiner,
            intake=intake,
            presets=presets,
            roots=roots,
            scenes=scenes,
            pdk_jobs=jobs,
            catalogue=catalogue,
            max_streams=self.max_streams,
            max_downloads=self.max_downloads,
        )

    def _root_dir(self) -> str:
        manager: Any = self.serverapp.contents_manager if self.serverapp else None
        return str(getattr(manager, "root_dir", None) or Path.cwd())

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Read the records that there are, and begin to watch the live ones."""
        if not self._services.store.open():
            self.log.error(
                "a6hub: %s Set A6HubApp.builds_dir to a directory of this user.", self._services.store.problem
            )
            return
        self._services.queue.on_activity = self._note_activity
        self._services.queue.on_end = lambda record: self._emit("finished", record)
        self._services.intake.on_created = lambda record: self._emit("created", record)
        if serverapp.event_logger is not None:
            serverapp.event_logger.register_event_schema(EVENTS)
        self._services.queue.start()

    async def stop_extension(self) -> None:
        """Stop watching; builds go on without us."""
        await self._services.queue.stop()
        await asyncio.to_thread(self._services.store.close)
        await self._services.provision.close()
        await self._services.scenes.close()
        await self._services.pdk_jobs.close()

    def _emit(self, action: str, record: Record) -> None:
        """Tell whoever listens to Jupyter's events."""
        if self.serverapp is None or self.serverapp.event_logger is None:
            return
        request, snapshot = record.request, record.snapshot
        data = {
            "action": action,
            "build_id": record.id,
            "design": request.name,
            "state": snapshot.state,
            "flow": request.flow,
            "pdk": request.pdk,
            "seconds": snapshot.seconds,
        }
        self.serverapp.event_logger.emit(schema_id=EVENT_SCHEMA, data=data)

    def _note_activity(self) -> None:
        """Tell a hub's culler, which reads every ``*_last_activity`` of the settings."""
        if self.serverapp is not None:
            self.serverapp.web_app.settings["a6hub_last_activity"] = datetime.now(timezone.utc)

    def current_activity(self) -> list[str] | None:
        """Return the ids of live builds that get on, for ``shutdown_no_activity_timeout``; None if there are none."""
        limit = time.time() - self.stuck_after
        running = [r.id for r in self._services.queue.running if r.last_output > limit]
        return running or None
