"""The layout widget."""

from __future__ import annotations

import anywidget
from traitlets import Unicode

from .bundle import bootstrap


class LayoutWidget(anywidget.AnyWidget):
    """Shows the layout of a build, or of a file. The layout comes from the server straight to the page."""

    _esm = bootstrap()
    _view = Unicode("layout").tag(sync=True)
    _fallback = Unicode("This layout is shown by a Jupyter server; open the notebook there to see it.").tag(sync=True)
    build_id = Unicode(help="The id of the build whose layout to show; empty for a file.").tag(sync=True)
    path = Unicode(help="The file to show; empty for a build.").tag(sync=True)
