-- What the studio spends (rent, wages) is for owners and managers to see.

-- allow: C17 taking the rows away from staff is what this is for; managers keep them
drop policy expenses_staff on public.expenses;
create policy expenses_managers on public.expenses for all to authenticated
  using ((select public.is_manager() and public.module_enabled('financial')))
  with check ((select public.is_manager() and public.module_enabled('financial')));
