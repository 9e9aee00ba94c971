from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("search", "0014_popularity_by_home")]

    operations = [
        AddIndexConcurrently(
            "searchrow", GinIndex(OpClass("title_key", name="gin_trgm_ops"), name="row_title_trigrams")
        ),
        RemoveIndexConcurrently("searchrow", "row_title_words"),
    ]
