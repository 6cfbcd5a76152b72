-- one row per activity with a completion report: how many of the :people (a JSON list of our keys) are complete
select
    activities.id as activity_id,
    sum(completions.state in ('complete', 'complete-pass')
        and completions.person_id in (select value from json_each(:people))) as completed
from activities
join completions on completions.activity_id = activities.id
where activities.course_id = :course and activities.tracked = 1
group by activities.id
