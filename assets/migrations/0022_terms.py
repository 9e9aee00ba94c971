import unicodedata
import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# As label_words, of which it is made: for a column that the database makes of the other labels of a term.
LABELS_WORDS = r"""
CREATE FUNCTION labels_words(labels varchar[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT coalesce(string_agg(label_words(label), E'\n'), '') FROM unnest(labels) AS label);
"""


def label_key(text):
    """As assets.text.label_key has it at this migration."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("\x00", " ").split())[:200]


def note_other_labels(apps, schema_editor):
    terms = apps.get_model("assets", "Term").objects.exclude(labels={})
    for term in terms.iterator():
        said = [label for labels in term.labels.values() if isinstance(labels, list) for label in labels]
        keys = dict.fromkeys(label_key(label) for label in said if isinstance(label, str))
        term.other_keys = [key for key in keys if key and key != term.key]
        term.save(update_fields=["other_keys"])


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0021_bulk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(LABELS_WORDS, "DROP FUNCTION labels_words(varchar[])"),
        migrations.CreateModel(
            name="TagAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[("accepted", "accepted"), ("refused", "refused")], max_length=10
                    ),
                ),
                ("score", models.FloatField(help_text="How likely it was thought to be, 0 to 1.")),
                (
                    "space",
                    models.CharField(help_text="The embedding space that it was found in.", max_length=100),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        help_text="That added it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="assets.operation",
                    ),
                ),
                ("answered_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="TermRedirect",
            fields=[
                ("uid", models.UUIDField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="TermWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("edit", "edit"),
                            ("merge", "merge"),
                            ("import", "import"),
                            ("undo", "undo"),
                        ],
                        max_length=10,
                    ),
                ),
                ("label", models.CharField(help_text="What is done, in words.", max_length=300)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("working", "under way"),
                            ("planned", "ready to begin"),
                            ("done", "done"),
                            ("failed", "stopped"),
                        ],
                        default="working",
                        max_length=10,
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("reading", "reading the file"),
                            ("fields", "changing fields"),
                            ("uses", "changing pictures"),
                            ("writing", "changing the vocabulary"),
                            ("linking", "putting terms below others"),
                            ("undoing", "taking back"),
                            ("refreshing", "letting the search know"),
                        ],
                        default="refreshing",
                        max_length=10,
                    ),
                ),
                ("plan", models.JSONField(default=dict, help_text="What is to be done, by kind.")),
                (
                    "operations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="In the order they were done.",
                        size=None,
                    ),
                ),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Whose pictures are written anew.",
                        size=None,
                    ),
                ),
                ("position", models.BigIntegerField(default=0, help_text="How far this phase has come.")),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("report", models.JSONField(default=dict, help_text="Of an import: numbers and problems.")),
                ("problem", models.TextField(blank=True, help_text="Why it stopped, for people.")),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="term",
            name="note",
            field=models.TextField(
                blank=True, db_default="", help_text="What it means, and when it is to be used."
            ),
        ),
        migrations.AddField(
            model_name="term",
            name="other_keys",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200),
                db_default=models.Value(
                    [],
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), size=None
                    ),
                ),
                default=list,
                editable=False,
                help_text="All other labels, as they are compared.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="object_kind",
            field=models.CharField(
                choices=[
                    ("asset", "Asset"),
                    ("record", "Record"),
                    ("collection", "Collection"),
                    ("table", "light table"),
                    ("term", "Term"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="term",
            index=django.contrib.postgres.indexes.GinIndex(fields=["other_keys"], name="term_other_keys"),
        ),
        migrations.AddIndex(
            model_name="term",
            index=models.Index(
                models.F("vocabulary"),
                models.F("uri"),
                condition=models.Q(("uri", ""), _negated=True),
                name="term_uri",
            ),
        ),
        migrations.AddField(
            model_name="taganswer",
            name="asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="tag_answers", to="assets.asset"
            ),
        ),
        migrations.AddField(
            model_name="taganswer",
            name="term",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="assets.term"
            ),
        ),
        migrations.AddField(
            model_name="taganswer",
            name="user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="termredirect",
            name="term",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="redirects", to="assets.term"
            ),
        ),
        migrations.AddField(
            model_name="termwork",
            name="undoes",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="assets.termwork",
            ),
        ),
        migrations.AddField(
            model_name="termwork",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="termwork",
            name="vocabulary",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="work", to="assets.vocabulary"
            ),
        ),
        migrations.AddField(
            model_name="term",
            name="other_words",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(models.F("other_keys"), function="labels_words"),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddConstraint(
            model_name="taganswer",
            constraint=models.UniqueConstraint(models.F("asset"), models.F("term"), name="tag_answer_unique"),
        ),
        migrations.AddIndex(
            model_name="termwork",
            index=models.Index(
                models.F("id"), condition=models.Q(("state", "working")), name="term_work_open"
            ),
        ),
        migrations.AddIndex(
            model_name="termwork",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["operations"], name="term_work_operations"
            ),
        ),
        migrations.AddIndex(
            model_name="term",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("other_words", name="gin_trgm_ops"),
                name="term_other_words",
            ),
        ),
        migrations.RunPython(note_other_labels, migrations.RunPython.noop),
    ]
