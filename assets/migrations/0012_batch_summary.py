from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0011_formats"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="summary",
            field=models.CharField(
                blank=True,
                help_text="What became of it, where not every line has an item.",
                max_length=300,
            ),
        ),
    ]
