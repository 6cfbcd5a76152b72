"""A student's own data as a download from their page: what `coursette export-student` writes."""

from __future__ import annotations

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import answers, export_student, handing_over, web

TYPES = {
    "html": ("text/html; charset=utf-8", export_student.page),
    "json": ("application/json; charset=utf-8", export_student.as_json),
}
BY_HAND = "A student's data is taken from the student's page, by its button."


async def download(datasette: Datasette, request: Request) -> Response:
    """`POST /-/export-student?course=&person=&db=`: everything held, as HTML to read or as JSON (`form`)."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if not handing_over.may(request):
        raise web.Refusal("Only a teacher, signed in, can take a student's data out.", 403)
    if request.method != "POST":
        raise web.Refusal(BY_HAND, 405)
    key = request.args.get("person") or ""
    database, course = await web.find_course(datasette, request, person=key)
    person = await web.ask(datasette, database, answers.person, course, person=key)
    if person is None:
        raise web.Refusal("This student is not known any more: find them again, and open their page anew.")
    form = await request.post_vars()
    kind, write = TYPES.get(form.get("form") or "html", TYPES["html"])
    found = await web.ask(
        datasette, database, export_student.held, person["person"], database, web.private(datasette),
        with_looks=web.is_owner(request.actor),
        with_notes=web.is_owner(request.actor) and form.get("notes") == "1",
    )  # fmt: skip
    name = f"{export_student.file_name(found)}.{'json' if write is export_student.as_json else 'html'}"
    headers = {**web.OWN_PAGE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(write(found), headers=headers, content_type=kind)


@hookimpl
def register_routes():
    return [(r"^/-/export-student$", download)]
