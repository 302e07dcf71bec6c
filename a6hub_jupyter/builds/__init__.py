"""The life of a build: what it is, where its record lies, who runs it, who waits."""
