/* SPDX-License-Identifier: LGPL-2.1-only */
#include "address.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* Hexadecimal digits, min to max of them, then the character `end`. NULL: something else. */
static const char *read_hex(const char *text, int min, int max, char end, uint32_t *value_out)
{
    uint32_t value = 0;
    int digits = 0;

    for (; digits < max && isxdigit((unsigned char)*text); digits++, text++) {
        int c = tolower((unsigned char)*text);

        value = value << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    if (digits < min || *text != end)
        return NULL;
    *value_out = value;
    return end ? text + 1 : text;
}

/* The part that both forms have. */
static bool read_bus(const char *text, struct pci_address *address)
{
    uint32_t bus, device, function;

    text = read_hex(text, 1, 2, ':', &bus);
    text = text ? read_hex(text, 1, 2, '.', &device) : NULL;
    text = text ? read_hex(text, 1, 1, '\0', &function) : NULL;
    if (!text || device > 31 || function > 7)
        return false;
    address->bus = (uint8_t)bus;
    address->device = (uint8_t)device;
    address->function = (uint8_t)function;
    return true;
}

bool pci_address_parse(const char *text, struct pci_address *address_out)
{
    struct pci_address address = {0};
    const char *rest = read_hex(text, 1, 8, ':', &address.domain);

    if (!rest || !read_bus(rest, &address)) {
        address.domain = 0;
        if (!read_bus(text, &address))
            return false;
    }
    *address_out = address;
    return true;
}

char *pci_address_format(const struct pci_address *address, char text[PCI_ADDRESS_SIZE])
{
    snprintf(text, PCI_ADDRESS_SIZE, "%04x:%02x:%02x.%x", address->domain, address->bus,
             address->device & 31u, address->function & 7u);
    return text;
}

int pci_address_compare(const struct pci_address *a, const struct pci_address *b)
{
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    if (a->bus != b->bus)
        return a->bus - b->bus;
    if (a->device != b->device)
        return a->device - b->device;
    return a->function - b->function;
}

bool pci_address_same_device(const struct pci_address *a, const struct pci_address *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}
