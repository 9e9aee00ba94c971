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
    """A worker or the beat; each touches READY_FILE once it is ready (dam/celery.py)."""

    name: str
    title: str
    data_dir: Path
    env: Mapping[str, str]
    options: tuple[str, ...]
    stops: Stops
    program: str = "worker"
    nice: int = 0  # how much lower its priority is
    note: str = ""

    @property
    def ready_file(self) -> Path:
        return self.data_dir / "run" / f"{self.name}.ready"

    def spec(self) -> Spec:
        self.ready_file.unlink(missing_ok=True)
        return Spec(
            name=self.name,
            command=[*(["nice", "-n", str(self.nice)] if self.nice else []), sys.executable]
            + ["-m", "celery", "-A", "dam", self.program, *self.options],
            log=self.data_dir / "logs" / f"{self.name}.log",
            env={**self.env, "READY_FILE": str(self.ready_file)},
            cwd=ROOT,
            stops=self.stops,
        )

    def ready(self) -> bool:
        return self.ready_file.exists()


QUIET = ("--without-gossip", "--without-mingle")
UNHURRIED: Stops = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 3.0))
"""Ten seconds to finish what it has begun; what it could not finish is done again later."""


def worker(data_dir: Path, env: Mapping[str, str]) -> CeleryPart:
    """One process for what people wait for. It takes nothing else, so that it is free when they come."""
    options = ("--queues=control,interactive", "--concurrency=1", "--hostname=worker@%h", *QUIET)
    return CeleryPart("worker", "Worker", data_dir, env, options, UNHURRIED)


def importer(data_dir: Path, env: Mapping[str, str]) -> CeleryPart:
    """WORKER_CONCURRENCY processes for imports. They give way to people, and help with their uploads."""
    queues = "--queues=control,interactive,files,vectorise,bulk"
    options = (queues, "--hostname=importer@%h", *QUIET)
    return CeleryPart("importer", "Importer", data_dir, env, options, UNHURRIED, nice=5)


def filler(data_dir: Path, env: Mapping[str, str], processes: int) -> CeleryPart:
    """A worker that fills embedding spaces: it gives way to everything else on this machine."""
    options = ("--queues=fill", f"--concurrency={processes}", "--hostname=filler@%h", *QUIET)
    return CeleryPart("filler", "Filler", data_dir, env, options, UNHURRIED, nice=19)


def beat(data_dir: Path, env: Mapping[str, str]) -> CeleryPart:
    stops = ((signal.SIGTERM, 3.0),)
    return CeleryPart("beat", "Beat", data_dir, env, ("--pidfile=",), stops, program="beat")


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
