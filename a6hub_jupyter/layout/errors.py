"""What is said when a layout cannot be shown."""


class LayoutError(Exception):
    """A layout that cannot be shown: `message` is one sentence, `remedy` what to do ("" if unknown)."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
