"""What LibreLane's plugin discovery finds; importing it registers the flow "Express"."""

from a6hub_jupyter.express.flow import Express

__all__ = ["Express"]
