/*
 * A proof for people: one line, and below it what differs, what stays behind and what is worth
 * knowing. On c->out.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_PROOF_VIEW_H
#define LOCKFLIGHT_COMMAND_MIGRATION_PROOF_VIEW_H

#include "cli/command.h"
#include "migrate/prove/proof.h"

void proof_view_people(struct command_context *c, const struct proof *p);

#endif
