"""The one exception that reaches the user."""


class ClusterError(Exception):
    """A failure with a text for the user: `verb object: cause`, and what to do next.

    next_step is printed on a line of its own; it may be empty where nothing helps.
    """

    def __init__(self, message, next_step=""):
        super().__init__(message)
        self.next_step = next_step

    def text(self):
        """The lines to print."""
        return f"{self}\n  next: {self.next_step}" if self.next_step else str(self)
