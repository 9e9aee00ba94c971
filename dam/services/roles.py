"""Two roles of the database: the owner, who makes the tables, and the one that the library works as.

The latter owns every table but those of the audit log: it reads them and adds to them, and no more.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

GUARDED = ("audit_entry", "audit_link")
OTHERS = """
select c.relkind, c.relname from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
    and c.relowner <> %s::regrole and c.relname <> all(%s)
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'a', 'i')
        and d.classid = 'pg_class'::regclass and (d.deptype = 'e' or c.relkind = 'S'))
order by c.relkind = 'S', c.oid
"""
KINDS = {"v": "view", "m": "materialized view", "S": "sequence"}


def settle(connection: "BaseDatabaseWrapper", web: Mapping[str, Any]) -> bool:
    """Make the role of `web` (an entry of DATABASES) where it is missing, and give it what it may have.

    `connection` is the owner's. False where both are one: then nothing guards the audit log.
    """
    name = str(web["USER"])
    if name == connection.settings_dict["USER"]:
        return False
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [name])
        if not cursor.fetchone():
            _make(connection, cursor, name, str(web["PASSWORD"]))
        cursor.execute("select rolsuper from pg_roles where rolname = current_user")
        if not cursor.fetchone()[0]:  # to hand over a table, one must be a member of who gets it
            _run(cursor, "grant {} to current_user", name)
        _run(cursor, "grant connect, temporary on database {} to {}", connection.settings_dict["NAME"], name)
        _run(cursor, "grant usage, create on schema public to {}", name)
        cursor.execute(OTHERS, [sql.Identifier(name).as_string(), list(GUARDED)])
        for kind, relation in cursor.fetchall():
            _run(cursor, f"alter {KINDS.get(kind, 'table')} public.{{}} owner to {{}}", relation, name)
        cursor.execute("select to_regclass('public.audit_link') is not null")
        if cursor.fetchone()[0]:  # not so just after a restore of an older library
            _run(cursor, "revoke all on public.audit_entry, public.audit_link from {}", name)
            _run(cursor, "grant select, insert on public.audit_entry to {}", name)
            _run(cursor, "grant select on public.audit_link to {}", name)
            _run(cursor, "grant select on sequence public.audit_entry_id_seq to {}", name)  # for a backup
    return True


def _make(connection: "BaseDatabaseWrapper", cursor: Any, name: str, password: str) -> None:
    """The password is hashed here, so that no log of statements can have it."""
    client: Any = connection.connection
    hashed = client.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("create role {} login nosuperuser nocreatedb nocreaterole password {}")
    cursor.execute(statement.format(sql.Identifier(name), sql.Literal(hashed)).as_string(client))


def _run(cursor: Any, statement: str, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)).as_string())
