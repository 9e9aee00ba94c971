from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

TRIGGER = """
CREATE FUNCTION search_row_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER row_written BEFORE INSERT OR UPDATE ON search_searchrow
    FOR EACH ROW EXECUTE FUNCTION search_row_written();
"""
BACK = "DROP TRIGGER row_written ON search_searchrow; DROP FUNCTION search_row_written();"


class Migration(migrations.Migration):
    """Rows that are here already were written before anything that is remembered of them: by 0."""

    atomic = False
    dependencies = [("search", "0008_counted_index")]

    operations = [
        migrations.AddField(
            "searchrow",
            "written",
            models.BigIntegerField(
                db_default=0,
                editable=False,
                help_text="The transaction that wrote it last; kept by the database.",
            ),
        ),
        migrations.RunSQL(TRIGGER, BACK),
        AddIndexConcurrently("searchrow", models.Index(fields=["written"], name="row_written")),
    ]
