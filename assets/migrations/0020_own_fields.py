from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0019_collections"),
    ]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="translations",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What columns say in the other languages: {column: {language: text}}",
            ),
        ),
        migrations.AddField(
            model_name="record",
            name="translations",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What columns say in the other languages: {column: {language: text}}",
            ),
        ),
        migrations.AlterField(
            model_name="fielddefinition",
            name="multilingual",
            field=models.BooleanField(
                default=False,
                help_text="It is said in each of the languages of the museum (CONTENT_LANGUAGES).",
            ),
        ),
        migrations.AlterField(
            model_name="fielddefinition",
            name="repeatable",
            field=models.BooleanField(default=False, help_text="It may have several values."),
        ),
        migrations.AlterField(
            model_name="fielddefinition",
            name="required",
            field=models.BooleanField(
                default=False,
                help_text="The page says that it is missing; everything else can be saved without it.",
            ),
        ),
        migrations.AlterField(
            model_name="fielddefinition",
            name="slug",
            field=models.SlugField(
                help_text="Its name in files and in the API; it stays as it is once something is said there.",
                unique=True,
            ),
        ),
    ]
