import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from assets.models.permissions import CURATORS, make_roles


def give_roles(apps, schema_editor):
    """Who could do something until now can do it still."""
    groups = apps.get_model("auth", "Group").objects
    make_roles(groups, apps.get_model("assets", "Grant").objects)
    app, model = settings.AUTH_USER_MODEL.split(".")
    users = apps.get_model(app, model).objects.filter(is_active=True, is_superuser=False)
    groups.get(name=CURATORS).user_set.add(*users)


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0023_sharing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="inherits",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Else what is granted above does not count here and below.",
            ),
        ),
        migrations.AddField(
            model_name="tombstone",
            name="collection",
            field=models.ForeignKey(
                help_text="Where it lived.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="assets.collection",
            ),
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "actions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("see", "see"),
                                ("download", "download copies"),
                                ("original", "download originals"),
                                ("describe", "describe and upload"),
                                ("manage", "manage"),
                                ("share", "share"),
                                ("restricted", "see restricted and embargoed pictures"),
                            ],
                            max_length=20,
                        ),
                        size=None,
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="assets.collection",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="auth.group"
                    ),
                ),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("collection"), models.F("group"), name="grant_unique", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunPython(give_roles, migrations.RunPython.noop),
    ]
