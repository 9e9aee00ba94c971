"""What `manage.py prepare` tells the supervisor while it works."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dam.services import ServiceError
from dam.services.runner import line

LONG = 3.0  # seconds after which a step is announced before it is done


@dataclass
class Report:
    """Shows what `manage.py prepare` writes down about its steps; keeps the login it names."""

    say: Callable[[str], None]
    login: dict[str, str | None] = field(default_factory=dict)
    seen: int = 0
    running: str = ""
    since: float = 0.0

    def read(self, file: Path) -> None:
        """Raises ServiceError when a step reports one."""
        text = file.read_text() if file.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()  # whole ones
        for entry in lines[self.seen :]:
            step = json.loads(entry)
            if error := step.get("error"):
                raise ServiceError(error)
            for text in step.get("trouble", "").splitlines():
                self.say(f"  ! {text}")
            self.login = step.get("login", self.login)
            self.running, self.since = step.get("begins", ""), time.monotonic()
            if title := step.get("title"):
                state = "ready " if step.get("ready", True) else "absent"
                self.say(line(title, f"{state} {step['seconds']:5.1f} s"))
        self.seen = len(lines)
        if self.running and time.monotonic() - self.since > LONG:
            self.say(line(self.running, "…      at work, this is done once"))
            self.running = ""
