"""The account the database server runs under. PostgreSQL refuses root, so root lends it another one.

That account must be able to reach the server's programs and its data. Where a folder above them is closed
(a clone in /root), they are kept in /var/lib/picture-memory instead: no folder of the machine is opened up.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dam.services import ServiceError, addresses, folders


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def can(self, test: str, path: Path) -> bool:
        """Ask the system itself, as that account: modes, lists and mounts all count. `test` as in test(1)."""
        done = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", f'test {test} "$0"', str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return done.returncode == 0


def choose(pgdata: Path) -> Account | None:
    """None: ourselves. For root: the owner of data that is there already, else PG_RUN_AS, else nobody."""
    if os.geteuid() != 0:
        return None
    owner = pgdata.stat().st_uid if pgdata.exists() else 0
    name = os.environ.get("PG_RUN_AS", "nobody")
    try:
        found = pwd.getpwuid(owner) if owner else pwd.getpwnam(name)
    except KeyError:
        missing = owner or name
        raise ServiceError(f"There is no account {missing!r} to run PostgreSQL as; set PG_RUN_AS.") from None
    if found.pw_uid == 0:
        raise ServiceError("PostgreSQL refuses to run as root; set PG_RUN_AS to another account.")
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def shelter() -> Path:
    """Where things are kept that the account could not reach in their usual place."""
    folder = Path(os.environ.get("PG_STATE_DIR", "/var/lib/picture-memory"))
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"{folder} cannot be made ({error.strerror}); set PG_STATE_DIR.") from None
    return folder


def home(data_dir: Path) -> tuple[Path, Account | None]:
    """The folder that holds `pgdata`, and the account for it. A move to the shelter is remembered."""
    usual = data_dir / "postgres"
    usual.mkdir(parents=True, exist_ok=True)
    note = usual / "moved-to"
    if note.exists():
        moved = Path(note.read_text().strip())
        if not moved.is_dir():
            raise ServiceError(f"The database of this library was kept in {moved}, which is gone.")
        _claim(moved, data_dir)
        return moved, choose(moved / "pgdata")
    account = choose(usual / "pgdata")
    if account is None:
        return usual, None
    usual.chmod(0o711)
    if account.can("-x", usual):
        return usual, account
    if (usual / "pgdata").exists():
        raise ServiceError(f"The account {account.name} cannot reach {usual}: a folder above it is closed.")
    moved = shelter() / f"{folders.digest(data_dir)}-{secrets.token_hex(3)}"
    moved.mkdir(mode=0o711)
    _claim(moved, data_dir)
    addresses.replace(note, f"{moved}\n")
    return moved, account


def _claim(moved: Path, data_dir: Path) -> None:
    """A data folder may be renamed, but a copy of it must not open the database of the first."""
    owner = moved / "belongs-to"
    other = Path(owner.read_text().strip()) if owner.exists() else data_dir
    if other != data_dir and (other / "postgres" / "moved-to").exists():
        raise ServiceError(
            f"{data_dir} is a copy of {other}, and the database lies outside both, in {moved}. "
            "See 'Back up and restore' in docs/operations.md for a copy that stands on its own."
        )
    addresses.replace(owner, f"{data_dir}\n")


def programs(usual: Path, account: Account | None, version: str) -> Path:
    """The folder of PostgreSQL's programs, copied once to the shelter if the account cannot reach them."""
    if account is None or account.can("-x", usual / "postgres"):
        return usual
    copy = shelter() / f"postgresql-{version}"
    if not copy.exists():
        package = usual.parent.parent
        new = Path(tempfile.mkdtemp(dir=shelter()))
        shutil.copytree(package / "pginstall", new / "package" / "pginstall", symlinks=True)
        libraries = package.parent / f"{package.name}.libs"  # the programs look for it at this distance
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        for path in [new, *new.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            new.rename(copy)
        except OSError:  # another start was quicker
            shutil.rmtree(new)
    return copy / "package" / "pginstall" / "bin"
