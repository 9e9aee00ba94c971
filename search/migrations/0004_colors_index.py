from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("search", "0003_facts")]

    operations = [
        AddIndexConcurrently(
            model_name="searchrow",
            index=GinIndex(fields=["colors"], name="row_colors"),
        ),
    ]
