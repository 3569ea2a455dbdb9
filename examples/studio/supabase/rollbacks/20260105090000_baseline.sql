-- Loses: staff profiles, the webhook inbox with events not yet processed, the audit log.
drop table public.audit_log;
drop table public.webhook_inbox;
drop table public.profiles;

drop function public.record_audit();
drop function public.touch_updated_at();
drop function public.schema_version();
drop function public.module_enabled(text);
drop function public.is_manager();
drop function public.is_staff();
drop function public.staff_role();
