-- one row: one student's clicks after `since`, as roll-ups count them; read from the log only where there are any
select
    case
        when :since < (select last_utc from usage_person where course_id = :course and person_id = :person) then (
            select count(*)
            from events
            where person_id = :person
                and course_id = :course
                and time_utc > :since
                and real_person_id is null
                and event_type_id in (select id from event_types where crud = 'r')
        )
        else 0
    end as clicks
