/*
 * A flag document for other engines: what only ours knows ("requires" and "offVariant") is written
 * out as rules, so that any reader of flagd documents gives the same variants.
 *
 * HOW      A flag that requires another becomes {"if":[<the other one gives that variant>, its own
 *          rule, its off variant]}. The condition is the other flag's rule, with its own key written
 *          where "$flagd.flagKey" would name the flag around it, and with its default variant where
 *          it would give null; shares of users get their key written out, guarded, because without a
 *          targetingKey they give nothing. What can be decided without a context is decided here.
 *
 * SAME     Variant and value are the same as ours for every context; so is the reason, but where it
 *          is STATIC: a requirement that is never met is STATIC in the export, and a flag without a
 *          rule whose requirement depends on the context is DEFAULT there. Metadata tells
 *          "requires":"crm", by which flag_export_rule finds the flag's own rule again. One whose
 *          requirement is not met for anybody is off for everyone, and its own rule is not in the
 *          document: flag_export_has_rule says so.
 */
#ifndef LOCKFLIGHT_FLAG_EXPORT_H
#define LOCKFLIGHT_FLAG_EXPORT_H

#include "base/err.h"

#include <jansson.h>

/* `document` as document.h describes it, "flags" an object. The caller owns *ret. ERR_DATA names the
 * flag that cannot be written so (in a circle, without an off variant); ERR_LIMIT if it grows too
 * large. */
bool flag_export(const json_t *document, json_t **ret, struct err *e) MUST_USE;

/* Of a flag in an exported or any other flagd document: the rule that is its own, without what
 * flag_export wrapped around it. Borrowed; NULL: none. */
const json_t *flag_export_rule(const json_t *flag);
bool flag_export_has_rule(const json_t *flag);

#endif
