-- one row per student who ever clicked in one activity, or in one part of it when :part is given; clicks in the weeks
with used as (
    select
        person_id,
        week,
        clicks,
        first_utc,
        last_utc
    from usage_activity_person_week
    where :part is null and activity_id = :activity
    union all
    select
        person_id,
        week,
        clicks,
        first_utc,
        last_utc
    from usage_part_person_week
    where part_id = :part
)
select
    person_id as person,
    coalesce(sum(clicks) filter (where week >= :from_week and week <= :to_week), 0) as clicks,
    min(first_utc) filter (where week >= :from_week and week <= :to_week) as first_utc,
    max(last_utc) filter (where week >= :from_week and week <= :to_week) as last_utc,
    min(first_utc) as first_ever_utc,
    max(last_utc) as last_ever_utc
from used
group by person_id
