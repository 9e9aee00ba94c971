"""The audit log, its chain, and triggers that refuse every change to either.

The hash of a link is sha256(hash of the link before || entry as the text of a JSON array), in UTF-8; audit.verifying
works it out again. The trigger is deferred: the lock is held from the end of a transaction to its commit only.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from audit.events import Event

TABLES = """
CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamp with time zone NOT NULL,
    event varchar(30) NOT NULL,
    user_id bigint,
    user_name varchar(150) NOT NULL,
    address varchar(45) NOT NULL,
    kind varchar(50) NOT NULL,
    uid varchar(40) NOT NULL,
    label varchar(300) NOT NULL,
    details jsonb NOT NULL
);
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_event ON audit_entry (event, id);
CREATE INDEX audit_entry_user ON audit_entry (upper(user_name), id);
CREATE INDEX audit_entry_uid ON audit_entry (uid, id);
CREATE TABLE audit_link (
    number bigint PRIMARY KEY,
    entry_id bigint NOT NULL UNIQUE REFERENCES audit_entry,
    previous varchar(64) NOT NULL,
    hash varchar(64) NOT NULL UNIQUE
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only ever added to.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_link_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before_number bigint := 0;
    before_hash text := repeat('0', 64);
    said text;
BEGIN
    PERFORM pg_advisory_xact_lock(1635087465);
    SELECT number, hash INTO before_number, before_hash FROM public.audit_link ORDER BY number DESC LIMIT 1;
    before_number := coalesce(before_number, 0);
    before_hash := coalesce(before_hash, repeat('0', 64));
    said := jsonb_build_array(
        NEW.id, to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), NEW.event, NEW.user_id,
        NEW.user_name, NEW.address, NEW.kind, NEW.uid, NEW.label, NEW.details
    )::text;
    INSERT INTO public.audit_link (number, entry_id, previous, hash) VALUES (
        before_number + 1, NEW.id, before_hash,
        encode(sha256(convert_to(before_hash || said, 'UTF8')), 'hex')
    );
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_entry_chained AFTER INSERT ON audit_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chain();

REVOKE ALL ON audit_entry, audit_link FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_chain(), audit_refuse() FROM PUBLIC;
"""
GONE = """
DROP TABLE audit_link;
DROP TABLE audit_entry;
DROP FUNCTION audit_chain();
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(TABLES, GONE),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                ("event", models.CharField(choices=Event.choices, max_length=30, verbose_name="what")),
                ("user_id", models.BigIntegerField(null=True)),
                ("user_name", models.CharField(blank=True, max_length=150, verbose_name="who")),
                ("address", models.CharField(blank=True, max_length=45, verbose_name="from where")),
                ("kind", models.CharField(blank=True, max_length=50)),
                ("uid", models.CharField(blank=True, max_length=40)),
                ("label", models.CharField(blank=True, max_length=300, verbose_name="about")),
                ("details", models.JSONField(default=dict, verbose_name="details")),
            ],
            options={
                "managed": False,
                "ordering": ["-pk"],
                "verbose_name": "entry of the audit log",
                "verbose_name_plural": "audit log",
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="link",
                        to="audit.entry",
                    ),
                ),
                ("previous", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64, unique=True)),
            ],
            options={"managed": False},
        ),
    ]
