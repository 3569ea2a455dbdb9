drop policy expenses_managers on public.expenses;
create policy expenses_staff on public.expenses for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));
