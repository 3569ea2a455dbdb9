#include "command/migration/proof_view.h"

#include "base/clock.h"
#include "cli/output.h"

#define INDENT 7

static void refused(struct command_context *c, const struct proof *p)
{
    const struct terminal *to = &c->out;
    if (p->where)
        print(to, "%*s%s\n", INDENT, "", p->where);
    print(to, "%*s%s\n", INDENT, "", p->reason);
    for (size_t i = 0; p->change_count > 1 && i < p->change_count; i++)
        print(to, "%*s  %s\n", INDENT, "", proof_change_text(c->arena, &p->changes[i]));
}

void proof_view_people(struct command_context *c, const struct proof *p)
{
    const struct terminal *to = &c->out;
    const struct migration *m = p->migration;
    print_styled(to, p->is_proven ? STYLE_GOOD : STYLE_BAD, "%-6s",
                 p->is_proven ? "proven" : "FAIL");
    print(to, " %s_%s  ", m->version, m->name);
    if (p->is_proven)
        print(to, "%c: %s  ", p->loss, p->loss_text);
    print_styled(to, STYLE_FAINT, "%s%s\n", clock_duration(c->arena, p->duration_ms),
                 p->is_on_clone ? ", on a clone" : "");
    if (!p->is_proven)
        refused(c, p);
    for (size_t i = 0; i < p->leaves.n; i++)
        print(to, "%*sleaves %s\n", INDENT, "", p->leaves.v[i]);
    for (size_t i = 0; i < p->notes.n; i++)
        print_styled(to, STYLE_FAINT, "%*snote: %s\n", INDENT, "", p->notes.v[i]);
}
