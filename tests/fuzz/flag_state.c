/*
 * States of a flag in words, and whom a change moves. Two sections, each a JSON object as an import, an
 * audit or an older version may hold. Whatever they are, there are words for them, no more users move
 * than there are, and a difference leads from one to the other.
 */
#include "fuzz.h"

#include "flag/moves.h"
#include "flag/state.h"

static json_t *state_of(struct str text)
{
    json_auto_t *raw = json_loadb(text.p, text.n, 0, NULL);
    return flag_state_of(raw);
}

static void check_moves(struct arena *a, const json_t *from, const json_t *to)
{
    struct flag_moves m = flag_moves(a, from, to, "off");
    assert(flag_moves_words(a, &m, " -> ")[0]);
    assert(m.lost <= m.moved && m.moved <= FLAG_BUCKETS);
    uint64_t sum = 0;
    for (size_t i = 0; i < m.n; i++) {
        assert(m.v[i].buckets > 0 && !streq(m.v[i].from, m.v[i].to));
        sum += m.v[i].buckets;
    }
    assert(m.kind != FLAG_MOVES_EXACT || sum == m.moved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    json_auto_t *from = state_of(fuzz_section(&rest));
    json_auto_t *to = state_of(rest);
    assert(flag_state_words(a, from, "off")[0] && flag_state_words(a, to, "off")[0]);
    json_auto_t *patch = flag_state_difference(from, to);
    json_auto_t *there = flag_state_patched(from, patch);
    assert(json_equal(there, to));
    check_moves(a, from, to);
    check_moves(a, to, from);
    struct flag_moves none = flag_moves(a, from, from, "off");
    assert(none.moved == 0);
    return 0;
}
