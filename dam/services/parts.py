"""The parts that are this application itself: worker, beat and web."""

import http.client
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dam.services.process import Spec, Stops

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Web:
    """granian with one process and `threads` threads."""

    data_dir: Path
    env: Mapping[str, str]
    host: str
    port: int
    threads: int
    asks_for: str  # a host name that ALLOWED_HOSTS accepts
    name: str = "web"
    title: str = "Web server"
    note: str = ""

    def spec(self) -> Spec:
        options = {
            "interface": "wsgi",
            "host": self.host,
            "port": str(self.port),
            "workers": "1",
            "blocking-threads": str(self.threads),
            "workers-kill-timeout": "4",
        }
        return Spec(
            name=self.name,
            command=[sys.executable, "-m", "granian", "--no-access-log", "--no-ws"]
            + [word for name, value in options.items() for word in (f"--{name}", value)]
            + ["dam.wsgi:application"],
            log=self.data_dir / "logs" / "web.log",
            env={**self.env, "DATABASE_POOL": str(self.threads + 2)},
            cwd=ROOT,
            stops=((signal.SIGTERM, 6.0),),
        )

    def ready(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": self.asks_for})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True)
class CeleryPart:
    """The worker or the beat; each touches READY_FILE once it is ready (dam/celery.py)."""

    name: str
    title: str
    data_dir: Path
    env: Mapping[str, str]
    options: tuple[str, ...]
    stops: Stops
    note: str = ""

    @property
    def ready_file(self) -> Path:
        return self.data_dir / "run" / f"{self.name}.ready"

    def spec(self) -> Spec:
        self.ready_file.unlink(missing_ok=True)
        return Spec(
            name=self.name,
            command=[sys.executable, "-m", "celery", "-A", "dam", self.name, *self.options],
            log=self.data_dir / "logs" / f"{self.name}.log",
            env={**self.env, "READY_FILE": str(self.ready_file)},
            cwd=ROOT,
            stops=self.stops,
        )

    def ready(self) -> bool:
        return self.ready_file.exists()


def worker(data_dir: Path, env: Mapping[str, str]) -> CeleryPart:
    """Ten seconds to finish what it has begun; what it could not finish is done again later."""
    options = ("--without-gossip", "--without-mingle")
    stops = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 3.0))
    return CeleryPart("worker", "Worker", data_dir, env, options, stops)


def beat(data_dir: Path, env: Mapping[str, str]) -> CeleryPart:
    return CeleryPart("beat", "Beat", data_dir, env, ("--pidfile=",), ((signal.SIGTERM, 3.0),))


def manage(data_dir: Path, env: Mapping[str, str], name: str, *arguments: str, log: bool = True) -> Spec:
    """A `manage.py` command as a process of the family."""
    return Spec(
        name=name,
        command=[sys.executable, str(ROOT / "manage.py"), *arguments],
        log=data_dir / "logs" / f"{name}.log" if log else None,
        env=env,
        cwd=ROOT if log else None,
        stops=((signal.SIGTERM, 10.0),),
    )
