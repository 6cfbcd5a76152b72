"""Small course backups made up for tests: the files of one, packed as Moodle packs them."""

from __future__ import annotations

import base64
import io
import tarfile
import zipfile
from pathlib import Path

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
MADE = 1_456_900_000  # 2016-03-02T06:26:40Z


def files(logs: str = "", users: bool = True) -> dict[str, str]:
    """A course with one forum (cmid 6), one book (cmid 7), Zoe (5, student) and Tim (3, teacher)."""
    found = {
        "moodle_backup.xml": f"<moodle_backup><information><backup_date>{MADE}</backup_date>"
        "<original_wwwroot>https://moodle.example.edu</original_wwwroot><original_course_id>2</original_course_id>"
        "<original_course_fullname>Made up &amp; small</original_course_fullname>"
        "<original_course_shortname>MU1</original_course_shortname>"
        "<original_course_contextid>173</original_course_contextid></information></moodle_backup>",
        "sections/section_1/section.xml": '<section id="1"><number>1</number><name>Week 1</name>'
        "<sequence>7,6</sequence><component>$@NULL@$</component></section>",
        "activities/forum_6/module.xml": '<module id="6"><modulename>forum</modulename><sectionid>1</sectionid>'
        "<completion>2</completion></module>",
        "activities/forum_6/forum.xml": _forum(users),
        "activities/forum_6/logstores.xml": _logstores(logs),
        "activities/book_7/module.xml": '<module id="7"><sectionid>1</sectionid><completion>0</completion></module>',
        "activities/book_7/book.xml": '<activity id="2" moduleid="7" modulename="book" contextid="183"><book id="2">'
        '<name>Tools</name><chapters><chapter id="9"><pagenum>1</pagenum><title>One</title></chapter>'
        "</chapters></book></activity>",
        "roles.xml": '<roles_definition><role id="5"><shortname>student</shortname></role>'
        '<role id="3"><shortname>editingteacher</shortname></role></roles_definition>',
    }
    return {path: HEAD + text for path, text in (found | (_people() if users else {})).items()}


def _forum(users: bool) -> str:
    post = (
        '<discussions><discussion id="11"><name>Hello</name><posts><post id="21"><parent>0</parent><userid>5</userid>'
        "<created>1456800000</created><subject>Hello</subject><message>&lt;p&gt;Two words&lt;/p&gt;</message>"
        "<messageformat>1</messageformat><privatereplyto>0</privatereplyto></post></posts></discussion></discussions>"
    )
    return (
        '<activity id="3" moduleid="6" modulename="forum" contextid="178"><forum id="3"><name>Talk</name>'
        f"<duedate>1456899999</duedate>{post if users else ''}</forum></activity>"
    )


def _people() -> dict[str, str]:
    person = (
        '<user id="{0}"><username>{1}</username><idnumber>{2}</idnumber><email>{1}@example.edu</email>'
        "<firstname>{3}</firstname><lastname>{4}</lastname><deleted>0</deleted><custom_fields><custom_field>"
        "<field_name>program</field_name><field_data>BEdu</field_data></custom_field></custom_fields></user>"
    )
    enrolment = "<enrolment><status>{1}</status><userid>{0}</userid><timestart>1454076000</timestart></enrolment>"
    grade = "<grade_grade><userid>5</userid><finalgrade>7.50000</finalgrade></grade_grade>"
    return {
        "users.xml": "<users>" + person.format(5, "zoe", "Z1", "Zoë", "Müller")
        + person.format(3, "tim", "", "Tim", "T") + "</users>",
        "groups.xml": '<groups><group id="4"><name>Blue</name><group_members><group_member><userid>5</userid>'
        "</group_member></group_members></group></groups>",
        "course/roles.xml": "<roles><role_assignments><assignment><roleid>5</roleid><userid>5</userid></assignment>"
        "<assignment><roleid>3</roleid><userid>3</userid></assignment></role_assignments></roles>",
        "course/enrolments.xml": "<enrolments><enrols><enrol><status>0</status><user_enrolments>"
        + enrolment.format(5, 0) + enrolment.format(3, 1) + "</user_enrolments></enrol></enrols></enrolments>",
        "course/loglastaccess.xml": "<lastaccesses><lastaccess><userid>5</userid><timeaccess>1456890000</timeaccess>"
        "</lastaccess></lastaccesses>",
        "activities/forum_6/completion.xml": "<completions><completion><userid>5</userid><completionstate>1"
        "</completionstate><timemodified>1456800000</timemodified></completion></completions>",
        "activities/forum_6/grades.xml": "<activity_gradebook><grade_items><grade_item><itemname>Talk</itemname>"
        f"<itemtype>mod</itemtype><gradetype>1</gradetype><grademax>10.00000</grademax><grade_grades>{grade}"
        "</grade_grades></grade_item></grade_items></activity_gradebook>",
    }  # fmt: skip


def line(event: str, at: int, object_id: int | str = "$@NULL@$", user: int = 5, other: str = "null", **more) -> str:
    """One log line of the forum; `other` as Moodle has it before base64."""
    facts = {"eventname": event, "objectid": object_id, "crud": "r", "edulevel": 2, "contextid": 178, "userid": user}
    facts |= {"relateduserid": "$@NULL@$", "realuserid": "$@NULL@$", "timecreated": at} | more
    facts["other"] = base64.b64encode(other.encode()).decode()
    said = "".join(f"<{tag}>{value}</{tag}>" for tag, value in facts.items())
    return f'<logstore_standard_log id="1">{said}</logstore_standard_log>'


def _logstores(lines: str) -> str:
    return (
        "<logstores><logstore><subplugin_logstore_standard_logstore>"
        f"{lines}</subplugin_logstore_standard_logstore></logstore></logstores>"
    )


def tar(path: Path, content: dict[str, str | bytes], *extra: tarfile.TarInfo) -> Path:
    """A .mbz as Moodle packs it today; `extra` members without content come last."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {".ARCHIVE_INDEX": "Moodle archive file index. Count: 1\n", **content}.items():
            data = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in extra:
            archive.addfile(member)
    return path


def zipped(path: Path, content: dict[str, str | bytes]) -> Path:
    """A .mbz as Moodle packed it once."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path
