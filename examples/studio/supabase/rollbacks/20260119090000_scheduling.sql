-- Loses: appointments with their history and reminders, services, staff, working hours, locations.
alter table public.messages drop constraint messages_appointment_id_fkey;

drop table public.reminders;
drop table public.appointment_events;
drop table public.appointments;
drop table public.working_hours;
drop table public.staff_services;
drop table public.services;
drop table public.staff;
drop table public.locations;

drop function public.record_appointment_event();
drop extension btree_gist;
