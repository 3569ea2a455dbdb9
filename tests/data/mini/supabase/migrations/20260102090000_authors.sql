alter table public.notes add column author text;
create index notes_author on public.notes (author);
