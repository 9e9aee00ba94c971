"""One supervisor per data folder."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from dam.services import ServiceError


class AlreadyRunning(ServiceError):
    def __init__(self, holder: dict[str, Any]) -> None:
        where = f" at {holder['url']}" if holder.get("url") else ""
        super().__init__(f"This library is already running (pid {holder.get('pid', 'unknown')}){where}.")


class Lock:
    """An exclusive lock on a file that tells who holds it. The system drops it when the holder dies."""

    def __init__(self, path: Path, **about: object) -> None:
        self.path, self.about = path, {"pid": os.getpid(), **about}
        self.descriptor = -1

    def __enter__(self) -> "Lock":
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.descriptor)
            raise AlreadyRunning(self._holder()) from None
        self._write(json.dumps(self.about))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("")
        os.close(self.descriptor)

    def _write(self, text: str) -> None:
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def _holder(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.path.read_text()))
        except (OSError, ValueError):
            return {}
