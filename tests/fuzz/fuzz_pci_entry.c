/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/guest_config.c tools/pci/address.c daemon/config_scan.c daemon/config_text.c */
/*
 * Whatever an entry of pci = [ ... ] says, and whatever is given as an address on the command line:
 * what is taken for a device is within a bus's bounds, options are printable and where they were
 * written, and an address that both readers take is the same device to both.
 */
#include "fuzz.h"

#include <string.h>

#include "../../tools/pci/guest_config.h"

static void check_entry(const struct guest_pci *entry, const char *text);
static void check_options(const struct guest_pci *entry, const char *text);
static void check_address(const struct guest_pci *entry, const char *text);

/* libxlutil forgets the first of two names, and names before an option that it does not know. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xlu_pci_parse_spec_string\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct guest_pci entry;

    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    memset(&entry, 0x5a, sizeof(entry));
    guest_pci_parse(text, &entry);
    check_entry(&entry, text);
    check_options(&entry, text);
    check_address(&entry, text);
    free(text);
    return 0;
}

static void check_entry(const struct guest_pci *entry, const char *text)
{
    FUZZ_CHECK(entry->line == 0);
    FUZZ_CHECK(entry->form >= GUEST_PCI_ONE && entry->form <= GUEST_PCI_REFUSED);
    fuzz_check_text(entry->text, sizeof(entry->text));
    FUZZ_CHECK(strlen(text) >= strlen(entry->text));
    if (entry->form != GUEST_PCI_ONE && entry->form != GUEST_PCI_ALL_FUNCTIONS)
        return;
    FUZZ_CHECK(entry->address.domain <= 0xffff);
    FUZZ_CHECK(entry->address.device <= 31 && entry->address.function <= 7);
    FUZZ_CHECK(entry->form == GUEST_PCI_ONE || entry->address.function == 0);
}

static void check_options(const struct guest_pci *entry, const char *text)
{
    FUZZ_CHECK(entry->option_count <= GUEST_OPTIONS_MAX);
    for (size_t i = 0; i < entry->option_count; i++) {
        const struct guest_option *o = &entry->options[i];

        fuzz_check_text(o->key, sizeof(o->key));
        fuzz_check_text(o->value, sizeof(o->value));
        FUZZ_CHECK(guest_pci_option(entry, o->key) != NULL);
        FUZZ_CHECK(guest_option_is_number(o->value) || atoi(o->value) == 0);
    }
    FUZZ_CHECK(entry->option_count == 0 || strchr(text, '='));
}

/* Our reader of addresses is xl's without what may follow. */
static void check_address(const struct guest_pci *entry, const char *text)
{
    char canonical[PCI_ADDRESS_SIZE];
    struct pci_address address, again;

    if (!pci_address_parse(text, &address))
        return;
    FUZZ_CHECK(address.device <= 31 && address.function <= 7);
    FUZZ_CHECK(entry->form != GUEST_PCI_ONE || pci_address_compare(&address, &entry->address) == 0);
    pci_address_format(&address, canonical);
    FUZZ_CHECK(pci_address_parse(canonical, &again));
    FUZZ_CHECK(pci_address_compare(&address, &again) == 0);
}
