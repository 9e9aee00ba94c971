from django.db import migrations

TABLE = """
CREATE TABLE search_rowsgone (written bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX search_rowsgone_written ON search_rowsgone (written);
CREATE FUNCTION search_rows_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_rowsgone (written) VALUES (pg_current_xact_id()::text::bigint);
    RETURN NULL;
END $$;
CREATE TRIGGER rows_gone AFTER DELETE ON search_searchrow
    FOR EACH STATEMENT EXECUTE FUNCTION search_rows_gone();
"""
BACK = "DROP TRIGGER rows_gone ON search_searchrow; DROP FUNCTION search_rows_gone(); DROP TABLE search_rowsgone;"


class Migration(migrations.Migration):
    """A mark of each transaction that deletes search rows: what search.frequent has counted is void then."""

    dependencies = [("search", "0011_search_log")]

    operations = [migrations.RunSQL(TABLE, BACK)]
