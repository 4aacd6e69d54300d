"""Why a benchmark could not be run; the text is shown to the user as it is."""


class BenchError(Exception):
    """One line, unless a compiler's output follows it."""
