drop index public.notes_author;
alter table public.notes drop column author;
