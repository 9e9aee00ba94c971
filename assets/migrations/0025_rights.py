import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import assets.models.licences

USES = {
    "press": "press",
    "web": "web",
    "print": "print",
    "education": "education",
    "commercial": "commercial use",
}


def first_uses(apps, schema_editor):
    use = apps.get_model("assets", "Use")
    for position, (slug, name) in enumerate(USES.items()):
        use.objects.get_or_create(slug=slug, defaults={"name": name, "position": position})


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0024_permissions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Download",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(help_text="Of the picture at that time.", max_length=500)),
                (
                    "username",
                    models.CharField(help_text="It stays when the person is deleted.", max_length=150),
                ),
                (
                    "size",
                    models.CharField(
                        help_text="original, or the format and the pixels of the longer side.", max_length=40
                    ),
                ),
                ("marked", models.BooleanField(default=False, help_text="With a watermark.")),
                ("use", models.SlugField(blank=True, help_text="Of assets.Use; empty where none was named.")),
                (
                    "purpose",
                    models.CharField(blank=True, help_text="In the words of who took it.", max_length=500),
                ),
                (
                    "through",
                    models.CharField(
                        choices=[
                            ("page", "page of the picture"),
                            ("shown", "opened in the browser"),
                            ("zip", "zip of several"),
                        ],
                        default="page",
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="LicenceRules",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "largest",
                    models.PositiveIntegerField(
                        default=2048,
                        help_text="Pixels of the longer side, for people who may download copies but no originals.",
                        validators=[django.core.validators.MinValueValidator(256)],
                        verbose_name="largest copy",
                    ),
                ),
                (
                    "largest_protected",
                    models.PositiveIntegerField(
                        default=1600,
                        help_text="The same for pictures whose statement says that they are in copyright.",
                        validators=[django.core.validators.MinValueValidator(256)],
                        verbose_name="largest copy in copyright",
                    ),
                ),
                (
                    "watermark",
                    models.BooleanField(
                        default=True,
                        help_text="Write the credit line or the holder on copies of pictures in copyright, for these people.",
                    ),
                ),
                (
                    "asks_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        help_text="Statements with which a download has to say its purpose.",
                        size=None,
                        verbose_name="ask what for",
                    ),
                ),
                (
                    "warn_days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(
                            validators=[django.core.validators.MinValueValidator(1)]
                        ),
                        default=assets.models.licences.warning_days,
                        help_text="Days before rights end at which those who manage a picture are told, with commas between.",
                        size=None,
                        verbose_name="warn before",
                    ),
                ),
            ],
            options={
                "verbose_name": "rules of downloads",
                "verbose_name_plural": "rules of downloads",
            },
        ),
        migrations.CreateModel(
            name="RightsSeen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Use",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.SlugField(help_text="It stays as it is once a picture says it.", unique=True),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="As it is read behind “not for”: press, commercial use …", max_length=60
                    ),
                ),
                (
                    "asks",
                    models.BooleanField(
                        default=True,
                        help_text="Whoever downloads a picture that is not for this has to say what for.",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "use",
                "ordering": ["position", "name"],
            },
        ),
        migrations.AddField(
            model_name="asset",
            name="consent_ends_at",
            field=models.DateTimeField(
                editable=False,
                help_text="From then on not all consents hold; it derives from them.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="asset",
            name="consents",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Of the people in it: see assets.consents.",
            ),
        ),
        migrations.AddField(
            model_name="asset",
            name="not_for",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Uses that are not allowed, by their slugs: see assets.models.Use.",
            ),
        ),
        migrations.AddField(
            model_name="record",
            name="not_for",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Uses that are not allowed, by their slugs: see assets.models.Use.",
            ),
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(
                models.F("rights_expire_at"),
                models.F("consent_ends_at"),
                condition=models.Q(
                    ("rights_expire_at__isnull", False), ("consent_ends_at__isnull", False), _connector="OR"
                ),
                name="asset_ends",
            ),
        ),
        migrations.AddField(
            model_name="download",
            name="asset",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="downloads",
                to="assets.asset",
            ),
        ),
        migrations.AddField(
            model_name="download",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="rightsseen",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.RunPython(first_uses, migrations.RunPython.noop),
    ]
