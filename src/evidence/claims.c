#include "evidence/claims.h"

#include <inttypes.h>
#include <string.h>

enum { CLAIMS_FIRST = 64 }; /* a report has about 90 */

bool
claims_add(struct claims *c, struct arena *arena, struct claim claim)
{
    if (c->count == c->cap) {
        size_t cap = c->cap == 0 ? CLAIMS_FIRST : 2 * c->cap;
        struct claim *list = arena_array(arena, cap, sizeof(*list));

        if (!list)
            return false;
        if (c->count > 0)
            memcpy(list, c->list, c->count * sizeof(*list));
        c->list = list;
        c->cap = cap;
    }
    c->list[c->count++] = claim;
    return true;
}

const struct claim *
claims_find(const struct claims *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->list[i].name, name) == 0)
            return &c->list[i];
    }
    return NULL;
}

const struct claim *
claims_find_arc(const struct claims *c, unsigned arc)
{
    for (size_t i = 0; i < c->count; i++) {
        if (arc != 0 && c->list[i].arc == arc)
            return &c->list[i];
    }
    return NULL;
}

void
claim_render(const struct claim *claim, struct buffer *out)
{
    switch (claim->kind) {
    case CLAIM_NUMBER:
        buffer_addf(out, "%" PRIu64, claim->number);
        break;
    case CLAIM_BOOL:
        buffer_add_str(out, claim->number ? "true" : "false");
        break;
    case CLAIM_BYTES:
        buffer_add_hex(out, claim->bytes);
        break;
    case CLAIM_TEXT:
        buffer_add(out, claim->bytes);
        break;
    }
}
