from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0005_facet_codes"), ("assets", "0010_label_words_index")]

    operations = [
        migrations.CreateModel(
            name="Word",
            fields=[
                ("word", models.TextField(primary_key=True, serialize=False)),
                ("seen", models.DateField(help_text="When a picture was last known to have it.")),
            ],
            options={"indexes": [GinIndex(OpClass("word", name="gin_trgm_ops"), name="word_trigrams")]},
        ),
        migrations.CreateModel(
            name="Popularity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind", "of_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=10)),
                ("of_id", models.BigIntegerField()),
                ("pictures", models.PositiveIntegerField()),
            ],
        ),
    ]
