"""The widgets' Python side: names of what to show. The work is done in ``js/``."""
