-- The shape of private/notes.db, in one place. Safe to run on every open: it only adds what is missing.

-- one row per student that something was written about; every id that was known, so that some later still fits
create table if not exists students (
    id integer primary key,
    site text,                -- address of the Moodle; null: not known
    moodle_id integer,
    email text,               -- folded, as compared
    idnumber text,
    name text,                -- folded; null where the course has two of this name
    fullname text,            -- as shown
    course text,              -- Moodle's id of the course in which they had this name
    course_name text
);
create index if not exists students_moodle_id on students(moodle_id);
create index if not exists students_email on students(email);
create index if not exists students_idnumber on students(idnumber);
create index if not exists students_name on students(name);

create table if not exists notes (
    id integer primary key,
    student_id integer not null references students(id),
    course text,              -- Moodle's id
    course_name text,
    text text not null,
    written_utc text not null,
    changed_utc text          -- null: never
);
create index if not exists notes_student on notes(student_id);

-- one row per time that the teacher turned to a student
create table if not exists nudges (
    id integer primary key,
    student_id integer not null references students(id),
    course text,
    course_name text,
    nudged_utc text not null, -- noon of the day in course time, where only the day was named
    has_time integer not null,
    how text not null,        -- e-mail, phone, in class, message, or the teacher's own word
    about text not null,
    written_utc text not null
);
create index if not exists nudges_student on nudges(student_id);

-- one row per finding that was looked at and is nothing to worry about: run:12,13,14, unseen:42
create table if not exists marks (
    id integer primary key,
    student_id integer not null references students(id),
    course text,
    course_name text,
    about text not null,
    marked_utc text not null
);
create index if not exists marks_student on marks(student_id);
