alter table public.notes add column author text;
-- allow: L01 the table was made by the file before this one and is empty
create index notes_author on public.notes (author);
