from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("assets", "0013_storage_care")]

    operations = [
        migrations.AddField(
            "stagerun",
            "worker",
            models.CharField(blank=True, default="", help_text="Who claimed it last.", max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            "stagerun",
            "began_at",
            models.DateTimeField(blank=True, help_text="When it was claimed last.", null=True),
        ),
        AddIndexConcurrently(
            "stagerun",
            models.Index(
                "stage",
                "changed_at",
                condition=models.Q(("state__in", ["done", "failed"]), ("variant", 0)),
                name="stage_run_finished",
            ),
        ),
    ]
