"""The live build widget."""

from __future__ import annotations

from traitlets import Unicode

from .bundle import bootstrap
from .relayed import RelayedWidget


class BuildWidget(RelayedWidget):
    """Shows one build, by id. Steps and logs come from the server straight to the page, never through traits."""

    _esm = bootstrap()
    _view = Unicode("build").tag(sync=True)
    _fallback = Unicode("This build is shown by a Jupyter server; open the notebook there to see it live.").tag(
        sync=True
    )
    build_id = Unicode(help="The id of the build to show.").tag(sync=True)
    path = Unicode().tag(sync=True)
