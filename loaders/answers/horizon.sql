-- one row: up to when (UTC) each kind of data reached at the time `look`, null where nothing tells.
-- What is pulled live replaces what was pulled before, so that the times of earlier pulls are gone: there it is `look`.
select
    max(iif(part is null, newest_utc, :look)) filter (where kind in ('activity completion', 'course backup'))
        as completion,
    max(iif(part is null, newest_utc, :look)) filter (where kind in ('forum posts', 'course backup')) as forum,
    max(iif(part is null, newest_utc, :look)) filter (where kind = 'blog entries') as blog,
    max(iif(part is null, newest_utc, :look)) filter (where kind in ('course log', 'course backup')) as log
from loads
where course_id = :course and error is null and (loaded_utc <= :look or part is not null)
