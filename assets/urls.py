from django.urls import include, path
from django.views.generic import RedirectView

from assets.views import (
    access,
    asset,
    bulk,
    bulk_download,
    bulk_table,
    collections,
    depictions,
    downloads,
    duplicates,
    editing,
    files,
    imports,
    imports_new,
    jobs,
    light_tables,
    media,
    permanent,
    purposes,
    record,
    rights,
    shared,
    shared_zip,
    shares,
    states,
    table_items,
    term_uses,
    term_work,
    terms,
    trash,
    tus,
    upload,
    versions,
    vocabulary,
)

app_name = "assets"

of_one_asset = [
    path("", asset.page, name="asset"),
    path("state/", asset.state, name="state"),
    path("retry/", jobs.retry_one, name="retry"),
    path("edit/", editing.edit, name="edit"),
    path("edit/<slug:name>/", editing.edit_field, name="edit_field"),
    path("tags/", editing.tags, name="tags"),
    path("trash/", trash.trash_one, name="trash"),
    path("restore/", trash.restore_one, name="restore"),
    path("delete/", trash.delete_one, name="delete"),
    path("alike/", duplicates.alike, name="alike"),
    path("tables/", table_items.put, name="put_on_table"),
    path("picture/", upload.add_picture, name="add_picture"),
    path("objects/", depictions.say, name="say_object"),
    path("consents/", rights.consents, name="consents"),
    path("original/", files.original, name="original"),
    path("download/", downloads.download, name="download"),
    path("metadata.xmp", downloads.sidecar, name="sidecar"),
    *(
        path(f"{format}/<int:longest>/", downloads.copy, {"format": format}, name="copy")
        for format in ("jpeg", "png", "tiff")
    ),
    path("versions/", versions.put, name="put_version"),
    path("versions/<int:number>/", versions.page, name="version"),
    path("versions/<int:number>/show/", versions.show_again, name="show_version"),
    path("history.csv", states.history_csv, name="history_csv"),
    path("history/<uuid:operation>/", states.state, name="state_then"),
    path("v<int:number>/<slug:name>/", files.rendition, name="rendition"),
]

of_one_collection = [
    path("", collections.page, name="collection"),
    path("edit/", collections.edit, name="collection_edit"),
    path("cover/", collections.cover, name="collection_cover"),
    path("delete/", collections.delete, name="collection_delete"),
    path("access/", access.of_collection, name="collection_access"),
    path("history/<uuid:operation>/", states.state, {"kind": "collection"}, name="collection_state_then"),
]

of_one_table = [
    path("", light_tables.page, name="light_table"),
    path("edit/", light_tables.edit, name="table_edit"),
    path("delete/", light_tables.delete, name="table_delete"),
    path("print/", light_tables.contact_sheet, name="table_print"),
    *(
        path(f"<uuid:asset_uid>/{what}/", getattr(table_items, what), name=f"table_{what}")
        for what in ("move", "change", "remove", "cover")
    ),
]

of_one_record = [
    path("", record.page, name="record"),
    path("edit/", editing.edit, {"kind": "record"}, name="edit_record"),
    path("edit/<slug:name>/", editing.edit_field, {"kind": "record"}, name="edit_record_field"),
    path("find/", depictions.find, name="find_pictures"),
    path("pictures/", depictions.act, name="record_pictures"),
    path("trash/", record.trash, name="trash_record"),
    path("restore/", record.restore, name="restore_record"),
    path("history.csv", states.history_csv, {"kind": "record"}, name="record_history_csv"),
    path("history/<uuid:operation>/", states.state, {"kind": "record"}, name="record_state_then"),
]

of_one_import = [
    path("", imports.page, name="import"),
    path("columns/", imports_new.columns, name="import_columns"),
    path("progress/", imports.progress, name="import_progress"),
    path("report.csv", imports.report_csv, name="import_report"),
    path("rows/<int:number>/", imports.row, name="import_row"),
    path("undo/", imports.undo, name="import_undo"),
    *(
        path(f"{what}/", imports.act, {"what": what}, name=f"import_{what}")
        for what in ("start", "continue", "check", "pause", "cancel", "retry", "repeat")
    ),
]

of_one_bulk_job = [
    path("", bulk.page, name="bulk_job"),
    path("progress/", bulk.progress, name="bulk_progress"),
    path("report.csv", bulk.report_csv, name="bulk_report"),
    path("download/", bulk_download.page, name="bulk_download"),
    path("table/", bulk_table.page, name="bulk_table"),
    path("pictures.zip", bulk_download.archive, name="bulk_zip"),
    *(
        path(f"{what}/", bulk.act, {"what": what}, name=f"bulk_{what}")
        for what in ("start", "continue", "cancel", "undo", "again")
    ),
]

of_one_vocabulary = [
    path("", vocabulary.vocabulary, name="vocabulary"),
    path("new/", terms.new, name="term_new"),
    path("labels/", vocabulary.labels, name="term_labels"),
    path("import/", term_work.import_file, name="term_import"),
    *(
        path(f"export.{format}", vocabulary.export, {"format": format}, name=f"vocabulary_{format}")
        for format in ("ttl", "csv")
    ),
]

of_one_term = [
    path("", terms.page, name="term"),
    path("below/", vocabulary.below, name="terms_below"),
    path("edit/", terms.edit, name="term_edit"),
    path("merge/", terms.merge, name="term_merge"),
    path("delete/", terms.delete, name="term_delete"),
    path("history/<uuid:operation>/", states.state, {"kind": "term"}, name="term_state_then"),
]

of_term_work = [
    path("", term_work.page, name="term_work"),
    path("progress/", term_work.progress, name="term_work_progress"),
    *(
        path(f"{what}/", term_work.act, {"what": what}, name=f"term_work_{what}")
        for what in ("go", "undo", "again")
    ),
]

of_one_share = [
    path("", shares.page, name="share"),
    *(
        path(f"{what}/", shares.act, {"what": what}, name=f"share_{what}")
        for what in ("revoke", "reopen", "extend", "renew")
    ),
]

for_recipients = [
    path("", shared.page, name="shared"),
    *(
        path(f"{size}.zip", shared_zip.archive, {"size": size}, name=f"shared_{size}")
        for size in ("jpeg", "original")
    ),
    path("<uuid:uid>/", shared.picture, name="shared_picture"),
]

urlpatterns = [
    path("assets/<uuid:uid>/", include(of_one_asset)),
    path("id/<uuid:uid>", permanent.by_uid, name="by_uid"),
    path("records/new/", record.new, name="record_new"),
    path("records/<uuid:uid>/", include(of_one_record)),
    path("terms/<uuid:uid>/uses/", term_uses.page, name="term_uses"),
    path("terms/known/<slug:vocabulary>/", term_uses.known, name="known_terms"),
    path("vocabulary/", vocabulary.index, name="vocabularies"),
    path("vocabulary/<slug:slug>/", include(of_one_vocabulary)),
    path("terms/<uuid:uid>/", include(of_one_term)),
    path("terms/changes/", term_work.index, name="term_works"),
    path("terms/changes/<uuid:uid>/", include(of_term_work)),
    path("upload/", upload.page, name="upload"),
    path("upload/<uuid:uid>/outcome/", upload.outcome, name="upload_outcome"),
    path("upload/<uuid:uid>/remove/", upload.remove, name="upload_remove"),
    path("uploads/", tus.collection, name="uploads"),
    path("uploads/<uuid:uid>/", tus.one, name="one_upload"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports_new.start, name="import_new"),
    path("imports/uploads/<uuid:uid>/undo/", imports.undo_upload, name="upload_undo"),
    path("imports/<uuid:uid>/", include(of_one_import)),
    path("collections/", collections.index, name="collections"),
    path("collections/access/", access.of_library, name="library_access"),
    path("collections/access/history/<uuid:operation>/", states.state, name="library_state_then"),
    path("collections/new/", collections.new, name="collection_new"),
    path("collections/<uuid:uid>/", include(of_one_collection)),
    path("tables/", light_tables.index, name="light_tables"),
    path("tables/<uuid:uid>/", include(of_one_table)),
    path("bulk/", bulk.index, name="bulk_jobs"),  # POST to it makes a selection: search.selecting
    path("bulk/<uuid:uid>/", include(of_one_bulk_job)),
    path("shares/", shares.index, name="shares"),
    path("shares/new/", shares.new, name="share_new"),
    path("shares/<uuid:uid>/", include(of_one_share)),
    path("s/<slug:token>/", include(for_recipients)),
    path("media/<str:signed>", media.file, name="media"),
    path("trash/", trash.page, name="trashed"),
    path("jobs/", jobs.page, name="jobs"),
    path("jobs/now/", jobs.now, name="jobs_now"),
    path("jobs/retry/", jobs.retry_many, name="retry_many"),
    path("jobs/cancel/<uuid:uid>/", jobs.cancel, name="cancel_batch"),
    path("problems/", RedirectView.as_view(pattern_name="assets:jobs"), name="problems"),
    path("duplicates/", duplicates.page, name="duplicates"),
    path("duplicates/count/", duplicates.count, name="duplicates_count"),
    path("duplicates/<uuid:left>/<uuid:right>/", duplicates.pair, name="pair"),
    path("duplicates/<uuid:left>/<uuid:right>/keep/", duplicates.keep, name="keep_one"),
    path("demo/remove/", trash.demo_remove, name="demo_remove"),
    path("rights/", rights.page, name="rights"),
    path("rights/count/", rights.count, name="rights_count"),
    path("purpose/", purposes.purpose, name="purpose"),
    path("downloads/", purposes.downloads, name="downloads"),
    path("downloads/list.csv", purposes.downloads_csv, name="downloads_csv"),
    path("operations/<uuid:uid>/undo/", editing.undo, name="undo"),
]
