/*
 * The three ways in which a lint report is shown: for people, as JSON, as annotations of GitHub
 * Actions. Each on c->out.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_LINT_VIEW_H
#define LOCKFLIGHT_COMMAND_MIGRATION_LINT_VIEW_H

#include "cli/command.h"
#include "migrate/lint/lint.h"

void lint_view_people(struct command_context *c, const struct lint_report *r);
void lint_view_json(struct command_context *c, const struct lint_report *r);
void lint_view_github(struct command_context *c, const struct lint_report *r);

#endif
