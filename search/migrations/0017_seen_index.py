from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

SEEN_BY = ["trashed", "access", "embargo_until", "rights_expire_at", "home_collection_id", "format"]


class Migration(migrations.Migration):
    """The rule of permission asks for homes and ends of rights as well, which row_counted did not have."""

    atomic = False
    dependencies = [("search", "0016_learning")]

    operations = [
        AddIndexConcurrently("searchrow", models.Index(fields=SEEN_BY, name="row_seen")),
        RemoveIndexConcurrently("searchrow", "row_counted"),
        AddIndexConcurrently(
            "popularity",
            models.Index(
                fields=["kind", "of_id", "home_id"], include=["pictures", "public"], name="popularity_numbers"
            ),
        ),
    ]
