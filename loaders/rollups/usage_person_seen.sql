-- one row per person who did anything in the course themselves, students or not
insert into usage_person_seen
    (course_id, person_id, last_utc, last_event_id)
-- SQLite takes the bare column id from the row that holds the max()
select
    :course,
    person_id,
    max(time_utc),
    id
from events not indexed -- one pass over the log is quicker than all of it in the order of an index
where course_id = :course
    and person_id is not null
    and real_person_id is null
group by person_id
