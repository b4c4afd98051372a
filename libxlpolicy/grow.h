/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arrays that grow and are kept: a steady state allocates nothing. Not installed. */
#ifndef XLP_GROW_H
#define XLP_GROW_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for at least need elements of that size in *array, which is *room long now and may
 * move. 0, or -1 when memory is out (*array is then as it was). New room is zeroed: memory that is
 * touched for the first time is slow, and so it is when it is made, not on a later, busier tick. */
static inline int xlp_grow(void *array, size_t *room, size_t need, size_t size)
{
    size_t wanted = *room ? *room : 16;
    void *old, *grown;

    if (*room && need <= *room)
        return 0;
    while (wanted < need)
        wanted *= 2;
    memcpy(&old, array, sizeof(old)); /* by copy: *array is a pointer of another type */
    grown = reallocarray(old, wanted, size);
    if (!grown)
        return -1;
    memset((char *)grown + *room * size, 0, (wanted - *room) * size);
    memcpy(array, &grown, sizeof(grown));
    *room = wanted;
    return 0;
}

#endif
