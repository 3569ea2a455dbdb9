/*
 * What each phase offers to the table: one file per phase under phases/. The contract is in
 * phase.h.
 */
#ifndef LOCKFLIGHT_ENGINE_PHASE_TABLE_H
#define LOCKFLIGHT_ENGINE_PHASE_TABLE_H

#include "engine/phase.h"

bool gate_run(struct release *r, struct err *e);

bool test_run(struct release *r, struct err *e);

bool draft_run(struct release *r, struct err *e);
bool draft_undo(struct release *r, struct err *e);
bool draft_probe(struct release *r, bool *ret_done, struct err *e);

bool variables_run(struct release *r, struct err *e);
bool variables_undo(struct release *r, struct err *e);
bool variables_probe(struct release *r, bool *ret_done, struct err *e);

bool database_run(struct release *r, struct err *e);
bool database_undo(struct release *r, struct err *e);
bool database_probe(struct release *r, bool *ret_done, struct err *e);

bool flags_run(struct release *r, struct err *e);

bool functions_run(struct release *r, struct err *e);
bool functions_undo(struct release *r, struct err *e);
bool functions_probe(struct release *r, bool *ret_done, struct err *e);

bool backend_run(struct release *r, struct err *e);

bool publish_run(struct release *r, struct err *e);
bool publish_undo(struct release *r, struct err *e);
bool publish_probe(struct release *r, bool *ret_done, struct err *e);

bool live_run(struct release *r, struct err *e);

bool seal_run(struct release *r, struct err *e);

#endif
