from typing import Any

from django.db import migrations

ORDER = (
    *("asset", "home_collection_id", "embargo_until", "rights_expire_at", "added_at", "bytes", "written"),
    *("year_earliest", "year_latest", "width", "height", "trashed", "access", "format", "rights_words"),
    *("facet_codes", "collection_ids", "term_ids", "accession_keys", "title_key", "title_sort"),
    *("accession_sort", "has", "colors", "words"),
)
BEFORE = """
ALTER TABLE search_searchrow RENAME TO search_searchrow_before;
ALTER INDEX search_searchrow_pkey RENAME TO search_searchrow_before_pkey;
ALTER TABLE search_searchrow_before DROP CONSTRAINT IF EXISTS search_searchrow_width_check;
ALTER TABLE search_searchrow_before DROP CONSTRAINT IF EXISTS search_searchrow_height_check;
"""
TRIGGERS = """
CREATE TRIGGER row_written BEFORE INSERT OR UPDATE ON search_searchrow
    FOR EACH ROW EXECUTE FUNCTION search_row_written();
CREATE TRIGGER rows_gone AFTER DELETE ON search_searchrow
    FOR EACH STATEMENT EXECUTE FUNCTION search_rows_gone();
"""


def in_order(apps: Any, schema_editor: Any) -> None:
    """The same table with its columns in another order, which no statement of PostgreSQL can change."""
    row = apps.get_model("search", "SearchRow")
    row._meta.local_fields.sort(key=lambda field: ORDER.index(field.name))
    row._meta._expire_cache()
    columns = ", ".join(field.column for field in row._meta.local_fields if not field.generated)
    copied = f"INSERT INTO search_searchrow ({columns}) SELECT {columns} FROM search_searchrow_before"  # noqa: S608
    schema_editor.execute(BEFORE)
    schema_editor.create_model(row)  # with indexes and the foreign key at the end, of all rows at once
    schema_editor.execute(f"{copied} ORDER BY asset_id")
    schema_editor.execute("DROP TABLE search_searchrow_before")
    schema_editor.execute(TRIGGERS)
    schema_editor.execute("ANALYZE search_searchrow")


class Migration(migrations.Migration):
    """What facets and permission ask for stands before the columns of changing length: to come to what stands
    behind them takes a fifth of the time of counting. 200,000 rows take half a minute, once."""

    dependencies = [("search", "0019_learned_tags")]

    operations = [migrations.RunPython(in_order, migrations.RunPython.noop)]
