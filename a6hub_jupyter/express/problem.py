"""The one exception that a user of the flow sees: a sentence, with the remedy in it."""


class ProblemError(Exception):
    """Something in the design, its settings or the PDK keeps a step from doing its work."""
