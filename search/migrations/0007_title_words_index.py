from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

TITLE_WORDS = r"(' ' || regexp_replace(%(expressions)s, '[\W_]+', ' ', 'g'))"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("search", "0006_words")]

    operations = [
        AddIndexConcurrently(
            "searchrow",
            GinIndex(
                OpClass(models.Func(models.F("title_key"), template=TITLE_WORDS), name="gin_trgm_ops"),
                name="row_title_words",
            ),
        ),
    ]
