#include "command/migration/lint_view.h"

#include "base/json_write.h"
#include "cli/annotation.h"
#include "cli/output.h"

static const char assumed[] = "no database was asked, so the worst is supposed";

static bool stands(const struct lint_finding *f)
{
    return !f->allowed && !f->is_lifted;
}

static const char *compatibility(const struct lint_verdict *v)
{
    return v->is_compatible ? "compatible with the running release"
                            : "not compatible with the running release";
}

/* ---- people ---- */

static enum style style_of(enum lint_severity s)
{
    switch (s) {
    case LINT_ERROR:
        return STYLE_BAD;
    case LINT_WARN:
        return STYLE_WARN;
    case LINT_NOTE:
        break;
    }
    return STYLE_FAINT;
}

static void print_finding(struct command_context *c, const struct lint_finding *f, bool *explained)
{
    print(&c->out, "\n%s:%u:%u  ", f->migration->file, f->place.line, f->place.column);
    print_styled(&c->out, style_of(f->severity), "%s", lint_severity_name(f->severity));
    print_styled(&c->out, STYLE_STRONG, " %s %s\n", f->rule->name, f->rule->title);
    if (!f->is_of_file)
        print(&c->out, "%s\n", statement_excerpt(c->arena, &f->place));
    print(&c->out, "  what   ");
    print_wrapped(&c->out, 9, true, f->what);
    if (f->is_assumed)
        print_styled(&c->out, STYLE_FAINT, "         %s\n", assumed);
    if (*explained)
        return; /* said above */
    *explained = true;
    print(&c->out, "  why    ");
    print_wrapped(&c->out, 9, true, f->rule->why);
    print(&c->out, "  write  ");
    print_wrapped(&c->out, 9, true, f->rule->rewrite);
}

static void print_excepted(struct command_context *c, const struct lint_finding *f)
{
    print_styled(&c->out, STYLE_FAINT, "\n%s:%u:%u  %s %s: %s\n", f->migration->file, f->place.line,
                 f->place.column, f->allowed ? "allowed" : "contract", f->rule->name,
                 f->allowed ? f->allowed : f->what);
}

static void print_verdict(struct command_context *c, const struct lint_verdict *v)
{
    print(&c->out, "\n");
    print_styled(&c->out, STYLE_STRONG, "%s_%s", v->migration->version, v->migration->name);
    print(&c->out, "  %s%s, ", phase_name(v->phase), v->is_declared ? " (declared)" : "");
    print_styled(&c->out, v->is_compatible ? STYLE_GOOD : STYLE_WARN, "%s\n", compatibility(v));
    if (!v->is_compatible) {
        print(&c->out, "  ");
        print_wrapped(&c->out, 2, true, v->why);
    }
}

static void print_summary(struct command_context *c, const struct lint_report *r)
{
    struct arena *a = c->arena;
    print(&c->out, "\n%s, %s: %s, %s, %s",
          text_count(a, (int64_t)r->verdict_count, "migration", "migrations"),
          text_count(a, (int64_t)r->statements, "statement", "statements"),
          text_count(a, (int64_t)r->errors, "error", "errors"),
          text_count(a, (int64_t)r->warnings, "warning", "warnings"),
          text_count(a, (int64_t)r->notes, "note", "notes"));
    if (r->allowed > 0)
        print(&c->out, ", %zu allowed", r->allowed);
    if (r->lifted > 0)
        print(&c->out, ", %zu lifted by the contract phase", r->lifted);
    if (r->tried > 0)
        print(&c->out, "; %s of the running release tried",
              text_count(a, (int64_t)r->tried, "query or function", "queries and functions"));
    print(&c->out, ".\n");
    if (r->errors > 0)
        print(&c->out, "Refused. Rewrite, or put `-- allow: <rule> <reason>` before the "
                       "statement.\n");
}

void lint_view_people(struct command_context *c, const struct lint_report *r)
{
    bool explained[LINT_RULES] = { false };
    for (size_t i = 0; i < r->verdict_count; i++) {
        const struct lint_verdict *v = &r->verdicts[i];
        for (size_t k = 0; k < r->n; k++) {
            const struct lint_finding *f = &r->v[k];
            if (f->migration != v->migration)
                continue;
            if (stands(f))
                print_finding(c, f, &explained[f->rule->id]);
            else
                print_excepted(c, f);
        }
        print_verdict(c, v);
    }
    print_summary(c, r);
}

/* ---- JSON ---- */

/* Thousands of files have ten thousands of findings: they are written one by one. */

static void write_finding(struct json_writer *w, const struct lint_finding *f)
{
    json_write_open(w, NULL, '{');
    json_write_text(w, "rule", f->rule->name);
    json_write_text(w, "severity", lint_severity_name(f->severity));
    json_write_text(w, "title", f->rule->title);
    json_write_text(w, "file", f->migration->file);
    json_write_int(w, "line", f->place.line);
    json_write_int(w, "column", f->place.column);
    json_write_text(w, "version", f->migration->version);
    json_write_text(w, "what", f->what);
    json_write_text(w, "why", f->rule->why);
    json_write_text(w, "rewrite", f->rule->rewrite);
    json_write_bool(w, "assumed", f->is_assumed);
    if (f->allowed)
        json_write_text(w, "allowed", f->allowed);
    json_write_bool(w, "lifted", f->is_lifted);
    json_write_close(w, '}');
}

static void write_verdict(struct json_writer *w, const struct lint_verdict *v)
{
    json_write_open(w, NULL, '{');
    json_write_text(w, "version", v->migration->version);
    json_write_text(w, "file", v->migration->file);
    json_write_text(w, "phase", phase_name(v->phase));
    json_write_bool(w, "declared", v->is_declared);
    json_write_bool(w, "compatible", v->is_compatible);
    json_write_text(w, "why", v->why);
    json_write_int(w, "errors", (int64_t)v->errors);
    json_write_int(w, "warnings", (int64_t)v->warnings);
    json_write_int(w, "notes", (int64_t)v->notes);
    json_write_close(w, '}');
}

void lint_view_json(struct command_context *c, const struct lint_report *r)
{
    struct json_writer w = { .file = c->out.file };
    json_write_open(&w, NULL, '{');
    json_write_int(&w, "v", 1);
    json_write_bool(&w, "refused", r->errors > 0);
    json_write_bool(&w, "catalogue", r->has_catalogue);
    json_write_int(&w, "statements", (int64_t)r->statements);
    json_write_int(&w, "errors", (int64_t)r->errors);
    json_write_int(&w, "warnings", (int64_t)r->warnings);
    json_write_int(&w, "notes", (int64_t)r->notes);
    json_write_int(&w, "allowed", (int64_t)r->allowed);
    json_write_int(&w, "lifted", (int64_t)r->lifted);
    json_write_int(&w, "tried", (int64_t)r->tried);
    json_write_open(&w, "migrations", '[');
    for (size_t i = 0; i < r->verdict_count; i++)
        write_verdict(&w, &r->verdicts[i]);
    json_write_close(&w, ']');
    json_write_open(&w, "findings", '[');
    for (size_t i = 0; i < r->n; i++)
        write_finding(&w, &r->v[i]);
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    print(&c->out, "\n");
}

/* ---- GitHub Actions ---- */

static const char *annotation_word(enum lint_severity s)
{
    switch (s) {
    case LINT_ERROR:
        return "error";
    case LINT_WARN:
        return "warning";
    case LINT_NOTE:
        break;
    }
    return "notice";
}

void lint_view_github(struct command_context *c, const struct lint_report *r)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < r->n; i++) {
        const struct lint_finding *f = &r->v[i];
        if (!stands(f))
            continue;
        const char *title = arena_printf(a, "%s %s", f->rule->name, f->rule->title);
        const char *text =
            arena_printf(a, "%s\n%s\nInstead: %s%s%s", f->what, f->rule->why, f->rule->rewrite,
                         f->is_assumed ? "\n" : "", f->is_assumed ? assumed : "");
        const char *where =
            arena_printf(a, "%s:%u:%u", f->migration->file, f->place.line, f->place.column);
        print_annotation(a, &c->out,
                         &(struct annotation){ annotation_word(f->severity), where, title, text });
    }
    print_summary(c, r);
}
