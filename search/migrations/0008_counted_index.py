from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("search", "0007_title_words_index")]

    operations = [
        AddIndexConcurrently(
            model_name="searchrow",
            index=models.Index(fields=["trashed", "access", "embargo_until", "format"], name="row_counted"),
        ),
    ]
