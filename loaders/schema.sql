-- The shape of moodle.db, in one place. Safe to run on every open: it only adds what is missing.
-- Moodle's own ids sit beside our keys (moodle_id, cmid) and are null until a file tells them.

-- one row per Moodle; url is null until a saved page or web-service answer tells it
create table if not exists sites (
    id integer primary key,
    url text
);

-- one row per course offering
create table if not exists courses (
    id integer primary key,
    site_id integer not null references sites(id),
    moodle_id integer,
    shortname text,
    fullname text,
    timezone text not null,              -- IANA name; all *_local columns and weeks of the course are in it
    timezone_from text not null,         -- option, saved page, first load, or this computer (assumed)
    start_date text,                     -- YYYY-MM-DD, from Moodle; null: week 1 holds the first student event
    data_up_to_utc text,                 -- newest log line
    keep_until text,                     -- YYYY-MM-DD, when the course is to be deleted; null: nobody has said
    unique (site_id, moodle_id)
);

-- one row per person on a site
create table if not exists people (
    id integer primary key,
    site_id integer not null references sites(id),
    moodle_id integer,
    fullname text,
    firstname text,
    lastname text,
    email text,
    idnumber text,
    username text,
    unique (site_id, moodle_id)
);
create index if not exists people_email on people(email);

-- one row per person and field: what else files said of a person (phone, department, custom profile fields, GPA ...)
create table if not exists person_details (
    id integer primary key,
    person_id integer not null references people(id),
    field text not null,
    value text,
    unique (person_id, field)
);

-- one row per person in a course; with several roles, the one that can do most
create table if not exists enrolments (
    id integer primary key,
    course_id integer not null references courses(id),
    person_id integer not null references people(id),
    role text,                           -- Moodle's shortname: student, teacher, editingteacher, manager ...; null: unknown
    role_from text,                      -- how the role is known
    status text,                         -- active, suspended, not current, or (no file says which) inactive
    enrolled_utc text,
    last_access_utc text,
    unique (course_id, person_id)
);
create index if not exists enrolments_person on enrolments(person_id);

create table if not exists groups (
    id integer primary key,
    course_id integer not null references courses(id),
    moodle_id integer,
    name text not null,
    field text                           -- null: Moodle's own; else the column of the teacher's spreadsheet it stands for
);
create index if not exists groups_course on groups(course_id, name);

create table if not exists group_members (
    id integer primary key,
    group_id integer not null references groups(id),
    person_id integer not null references people(id),
    unique (group_id, person_id)
);
create index if not exists group_members_person on group_members(person_id);

-- one row per thing by which a student who was deleted on request, or opted out, would be known again: never the thing
-- itself, only a hash of it that nobody can make without the key in the private folder
create table if not exists forgotten (
    id integer primary key,
    student integer not null,            -- the rows of one student have one number, which means nothing elsewhere
    site_id integer references sites(id),
    course integer,                      -- Moodle's id of the course that it is limited to; null: everywhere
    kind text not null,                  -- id (Moodle's), email, idnumber, username, name, feed, discussion;
                                         -- key: the key itself; untidy: old pages of the file are not cleared yet
    hash text not null,
    reason text not null,                -- forgotten, opted out
    forgotten_utc text not null
);
create index if not exists forgotten_hash on forgotten(hash);

-- one row per course section
create table if not exists sections (
    id integer primary key,
    course_id integer not null references courses(id),
    moodle_id integer,
    number integer,
    name text,
    week integer,                        -- teaching week, where the section's name or place tells it
    unique (course_id, moodle_id)
);

-- one row per course module
create table if not exists activities (
    id integer primary key,
    cmid integer,
    course_id integer references courses(id),
    section_id integer references sections(id),
    position integer,                    -- place on the course page, from 1
    kind text,                           -- Moodle's module name: forum, quiz, assign, book, resource ...
    name text,
    instance_id integer,                 -- the module's own id, which links such as /mod/forum/view.php?f= carry
    tracked integer,                     -- 1 completion is tracked, 0 it is not, null no file said
    due_utc text,
    deleted integer not null default 0
);
create unique index if not exists activities_cmid on activities(course_id, cmid) where cmid is not null;

-- one row per chapter, discussion or page inside an activity
create table if not exists parts (
    id integer primary key,
    activity_id integer not null references activities(id),
    kind text not null,                  -- chapter, discussion, page (lesson), wikipage, sco, entry ...
    moodle_id integer not null,
    name text,
    position integer,                    -- place of a chapter in its book, from 1; null: no file said
    unique (activity_id, kind, moodle_id)
);
create index if not exists parts_moodle on parts(kind, moodle_id);

-- one row per event class; component and event name as logged where the class is not known
create table if not exists event_types (
    id integer primary key,
    component text,
    name text,
    eventclass text,
    crud text,                           -- c created, r read, u updated, d deleted; null unknown
    edulevel integer,                    -- 0 other, 1 teaching, 2 participating; null unknown
    unique (component, name, eventclass)
);

-- one row per log line
create table if not exists events (
    id integer primary key,
    course_id integer not null references courses(id),
    person_id integer references people(id),          -- who did it (as Moodle says: the student, under "log in as")
    related_person_id integer references people(id),  -- whom it was done to
    real_person_id integer references people(id),     -- who really acted, under "log in as"
    time_utc text not null,
    time_local text not null,
    week integer,
    event_type_id integer not null references event_types(id),
    activity_id integer references activities(id),
    part_id integer references parts(id),
    origin text,
    load_id integer not null references loads(id),
    line_key integer not null                         -- 64-bit hash of the line and its count; see loaders/log.py
);
create unique index if not exists events_line_key on events(line_key);
create index if not exists events_person on events(person_id, time_utc);
create index if not exists events_activity on events(activity_id);
-- id: Datasette asks for the first page in this order only, and would lose rows at page ends without it
create index if not exists events_time on events(time_utc, id desc);

-- names of a log line whose description carries no id for them; tried again at every load
create table if not exists event_names (
    event_id integer primary key references events(id),
    person text,                         -- first name column, where it has no id or reads "A as B"
    related text,
    has_id integer not null              -- 1: the description does say who acted
);

-- one row per person and tracked activity
create table if not exists completions (
    id integer primary key,
    person_id integer not null references people(id),
    activity_id integer not null references activities(id),
    state text not null check (state in ('complete', 'complete-pass', 'complete-fail', 'incomplete')),
    completed_utc text,
    set_by text,
    unique (person_id, activity_id)
);
create index if not exists completions_activity on completions(activity_id, state);

-- one row per teaching week of a course
create table if not exists weeks (
    id integer primary key,
    course_id integer not null references courses(id),
    week integer not null,
    starts_on text not null,             -- a Monday, YYYY-MM-DD, course time
    name text,
    is_break integer not null default 0,
    unique (course_id, week)
);

-- from which day on posts of students' blogs belong to a course: four weeks before it, or its first week, begins
create view if not exists blog_starts as
select
    courses.id as course_id,
    date(
        min(coalesce(courses.start_date, first.starts_on), coalesce(first.starts_on, courses.start_date)),
        '-28 days'
    ) as since
from courses
left join (select course_id, min(starts_on) as starts_on from weeks where week > 0 group by course_id) as first
    on first.course_id = courses.id;

-- one row per assignment submission: as the log has it, else as Moodle's own list does
create table if not exists submissions (
    id integer primary key,
    person_id integer not null references people(id),
    activity_id integer not null references activities(id),
    state text not null,
    time_utc text not null,
    from_log integer not null default 1,
    unique (person_id, activity_id, state, time_utc)
);

-- one row per quiz attempt step: as the log has it, else as Moodle's own list does
create table if not exists attempts (
    id integer primary key,
    person_id integer not null references people(id),
    activity_id integer not null references activities(id),
    state text not null,
    time_utc text not null,
    from_log integer not null default 1,
    unique (person_id, activity_id, state, time_utc)
);

-- one row per person, activity and question of a choice or feedback activity
create table if not exists responses (
    id integer primary key,
    person_id integer not null references people(id),
    activity_id integer not null references activities(id),
    question text not null,              -- empty for a choice, which has but one
    response text not null,
    time_utc text,
    unique (person_id, activity_id, question, response, time_utc)
);

-- one row per event in the course's calendar
create table if not exists calendar_events (
    id integer primary key,
    course_id integer not null references courses(id),
    moodle_id integer not null,
    activity_id integer references activities(id),
    name text,
    event_type text,                     -- due, open, close, course, group ...
    group_id integer references groups(id),
    starts_utc text not null,
    duration_s integer not null default 0,
    unique (course_id, moodle_id)
);

create table if not exists grade_items (
    id integer primary key,
    course_id integer not null references courses(id),
    activity_id integer references activities(id),
    name text not null,
    display text not null,               -- real, percentage, letter or feedback
    maximum real,
    unique (course_id, name, display)
);
create index if not exists grade_items_activity on grade_items(activity_id);

create table if not exists grades (
    id integer primary key,
    grade_item_id integer not null references grade_items(id),
    person_id integer not null references people(id),
    grade numeric,                       -- a number, or a letter or scale word as Moodle shows it
    unique (grade_item_id, person_id)
);
create index if not exists grades_person on grades(person_id);

create table if not exists forum_posts (
    id integer primary key,
    moodle_id integer,
    parent_id integer,                   -- moodle_id of the post replied to; null opens a discussion
    part_id integer references parts(id),
    course_id integer references courses(id),
    person_id integer references people(id),
    title text,
    text text,
    word_count integer,
    link_count integer,
    sentiment real,                      -- -1 to 1: mean of the sentences' scores; null: no_sentiment says why
    no_sentiment text,                   -- why none (loaders/sentences.py); null while not scored yet
    positive_pct real,                   -- share of its sentences
    negative_pct real,
    most_positive text,                  -- the sentence
    most_negative text,
    usual_sentiment real,                -- mean of the same person's posts of this kind before it; null for fewer than 3
    scored_key text,                     -- hash of what was scored, so that unchanged posts are not scored again
    published_utc text,
    url text,
    unique (course_id, moodle_id)
);
create index if not exists forum_posts_person on forum_posts(person_id);
create index if not exists forum_posts_part on forum_posts(part_id);
-- all that questions ask of many posts at once, so that nobody reads through their texts
create index if not exists forum_posts_published
    on forum_posts(course_id, person_id, published_utc, word_count, sentiment, usual_sentiment);

-- one row per blog that the teacher registered for a student
create table if not exists feeds (
    id integer primary key,
    person_id integer references people(id),  -- null: nobody known fits yet, or several do
    url text not null unique,            -- as registered: a blog's or a feed's address
    registered integer not null default 1,  -- 0: no list or profile names it any more; kept for its posts, not asked
    feed_url text,                       -- where its feed was found
    served_url text,                     -- where it came from in the end, after redirects
    title text,
    kind text,                           -- RSS, Atom, JSON Feed
    etag text,
    last_modified text,
    older_url text,                      -- the page of older posts to go on with
    whole integer not null default 0,    -- 1: every older page has been read once
    since_utc text,                      -- ... back to this time; null: to the blog's beginning
    asked_utc text,                      -- last time it was asked
    fetched_utc text,                    -- last time it answered
    error text                           -- what went wrong the last time
);
create index if not exists feeds_person on feeds(person_id);

-- one row per blog post: of a feed (guid), or of Moodle's own blog (moodle_id)
create table if not exists blog_posts (
    id integer primary key,
    moodle_id integer,
    feed_id integer references feeds(id),
    guid text,                           -- the feed's own id of the post
    person_id integer references people(id),
    title text,
    html text,                           -- sanitised, without images; only of feeds
    text text,
    word_count integer,
    link_count integer,
    image_count integer,
    sentiment real,                      -- -1 to 1: mean of the sentences' scores; null: no_sentiment says why
    no_sentiment text,                   -- why none (loaders/sentences.py); null while not scored yet
    positive_pct real,                   -- share of its sentences
    negative_pct real,
    most_positive text,                  -- the sentence
    most_negative text,
    usual_sentiment real,                -- mean of the same person's posts of this kind before it; null for fewer than 3
    scored_key text,                     -- hash of what was scored, so that unchanged posts are not scored again
    published_utc text,
    updated_utc text,                    -- last edit that the feed told of
    first_fetched_utc text,              -- when it was first seen here
    missed_utc text,                     -- its blog was read whole then, two days or more after its date, and had it not
    gone_utc text,                       -- when it was first missing from its blog; null: it is there
    summary_only integer not null default 0,  -- 1: the feed has only the beginning of the post
    url text
);
create index if not exists blog_posts_published
    on blog_posts(person_id, published_utc, word_count, gone_utc, sentiment, usual_sentiment);
create unique index if not exists blog_posts_guid on blog_posts(feed_id, guid) where guid is not null;
create index if not exists blog_posts_place on blog_posts(feed_id, url, published_utc, guid);

create table if not exists post_links (
    id integer primary key,
    blog_post_id integer references blog_posts(id),
    forum_post_id integer references forum_posts(id),
    person_id integer references people(id),  -- whose blog it leads to, where it is that of somebody known
    url text not null
);
create index if not exists post_links_blog_post on post_links(blog_post_id);
create index if not exists post_links_forum_post on post_links(forum_post_id);
create index if not exists post_links_person on post_links(person_id);

-- one row per file loaded (or refused: then error says why)
create table if not exists loads (
    id integer primary key,
    source text not null,
    kind text,
    course_id integer references courses(id),
    site_id integer references sites(id),
    course_option integer,               -- the course as --course or the file itself says
    options text not null default '{}',  -- the command's options that decide how the file is read, as JSON
    timezone text,                       -- zone the file's times were read in
    timezone_from text,
    rows_read integer not null default 0,
    rows_new integer not null default 0,
    rows_known integer not null default 0,
    rows_unmatched integer not null default 0,
    rows_skipped integer not null default 0,  -- of students who were deleted on request or opted out
    oldest_utc text,
    newest_utc text,                     -- newest time in the file's content
    to_minute integer,                   -- 1: the log's times have no seconds (Moodle 3, or a spreadsheet's copy)
    part text,                           -- of a pull: participants, completion, forums ...
    answer_keys text,                    -- of the newest pull of a part: all answers that were good then (JSON)
    content_key text,                    -- hash of the file, to know it again
    modified_utc text,                   -- the file's own date: decides between files whose content has no date
    loaded_utc text not null,
    note text,
    error text
);

-- one row per course and part that was pulled live from Moodle (participants, completion, log ...)
create table if not exists pulls (
    id integer primary key,
    course_id integer not null references courses(id),
    part text not null,
    fetched_utc text not null,           -- the part is here as it was in Moodle then
    unique (course_id, part)
);

-- one row per row that found no home yet; tried again at the end of every load
create table if not exists unmatched (
    id integer primary key,
    load_id integer not null references loads(id),
    kind text not null,
    line integer,
    raw text not null,
    reason text not null
);
create index if not exists unmatched_load on unmatched(load_id);

-- what each file said, kept as said (JSON), so that the tables above come out the same in any order of loading
create table if not exists claims (
    id integer primary key,
    load_id integer not null references loads(id),
    noun text not null,
    line integer,
    claim text not null,
    answer_key text                      -- of a pull: the answer that said so
);
create index if not exists claims_load on claims(load_id, answer_key);

-- one row per web-service answer of a pull that still counts
create table if not exists answers (
    id integer primary key,
    load_id integer not null references loads(id),
    key text not null,                   -- function and parameters
    mark text,                           -- what tells whether the answer would be another by now (JSON)
    unique (load_id, key)
);

-- which events a load contains, as ranges of events.id: what unload needs
create table if not exists load_events (
    id integer primary key,
    load_id integer not null references loads(id),
    first_id integer not null,
    last_id integer not null
);
create index if not exists load_events_load on load_events(load_id);

-- Roll-ups: rebuilt at load from events; each has a .sql file of its name in rollups/.
-- A click is a reading event (crud r) by a student of the course, not while somebody was logged in as them.

create table if not exists usage_activity_person_week (
    activity_id integer not null references activities(id),
    person_id integer not null references people(id),
    week integer not null,
    clicks integer not null,
    first_utc text not null,
    last_utc text not null,
    course_id integer not null references courses(id),
    primary key (activity_id, person_id, week)
) without rowid;
create index if not exists usage_activity_person_week_person on usage_activity_person_week(course_id, person_id);

create table if not exists usage_part_person_week (
    part_id integer not null references parts(id),
    person_id integer not null references people(id),
    week integer not null,
    clicks integer not null,
    first_utc text not null,
    last_utc text not null,
    activity_id integer not null references activities(id),
    course_id integer not null references courses(id),
    primary key (part_id, person_id, week)
) without rowid;
create index if not exists usage_part_person_week_course on usage_part_person_week(course_id, person_id);

-- one row per activity and teaching week with a click: any group's clicks are counted from `planes` (see loaders/bits.py)
create table if not exists usage_activity_week (
    course_id integer not null references courses(id),
    week integer not null,
    activity_id integer not null references activities(id),
    clicks integer not null,
    students integer not null,
    planes blob not null,                -- who clicked how often, by usage_person.position
    primary key (course_id, week, activity_id)
) without rowid;

create table if not exists usage_part_week (
    course_id integer not null references courses(id),
    week integer not null,
    part_id integer not null references parts(id),
    clicks integer not null,
    students integer not null,
    planes blob not null,                -- as in usage_activity_week
    primary key (course_id, week, part_id)
) without rowid;

-- all clicks of a student in a week, those outside activities (course page, grades) too
create table if not exists usage_person_week (
    course_id integer not null references courses(id),
    person_id integer not null references people(id),
    week integer not null,
    clicks integer not null,
    active_days integer not null,
    primary key (course_id, person_id, week)
) without rowid;

-- the same for each day of course time with a click
create table if not exists usage_person_day (
    course_id integer not null references courses(id),
    person_id integer not null references people(id),
    day text not null,                   -- YYYY-MM-DD
    clicks integer not null,
    primary key (course_id, person_id, day)
) without rowid;

-- the last thing that anybody (staff too) did in the course themselves
create table if not exists usage_person_seen (
    course_id integer not null references courses(id),
    person_id integer not null references people(id),
    last_utc text not null,
    last_event_id integer not null references events(id),
    primary key (course_id, person_id)
) without rowid;

-- a student's whole time in the course; last_event_id is the last thing they themselves did
create table if not exists usage_person (
    course_id integer not null references courses(id),
    person_id integer not null references people(id),
    clicks integer not null,
    first_utc text,
    last_utc text,
    last_event_id integer references events(id),
    position integer not null,           -- the student's place, from 0, in all sets and planes of the course
    primary key (course_id, person_id)
) without rowid;

-- the whole class in a week
create table if not exists usage_week (
    course_id integer not null references courses(id),
    week integer not null,
    clicks integer not null,
    students integer not null,
    median_clicks real not null,         -- of all students, those without a click too
    primary key (course_id, week)
) without rowid;

-- clicks by weekday (0 Monday ... 6 Sunday) and hour of course time
create table if not exists usage_week_hour (
    course_id integer not null references courses(id),
    week integer not null,
    weekday integer not null,
    hour integer not null,
    clicks integer not null,
    students integer not null,
    planes blob not null,                -- as in usage_activity_week
    primary key (course_id, week, weekday, hour)
) without rowid;

-- one row per activity: everyone, the whole time
create table if not exists usage_activity (
    activity_id integer primary key references activities(id),
    course_id integer not null references courses(id),
    clicks integer not null,
    students integer not null,
    last_used_utc text,
    completed integer,                   -- students complete or complete-pass; null where not tracked
    planes blob,                         -- as in usage_activity_week; null where nobody clicked
    completed_by blob                    -- the set of students counted in completed
);
create index if not exists usage_activity_course on usage_activity(course_id);

-- one row per part with a click: everyone, the whole time
create table if not exists usage_part (
    part_id integer primary key references parts(id),
    activity_id integer not null references activities(id),
    course_id integer not null references courses(id),
    clicks integer not null,
    students integer not null,
    last_used_utc text not null,
    planes blob not null
);
create index if not exists usage_part_course on usage_part(course_id);

-- posts of a person in a forum, as the log has them
create table if not exists usage_activity_person_posts (
    activity_id integer not null references activities(id),
    person_id integer not null references people(id),
    posts integer not null,
    course_id integer not null references courses(id),
    primary key (activity_id, person_id)
) without rowid;
create index if not exists usage_activity_person_posts_person on usage_activity_person_posts(course_id, person_id);
