"""How the EDA tools are provided: one small module for each way, one protocol (see ``base``)."""

from __future__ import annotations

from .base import Command, Plan, Toolchain
from .express import ExpressToolchain
from .path import PathToolchain

TOOLCHAINS: dict[str, Toolchain] = {t.name: t for t in (ExpressToolchain(), PathToolchain())}

__all__ = ["TOOLCHAINS", "Command", "Plan", "Toolchain"]
