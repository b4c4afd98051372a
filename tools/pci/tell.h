/* SPDX-License-Identifier: LGPL-2.1-only */
/* How the parts that find something tell it. */
#ifndef PCI_TELL_H
#define PCI_TELL_H

#include "findings.h"

struct teller {
    pci_finding_listener *tell;
    void *context;
    size_t device; /* that findings are about */
};

/* The last arguments make up what was found. */
void tell_good(const struct teller *t, const char *code, const char *evidence, const char *what,
               ...) __attribute__((format(printf, 4, 5)));
void tell_bad(const struct teller *t, enum pci_grade grade, const char *code, const char *evidence,
              const char *mend, const char *what, ...) __attribute__((format(printf, 6, 7)));

#endif
