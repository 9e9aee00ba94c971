from django.db import migrations, models


class Migration(migrations.Migration):
    """The table is made anew, empty: it is counted again a few minutes later."""

    dependencies = [("search", "0013_vectors_of_a_kind")]

    operations = [
        migrations.DeleteModel(name="Popularity"),
        migrations.CreateModel(
            name="Popularity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind",
                        "of_id",
                        "home_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=10)),
                ("of_id", models.BigIntegerField()),
                (
                    "home_id",
                    models.BigIntegerField(
                        help_text="Of the collection where they live; 0: wherever they do."
                    ),
                ),
                ("pictures", models.PositiveIntegerField()),
                (
                    "public",
                    models.PositiveIntegerField(
                        help_text="Those of them that all who are signed in may see."
                    ),
                ),
            ],
        ),
    ]
