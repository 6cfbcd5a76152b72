-- one row per chapter, discussion or page with a click by one of the :people (null for everyone) in the weeks
select
    parts.kind || ':' || parts.moodle_id as part,
    sum(usage.clicks) as clicks,
    count(distinct usage.person_id) as students
from usage_part_person_week as usage
join parts on parts.id = usage.part_id
where usage.course_id = :course
    and (:people is null or usage.person_id in (select value from json_each(:people)))
    and usage.week >= :from_week
    and usage.week <= :to_week
group by usage.part_id
