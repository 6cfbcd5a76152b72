-- one row per part (chapter, discussion, page) with at least one click
insert into usage_part
    (part_id, activity_id, course_id, clicks, students, last_used_utc, planes)
with per_student as (
    select
        part_id,
        person_id,
        min(activity_id) as activity_id,
        sum(clicks) as clicks,
        max(last_utc) as last_utc
    from clicks
    where part_id is not null
    group by part_id, person_id
)
select
    per_student.part_id,
    min(per_student.activity_id),
    :course,
    sum(per_student.clicks),
    count(*),
    max(per_student.last_utc),
    bit_planes(usage_person.position, per_student.clicks)
from per_student
join usage_person on usage_person.course_id = :course and usage_person.person_id = per_student.person_id
group by per_student.part_id
