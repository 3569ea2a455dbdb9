-- Loses: invoices with their items, payments, refunds, expenses.
drop view public.monthly_revenue;
drop function public.save_invoice(jsonb, jsonb);

drop table public.expenses;
drop table public.refunds;
drop table public.payments;
drop table public.invoice_items;
drop table public.invoices;

drop function public.settle_invoice();
drop function public.total_invoice();
drop function public.number_invoice();
