from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("assets", "0009_label_words")]

    operations = [
        AddIndexConcurrently("term", GinIndex(OpClass("words", name="gin_trgm_ops"), name="term_words")),
        AddIndexConcurrently(
            "collection", GinIndex(OpClass("words", name="gin_trgm_ops"), name="collection_words")
        ),
    ]
