from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """For the map, and for `area:`."""

    atomic = False
    dependencies = [("assets", "0027_tag_heads")]

    operations = [
        AddIndexConcurrently(
            "asset",
            models.Index(
                fields=["latitude", "longitude"],
                name="asset_places",
                condition=models.Q(("latitude__isnull", False)),
            ),
        ),
    ]
