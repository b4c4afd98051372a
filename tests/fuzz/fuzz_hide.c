/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/hide.c tools/pci/early.c tools/pci/address.c */
/*
 * Whatever stands in hide=, in a file of modprobe.d or on the kernel's command line: it is read or
 * refused at a place that it has, no more is written than there is room for, and what was read,
 * written out in full, reads back as the same functions.
 */
#include "fuzz.h"

#include <string.h>

#include "../../tools/pci/early.h"
#include "../../tools/pci/hide.h"

#define ROOM       16
#define ENTRY_SIZE sizeof("(0000:00:00.0)")

static void check_hide(const char *text);
static void check_refusal(const char *text, const char *error);
static void check_hidden(const struct pci_hidden *h);
static void check_again(const struct pci_hidden *hidden, size_t count);
static void check_find(const char *text, const char *module);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_hide(text);
    check_find(text, "options " EARLY_MODULE);
    check_find(text, EARLY_MODULE ".");
    early_has_line(text, EARLY_MODULE);
    free(text);
    return 0;
}

static void check_hide(const char *text)
{
    struct pci_hidden hidden[ROOM + 1], canary;
    char error[256] = "";
    int count;

    memset(&canary, 0x5a, sizeof(canary));
    hidden[ROOM] = canary;
    count = pci_hide_parse(text, hidden, ROOM, error, sizeof(error));
    FUZZ_CHECK(memcmp(&hidden[ROOM], &canary, sizeof(canary)) == 0);
    FUZZ_CHECK(pci_hide_parse(text, NULL, 0, error, sizeof(error)) == count);
    if (count < 0) {
        check_refusal(text, error);
        return;
    }
    FUZZ_CHECK(count > 0 && (size_t)count <= strlen(text) / strlen("(0:0.0)"));
    if (count > ROOM)
        count = ROOM;
    for (int i = 0; i < count; i++)
        check_hidden(&hidden[i]);
    check_again(hidden, (size_t)count);
}

static void check_refusal(const char *text, const char *error)
{
    size_t at;

    FUZZ_CHECK(sscanf(error, "hide= at character %zu: ", &at) == 1);
    FUZZ_CHECK(at >= 1 && at <= strlen(text) + 1);
}

static void check_hidden(const struct pci_hidden *h)
{
    FUZZ_CHECK(h->slot == PCI_HIDE_ALL || (h->slot >= 0 && h->slot <= 31));
    FUZZ_CHECK(h->function == PCI_HIDE_ALL || (h->function >= 0 && h->function <= 7));
    FUZZ_CHECK(h->slot != PCI_HIDE_ALL || h->function == PCI_HIDE_ALL);
}

static void check_again(const struct pci_hidden *hidden, size_t count)
{
    char text[ROOM * ENTRY_SIZE], error[256];
    struct pci_hidden again[ROOM];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        const struct pci_hidden *h = &hidden[i];
        char slot[4] = "*", function[4] = "*";

        if (h->slot != PCI_HIDE_ALL)
            snprintf(slot, sizeof(slot), "%02x", (unsigned int)h->slot & 0x1f);
        if (h->function != PCI_HIDE_ALL)
            snprintf(function, sizeof(function), "%x", (unsigned int)h->function & 7);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "(%04x:%02x:%s.%s)", h->domain,
                                 h->bus, slot, function);
    }
    FUZZ_CHECK(pci_hide_parse(text, again, ROOM, error, sizeof(error)) == (int)count);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(again[i].domain == hidden[i].domain && again[i].bus == hidden[i].bus);
        FUZZ_CHECK(again[i].slot == hidden[i].slot && again[i].function == hidden[i].function);
    }
}

/* Once with too little room for anything: what does not fit is told. */
static void check_find(const char *text, const char *module)
{
    static char hide[8192];
    char small[2];

    FUZZ_CHECK(early_find_hide(text, module, hide, sizeof(hide)));
    FUZZ_CHECK(hide[strcspn(hide, " \t\n\"")] == '\0');
    FUZZ_CHECK(!hide[0] || strstr(text, hide));
    FUZZ_CHECK(early_find_hide(text, module, small, sizeof(small)) ==
               (strlen(hide) < sizeof(small)));
}
