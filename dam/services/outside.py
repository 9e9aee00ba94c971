"""Whether the database and the Redis we were given, embedded or not, can carry the system."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import redis
from psycopg import OperationalError

from dam.services import ServiceError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

OLDEST_POSTGRES = 16
OLDEST_PGVECTOR = (0, 8)


def check_database(connection: "BaseDatabaseWrapper") -> None:
    """PostgreSQL 16 with pgvector 0.8 on offer, or ServiceError."""
    from django.db import OperationalError as NotReached

    settings = connection.settings_dict
    where = f"the database at {settings.get('HOST') or 'this machine'}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("select current_setting('server_version_num')::int / 10000")
            major = cursor.fetchone()[0]
            cursor.execute("select default_version from pg_available_extensions where name = 'vector'")
            row = cursor.fetchone()
    except (NotReached, OperationalError) as error:
        raise ServiceError(f"Cannot reach {where} (DATABASE_URL): {str(error).strip()}") from None
    judge_database(where, major, row[0] if row else None)


def judge_database(where: str, major: int, pgvector: str | None) -> None:
    if major < OLDEST_POSTGRES:
        raise ServiceError(f"At least PostgreSQL {OLDEST_POSTGRES} is needed; {where} is version {major}.")
    wanted = ".".join(map(str, OLDEST_PGVECTOR))
    if pgvector is None:
        raise ServiceError(f"The extension pgvector {wanted} or newer is not installed on {where}.")
    if tuple(int(part) for part in pgvector.split(".")[:2]) < OLDEST_PGVECTOR:
        raise ServiceError(f"At least pgvector {wanted} is needed; {where} offers {pgvector}.")


def check_redis(url: str) -> None:
    """It answers, or ServiceError. The message leaves the password out."""
    try:
        with redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        where = urlsplit(url).hostname or urlsplit(url).path
        raise ServiceError(f"Cannot reach the Redis at {where} (REDIS_URL): {error}") from None
