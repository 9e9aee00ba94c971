"""The four vocabularies that the application itself refers to."""

from django.db import migrations

VOCABULARIES = {"tags": "Tags", "creators": "Creators", "places": "Places", "subjects": "Subjects"}


def add(apps, schema_editor):
    vocabulary = apps.get_model("assets", "Vocabulary")
    for slug, name in VOCABULARIES.items():
        vocabulary.objects.get_or_create(slug=slug, defaults={"name": name})


def remove(apps, schema_editor):
    apps.get_model("assets", "Vocabulary").objects.filter(slug__in=VOCABULARIES, terms=None).delete()


class Migration(migrations.Migration):
    dependencies = [("assets", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
