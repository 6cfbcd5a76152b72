-- The shape of private/shares.db, in one place. Safe to run on every open: it only adds what is missing.

-- one row per question that was shared; a revoked one stays, so that the list says what was shown, and till when
create table if not exists shares (
    id integer primary key,
    key text not null unique,     -- in its address; random, so that nobody guesses it
    database text not null,       -- its name here
    query text not null,          -- the question's name there
    title text not null,          -- of the question, on the day
    fingerprint text not null default '', -- of an own question's SQL, on the day (sharing.fingerprint)
    parameters text not null,     -- JSON, {name: value} of those that were chosen; of a question's others: empty
    free text not null,           -- JSON, [name] of those that the reader may choose
    maker text not null,          -- account that shared it
    made_utc text not null,
    until text,                   -- last day, as UTC has it; null: no end
    revoked_utc text              -- null: never
);

-- one row per share and account that may open it
create table if not exists readers (
    share_id integer not null references shares(id),
    account text not null,
    opened integer not null default 0, -- how often, as page, JSON or CSV
    opened_utc text,              -- the last time
    primary key (share_id, account)
);
create index if not exists readers_account on readers(account);
