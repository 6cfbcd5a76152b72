-- one row per student with a click in one activity, or in one part of it when :part is given, in the weeks
select
    person_id as person,
    sum(clicks) as clicks,
    min(first_utc) as first_utc,
    max(last_utc) as last_utc
from usage_activity_person_week
where :part is null and activity_id = :activity and week >= :from_week and week <= :to_week
group by person_id
union all
select
    person_id,
    sum(clicks),
    min(first_utc),
    max(last_utc)
from usage_part_person_week
where part_id = :part and week >= :from_week and week <= :to_week
group by person_id
