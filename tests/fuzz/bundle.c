/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a bundle: the validator refuses them or gives a view that is safe to walk. */
#include <stdlib.h>
#include <string.h>

#include "rpk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = aligned_alloc(8, (size + 15) & ~(size_t)7);
    struct rpk pack;
    char why[256];
    volatile uint64_t sum = 0;

    memcpy(copy, data, size);
    if (rpk_open(&pack, copy, size, why, sizeof(why)) == 0 ||
        rpk_open_section(&pack, copy, size, why, sizeof(why)) == 0) {
        for (uint32_t i = 0; i < pack.head->rules.n; i++)
            sum += strlen(rpk_text(&pack, pack.rules[i].name));
        for (uint32_t i = 0; i < pack.head->nodes.n; i++)
            sum += pack.atoms[pack.nodes[i].atom].op;
    }
    free(copy);
    return 0;
}
