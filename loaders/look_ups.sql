-- The shape of private/audit.db, in one place. Safe to run on every open: it only adds what is missing.

-- one row per look-up that was answered; ids only, never a name; student and person are null for a list
create table if not exists look_ups (
    id integer primary key,
    time_utc text not null,
    actor text not null,      -- who looked
    what text not null,       -- student (page), people (row), course (page), completion (grid), access, find, usage,
                              -- nudges, a question's name, SQL, table people (or another: its rows, in whatever
                              -- selection), notes (one was written), export-student, letters (to a list), list (its names,
                              -- addresses), shared weeks (or another question: what a colleague opened, without students)
    form text,                -- json, csv or blob; null: a page
    database text,            -- that answered
    site text,                -- address of the Moodle; with Moodle's ids it outlives moodle.db
    course text,              -- Moodle's id
    student text,             -- Moodle's id
    person text,              -- our own key in that database, at that time
    about text,               -- activity (Moodle's id) or part (chapter:7) of a list; key of a row elsewhere
    signed_in_by text,        -- session, link (that works once), token, command line, or other
    token text,               -- id of the token
    token_name text,          -- what its owner calls it
    came_from text            -- coursette, address bar, another site, or the address of a Moodle; null: not said
);

create index if not exists look_ups_student on look_ups(student);

-- Append only. Replacing a row is an insert to SQLite, so that is refused by the third.
create trigger if not exists look_ups_keep_rows before delete on look_ups begin
    select raise(abort, 'the record of look-ups is append only');
end;
create trigger if not exists look_ups_keep_words before update on look_ups begin
    select raise(abort, 'the record of look-ups is append only');
end;
create trigger if not exists look_ups_keep_ids before insert on look_ups
when exists (select 1 from look_ups where id = new.id) begin
    select raise(abort, 'the record of look-ups is append only');
end;
