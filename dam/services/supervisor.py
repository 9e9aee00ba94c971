"""`manage.py up`: the whole system in the foreground, from the first line to a clean stop."""

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dam.services import ServiceError, addresses, folders, parts
from dam.services.family import Family
from dam.services.lock import Lock
from dam.services.postgres import Postgres
from dam.services.process import log_tail
from dam.services.report import Report
from dam.services.runner import Part, Runner, line
from dam.services.valkey import Valkey

Say = Callable[[str], None]


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass(frozen=True)
class Plan:
    """What to run. `environ` is the caller's environment: it decides which services are outside ones."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    fillers: int = 1  # processes that fill embedding spaces
    asks_for: str = "localhost"  # a host name that ALLOWED_HOSTS accepts
    imports: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    postgres_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def services(self) -> list[Postgres | Valkey]:
        """The embedded services, without those the environment names outside ones for."""
        chosen: list[Postgres | Valkey] = []
        if not self.environ.get("DATABASE_URL"):
            chosen.append(Postgres(self.data_dir, self.postgres_settings))
        if not self.environ.get("REDIS_URL"):
            chosen.append(Valkey(self.data_dir))
        return chosen


class Supervisor:
    def __init__(self, plan: Plan, say: Say) -> None:
        self.plan, self._say = plan, say
        self.asked = 0  # how often we were asked to stop

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP. Raises ServiceError when it cannot start."""
        plan = self.plan
        folders.make(plan.data_dir)
        with Lock(plan.data_dir / "run" / "lock", url=plan.url), self._signals():
            addresses.forget(plan.data_dir)
            family = Family(plan.data_dir)
            try:
                check_port(plan.host, plan.port)
                self._serve(Runner(family, self.say, self.pause))
            except Stopped:
                self.say("\nStopping …")
            finally:
                addresses.forget(plan.data_dir)
                family.end_all(hurry=lambda: self.asked > 1)
                family.close()
                folders.tidy(plan.data_dir)
        self.say("Stopped.")

    def say(self, text: str) -> None:
        try:
            self._say(text)
        except OSError:  # the terminal has gone; that is no reason to stop the library
            self._say = lambda text: None

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self.asked:
                raise Stopped
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(left, 0.1))

    def _serve(self, runner: Runner) -> None:
        plan = self.plan
        services = plan.services()
        runner.bring_up(services)
        found = {name: value for part in services for name, value in part.addresses.items()}
        addresses.write(plan.data_dir, found)
        env = {
            **plan.environ,
            **found,
            "DATA_DIR": str(plan.data_dir),
            "PORT": str(plan.port),
            "DJANGO_SETTINGS_MODULE": "dam.settings",
            "PYTHONUNBUFFERED": "1",
        }
        login = self._prepare(runner, env)
        env.pop("DATABASE_OWNER_URL", None)  # from now on nobody needs it
        web = parts.Web(plan.data_dir, env, plan.host, plan.port, plan.threads, plan.asks_for)
        application: list[Part] = [
            parts.worker(plan.data_dir, env),
            parts.importer(plan.data_dir, env),
            parts.filler(plan.data_dir, env, plan.fillers),
            parts.beat(plan.data_dir, env),
            web,
        ]
        runner.bring_up(application)
        self._greet(login)
        self._watch(runner, env)

    def _prepare(self, runner: Runner, env: Mapping[str, str]) -> dict[str, str | None]:
        """Run `manage.py prepare` and show its steps as it reports them; returns the login."""
        report = self.plan.data_dir / "run" / "prepare.jsonl"
        report.unlink(missing_ok=True)
        spec = parts.manage(self.plan.data_dir, env, "prepare", "prepare", "--report", str(report))
        member = runner.family.start(spec)
        shown = Report(self.say)
        while True:
            ended = not member.alive
            shown.read(report)
            if ended:
                break
            self.pause(0.05)
        runner.family.forget(member)
        report.unlink(missing_ok=True)  # the first password was in it
        if member.popen.returncode:
            tail = log_tail(spec.log, 25)
            raise ServiceError(f"Preparing the library failed; the end of {spec.log}:\n{tail}")
        return shown.login

    def _greet(self, login: Mapping[str, str | None]) -> None:
        self.say(f"\n  Open     {self.plan.url}")
        if name := login.get("username"):
            self.say(f"  Login    {name} / {login.get('password') or '(the password you have set)'}")
        self.say("  Stop     Ctrl-C\n")

    def _watch(self, runner: Runner, env: Mapping[str, str]) -> None:
        """Import what was asked for, and keep every part alive until somebody asks us to stop."""
        importer = None
        if self.plan.imports:
            arguments = ("ingest", *self.plan.imports, "--wait")
            spec = parts.manage(self.plan.data_dir, env, "import", *arguments, log=False)
            importer = runner.family.start(spec)
        while True:
            runner.check()
            if importer and not importer.alive:
                runner.family.forget(importer)
                ending = "finished" if importer.popen.returncode == 0 else importer.ending
                self.say(line("Import", ending))
                importer = None
            self.pause(0.3)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def asked(number: int, frame: FrameType | None) -> None:
            self.asked += 1

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, asked) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def check_port(host: str, port: int) -> None:
    """Raise ServiceError, with the way out, when the web server could not listen there."""
    if not 0 < port < 65536:
        raise ServiceError(f"PORT={port} is no port: choose one from 1024 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise ServiceError(f"HOST={host} is no address of this machine.") from None
        busy = error.errno == errno.EADDRINUSE
        reason = "is in use by another program" if busy else f"cannot be used: {error.strerror}"
        better = port + 1 if 1024 <= port < 65535 else 8000
        raise ServiceError(f"Port {port} {reason}. Choose another one: make run PORT={better}") from None
