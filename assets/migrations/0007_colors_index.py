from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("assets", "0006_colors")]

    operations = [
        AddIndexConcurrently(
            model_name="assetversion",
            index=models.Index(
                models.F("id"), condition=models.Q(("colors", None)), name="version_without_colors"
            ),
        ),
    ]
