"""Whether a role of the database could change the audit log, asked of the database itself."""

from django.db import connection
from django.utils.translation import gettext_lazy

LOOPHOLES = """
select r.rolsuper,
    pg_has_role(r.oid, c.relowner, 'member'),
    has_table_privilege(r.oid, c.oid, 'update, delete, truncate, trigger'),
    r.rolcreaterole
from pg_roles r, pg_class c where r.rolname = {role} and c.oid = 'audit_entry'::regclass
"""
WORDS = (
    gettext_lazy("it is a superuser"),
    gettext_lazy("it owns the tables of the log, or is a member of who does"),
    gettext_lazy("it has more rights on them than to read and to add"),
    gettext_lazy("it may give itself other roles"),
)


def loopholes(role: str = "") -> list[str]:
    """Why this role (that of the connection) could change what is written; empty where it cannot."""
    with connection.cursor() as cursor:
        cursor.execute(LOOPHOLES.format(role="%s" if role else "current_user"), [role] if role else [])
        row = cursor.fetchone()
    return [str(words) for words, is_so in zip(WORDS, row or (), strict=False) if is_so]
