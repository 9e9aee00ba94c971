"""Where the embedded parts can be reached: DATA_DIR/run/services.json, written by the supervisor.

Standard library only, no Django: settings.py imports this.
"""

import json
import secrets
from pathlib import Path


def file(data_dir: Path) -> Path:
    return data_dir / "run" / "services.json"


def read(data_dir: Path) -> dict[str, str]:
    """The addresses of the running embedded parts (DATABASE_URL, REDIS_URL …); empty when none run."""
    try:
        values = json.loads(file(data_dir).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in values.items()}


def write(data_dir: Path, values: dict[str, str]) -> None:
    """Publish the addresses to every later `manage.py` command; readers never see half a file."""
    replace(file(data_dir), json.dumps(values, indent=1))


def forget(data_dir: Path) -> None:
    file(data_dir).unlink(missing_ok=True)


def replace(path: Path, text: str) -> None:
    """Write a private file (0600) in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    new.touch(0o600, exist_ok=False)
    new.write_text(text)
    new.replace(path)


def secret(path: Path) -> str:
    """A random secret, made on first use and kept in `path` (0600). Safe when several processes ask at once:
    the file appears complete or not at all, and the first one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        new.touch(0o600, exist_ok=False)
        try:
            new.write_text(secrets.token_urlsafe(50))
            path.hardlink_to(new)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text().strip()


def secret_key(data_dir: Path) -> str:
    """The installation's own secret, for sessions and signatures."""
    return secret(data_dir / "secret_key")
