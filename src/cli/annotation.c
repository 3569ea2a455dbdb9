/*
 * Annotations of GitHub Actions: see annotation.h.
 */
#include "cli/annotation.h"

#include "base/str.h"
#include "cli/output.h"

#include <string.h>

char *annotation_escape(struct arena *a, const char *text, bool is_property)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *special = is_property ? "%\r\n:," : "%\r\n";
    char *to = arena_alloc(a, strlen(text) * 3 + 1);
    char *at = to;
    for (; *text; text++) {
        if (!strchr(special, *text)) {
            *at++ = *text;
            continue;
        }
        *at++ = '%';
        *at++ = hex[(unsigned char)*text >> 4];
        *at++ = hex[(unsigned char)*text & 15];
    }
    *at = '\0';
    return to;
}

void print_annotation(struct arena *a, const struct terminal *to, const struct annotation *x)
{
    struct str rest = str_of(x->where ? x->where : "");
    const char *file = str_dup(a, str_cut(&rest, ':'));
    uint64_t line = 0, column = 0;
    print(to, "::%s ", x->word);
    if (str_to_u64(str_cut(&rest, ':'), &line)) {
        print(to, "file=%s,line=%llu,", annotation_escape(a, file, true), (unsigned long long)line);
        if (str_to_u64(rest, &column))
            print(to, "col=%llu,", (unsigned long long)column);
    }
    print(to, "title=%s::%s\n", annotation_escape(a, x->title, true),
          annotation_escape(a, x->text, false));
}
