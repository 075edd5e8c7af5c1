"""What may stand in a log line: nothing that could begin another, move a terminal's cursor, or end a field."""

import logging
import traceback

_MARGIN = "  | "
"""Stands before each line of a traceback, so that none can pass for a line of the log."""


def escaped(text: str) -> str:
    """The text with what can't be seen written out: control characters, line ends of any alphabet, half characters."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def as_field(text: str) -> str:
    """The text in ASCII and without quotes, to stand between quotes."""
    return text.encode("unicode_escape").decode("ascii").replace('"', r"\x22")


def _tells_oddly(error: BaseException | None) -> bool:
    """Whether the text of an exception, or of one that led to it, would not stay in its line."""
    while error is not None:
        if not str(error).isprintable():
            return True
        error = error.__cause__ or error.__context__
    return False


class OneLineEach(logging.Filter):
    """Makes one line of each record, whoever wrote it and whatever a client put into it.

    A traceback in which a text would begin lines of its own gets a margin.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Escape what the record says; every record passes."""
        message = record.getMessage()
        if not message.isprintable():
            record.msg, record.args = escaped(message), ()
        if record.exc_info and _tells_oddly(record.exc_info[1]):
            lines = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n").split("\n")
            record.exc_text = "\n".join(_MARGIN + escaped(line) for line in lines)
            record.exc_info = None
        return True
