"""The built JavaScript that is stored with each widget: a bootstrap of a few kB that loads the rest."""

from __future__ import annotations

from pathlib import Path

BOOTSTRAP = Path(__file__).parents[1] / "static" / "bootstrap.js"


def bootstrap() -> Path | str:
    """Return the bootstrap for ``_esm``; without a built bundle, a module that says so instead of an import error."""
    if BOOTSTRAP.exists():
        return BOOTSTRAP
    sentence = "a6hub-jupyter was installed without its JavaScript; run 'npm ci && npm run build' in js/."
    return f"export default {{ render({{ el }}) {{ el.textContent = {sentence!r}; }} }};"
