/*
 * The manifest of a proved site, from a journal or an attestation. What is believed is what its
 * digest says, and it comes out as it went in.
 */
#include "site/artefact.h"

#include "fuzz.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct err e = { 0 };
    json_auto_t *value = json_parse(fuzz_input(data, size), "manifest", &e);
    if (!value)
        return 0;
    struct artefact art, back;
    if (!artefact_from_json(a, value, &art, &e)) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        return 0;
    }
    for (size_t i = 0; i < art.n_files; i++) {
        assert(art.files[i].path[0] == '/' && !fuzz_climbs(art.files[i].path));
        assert(i == 0 || strcmp(art.files[i - 1].path, art.files[i].path) < 0);
        assert(artefact_find(&art, art.files[i].path) == &art.files[i]);
    }
    json_auto_t *written = NULL;
    assert(artefact_to_json(a, &art, &written, &e));
    assert(artefact_from_json(a, written, &back, &e));
    assert(streq(back.digest, art.digest) && back.n_files == art.n_files);
    return 0;
}
