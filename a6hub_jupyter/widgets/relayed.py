"""What both widgets have: a way to the server through the kernel, for pages that have none of their own."""

from __future__ import annotations

import contextvars
import uuid
from typing import Any

import anywidget
from traitlets import Unicode

# One kernel, one name: the widgets of a page that share it share streams and code too.
KERNEL = uuid.uuid4().hex


class RelayedWidget(anywidget.AnyWidget):
    """A widget whose page may ask the kernel to relay; nothing of it is set up before one does."""

    _kernel = Unicode(KERNEL).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._relay: Any = None
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or "relay" not in content:
            return
        if self._relay is None:
            from ..client.relay import Relay  # noqa: PLC0415 - the client imports this package

            # The kernel sends a message as the answer to one that it has read: on another thread it knows of none.
            context = contextvars.copy_context()
            self._relay = Relay(lambda message, buffers: context.run(self._say, message, buffers))
        self._relay.hear(content)

    def _say(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is None:  # the widget has been closed
            self._relay.close()
        else:
            self.send(message, buffers)

    def close(self) -> None:
        """Close the widget, and with it all that it had under way."""
        if getattr(self, "_relay", None) is not None:
            self._relay.close()
        super().close()
