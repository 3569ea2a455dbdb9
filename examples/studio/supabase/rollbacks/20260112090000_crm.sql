-- Loses: every client, tag, conversation, lead and message.
drop table public.messages;
drop table public.leads;
drop table public.interactions;
drop table public.client_tag_links;
drop table public.client_tags;
drop table public.clients;
