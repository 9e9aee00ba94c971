import django.db.models.expressions
from django.db import migrations, models

EXTENSIONS = "CREATE EXTENSION IF NOT EXISTS unaccent; CREATE EXTENSION IF NOT EXISTS pg_trgm"

# Immutable, so that a column and its index can be made of it: the dictionary of accents does not change
# under a running database. The body is bound when it is made, whatever the search_path is later.
LABEL_WORDS = r"""
CREATE FUNCTION label_words(label text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ' ' || btrim(regexp_replace(lower(unaccent(label)), '[\W_]+', ' ', 'g'));
"""


def words_of(column: str) -> models.GeneratedField:
    return models.GeneratedField(
        db_persist=True,
        expression=django.db.models.expressions.Func(models.F(column), function="label_words"),
        output_field=models.TextField(),
    )


class Migration(migrations.Migration):
    dependencies = [("assets", "0008_metadata")]

    operations = [
        migrations.RunSQL(EXTENSIONS, migrations.RunSQL.noop),  # others use them as well
        migrations.RunSQL(LABEL_WORDS, "DROP FUNCTION label_words(text)"),
        migrations.AddField("term", "words", words_of("label")),
        migrations.AddField("collection", "words", words_of("name")),
    ]
