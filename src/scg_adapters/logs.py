"""Log lines as JSON, one a line: for machines to read, without bodies, tokens or full numbers."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final

_MOST_WAITING: Final = 10_000


class JsonLines(logging.Formatter):
    """A record as one JSON object; ``extra={"facts": {...}}`` adds named values."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class RequestLog:
    """The facts of each request as JSON lines on standard error, written ten times a second.

    At thousands of requests a second a log record for each would cost as much as the request; the
    price is that a killed process loses the lines of its last tenth of a second, and that the
    oldest are dropped where nobody takes ten thousand of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[dict[str, object]] = deque(maxlen=_MOST_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="scg-log", daemon=True)
        self._thread.start()

    def note(self, facts: dict[str, object]) -> None:
        """Write these facts soon."""
        facts["at"] = time.time()
        self._waiting.append(facts)

    def close(self) -> None:
        """Write what is left."""
        self._stopping.set()
        self._thread.join(5)
        self._flush()

    def _write_on(self) -> None:
        while not self._stopping.wait(0.1):
            self._flush()

    def _flush(self) -> None:
        lines = []
        while self._waiting:
            lines.append(_line(self._waiting.popleft()))
        with contextlib.suppress(OSError, ValueError):  # whoever read the log is gone
            if lines:
                sys.stderr.write("".join(lines))
                sys.stderr.flush()


def _line(facts: dict[str, object]) -> str:
    at = datetime.fromtimestamp(float(str(facts.pop("at"))), UTC).isoformat(timespec="milliseconds")
    return json.dumps({"at": at, "level": "info", "message": "request", **facts}) + "\n"


def to_stderr(level: str = "info") -> None:
    """Let every logger of the process write JSON lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "httpx", "httpcore"):  # they would log URLs and headers
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
