/* SPDX-License-Identifier: LGPL-2.1-only */
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 6, 0)))
tell(const struct teller *t, enum pci_grade grade, const char *code, const char *evidence,
     const char *mend, const char *what, va_list arguments)
{
    struct pci_finding finding = {.grade = grade, .code = code, .device = t->device};

    vsnprintf(finding.what, sizeof(finding.what), what, arguments);
    snprintf(finding.evidence, sizeof(finding.evidence), "%s", evidence);
    snprintf(finding.mend, sizeof(finding.mend), "%s", mend);
    t->tell(t->context, &finding);
}

void tell_good(const struct teller *t, const char *code, const char *evidence, const char *what,
               ...)
{
    va_list arguments;

    va_start(arguments, what);
    tell(t, PCI_GOOD, code, evidence, "", what, arguments);
    va_end(arguments);
}

void tell_bad(const struct teller *t, enum pci_grade grade, const char *code, const char *evidence,
              const char *mend, const char *what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    tell(t, grade, code, evidence, mend, what, arguments);
    va_end(arguments);
}
