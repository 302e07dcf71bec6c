"""What is kept of ended builds, and for how long. Only our own records: a user's run directories stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .index import Index


@dataclass(frozen=True)
class Retention:
    """Limits on the records of ended builds; 0 means none. The oldest go first."""

    count: int = 0
    days: float = 0
    total_bytes: int = 0

    def doomed(self, index: Index, directory: Path) -> list[str]:
        """Return the ids of the builds whose records in ``directory`` are over a limit; it may take long."""
        builds = index.oldest()
        doomed: list[str] = []
        if self.count:
            doomed += [build_id for build_id, _ in builds[: max(0, len(builds) - self.count)]]
        if self.days:
            limit = (datetime.now(timezone.utc) - timedelta(days=self.days)).isoformat()
            doomed += [build_id for build_id, created in builds if created < limit]
        if self.total_bytes:
            sizes = {build_id: _size(directory / build_id) for build_id, _ in builds}
            over = sum(sizes.values()) - self.total_bytes
            for build_id, _ in builds:
                if over <= 0:
                    break
                doomed.append(build_id)
                over -= sizes[build_id]
        return list(dict.fromkeys(doomed))


def _size(directory: Path) -> int:
    try:
        return sum(p.stat().st_size for p in directory.iterdir())
    except OSError:
        return 0
