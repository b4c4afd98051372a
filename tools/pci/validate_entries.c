/* SPDX-License-Identifier: LGPL-2.1-only */
/* The rules about the entries of pci = [ ... ], each by itself and beside the others. */
#include <string.h>

#include "validate_parts.h"

static void check_form(struct validation *v, size_t i);
static void check_twice(struct validation *v, size_t i);
static void check_options(struct validation *v, const struct guest_pci *entry);
static void check_settings_for_all(struct validation *v);
static void check_rdm(struct validation *v);
static void check_gfx_passthru(struct validation *v);

void validate_entries(struct validation *v)
{
    for (size_t i = 0; i < v->config->pci_count; i++) {
        check_form(v, i);
        check_twice(v, i);
        check_options(v, &v->config->pci[i]);
    }
    check_settings_for_all(v);
    check_rdm(v);
    check_gfx_passthru(v);
}

static void name_unknown_option(struct validation *v, const struct guest_pci *entry)
{
    static const char *const known[] = {"bdf",   "vslot",        "name",       "permissive",
                                        "seize", "msitranslate", "power_mgmt", "rdm_policy"};

    for (size_t i = 0; i < entry->option_count; i++) {
        bool is_known = false;

        for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++)
            is_known = is_known || strcmp(entry->options[i].key, known[j]) == 0;
        if (!is_known) {
            guest_finding_mend(v->findings, "\"%s\" is no option; blanks do not belong there",
                               entry->options[i].key);
            return;
        }
    }
}

static void check_form(struct validation *v, size_t i)
{
    const struct guest_pci *entry = &v->config->pci[i];
    char address[PCI_ADDRESS_SIZE];

    if (entry->form == GUEST_PCI_REFUSED) {
        guest_finding_add(v->findings, GUEST_RULE_ENTRY, entry->line, "xl cannot read \"%s\"",
                          entry->text);
        guest_finding_mend(v->findings, "the form is \"0000:01:00.0\" or "
                                        "\"0000:01:00.0,rdm_policy=strict\"");
        name_unknown_option(v, entry);
    }
    if (entry->form == GUEST_PCI_ALL_FUNCTIONS) {
        guest_finding_add(v->findings, GUEST_RULE_ALL_FUNCTIONS, entry->line,
                          "\"%s\" stands for one function only", entry->text);
        guest_finding_mend(v->findings, "one entry for each function: \"%s\", and so on",
                           pci_address_format(&entry->address, address));
    }
    if (entry->form == GUEST_PCI_BY_NAME) {
        guest_finding_add(v->findings, GUEST_RULE_BY_NAME, entry->line, "\"%s\" is given by name",
                          entry->text);
        guest_finding_mend(v->findings,
                           "its address instead; `xl pci-assignable-list -n` shows which "
                           "device has that name");
    }
}

static void check_twice(struct validation *v, size_t i)
{
    const struct guest_pci *entry = &v->config->pci[i];

    if (entry->form != GUEST_PCI_ONE)
        return;
    for (size_t j = 0; j < i; j++) {
        if (v->config->pci[j].form != GUEST_PCI_ONE ||
            !validate_names(&v->config->pci[j], &entry->address))
            continue;
        guest_finding_add(v->findings, GUEST_RULE_TWICE, entry->line,
                          "\"%s\" is on line %u already", entry->text, v->config->pci[j].line);
        guest_finding_mend(v->findings, "leave one of the two out");
        return;
    }
}

/* An option that is on or off: says whether it is on, after checking that it is a number. */
static bool is_on(struct validation *v, const struct guest_pci *entry, const char *key)
{
    const char *value = guest_pci_option(entry, key);

    if (!value)
        return false;
    if (!guest_option_is_number(value)) {
        guest_finding_add(v->findings, GUEST_RULE_NOT_A_NUMBER, entry->line,
                          "%s=%s means %s=0 to xl", key, value, key);
        guest_finding_mend(v->findings, "%s=1, or leave it out", key);
        return false;
    }
    return strspn(value, "+-0 \t") < strlen(value);
}

static void check_options(struct validation *v, const struct guest_pci *entry)
{
    static const char *const without_effect[] = {"msitranslate", "power_mgmt"};

    if (is_on(v, entry, "permissive")) {
        guest_finding_add(v->findings, GUEST_RULE_PERMISSIVE, entry->line, "\"%s\" is permissive",
                          entry->text);
        guest_finding_mend(v->findings, "leave permissive out, unless the device does not work "
                                        "without it");
    }
    if (is_on(v, entry, "seize")) {
        guest_finding_add(v->findings, GUEST_RULE_SEIZE, entry->line, "\"%s\" is seized",
                          entry->text);
        guest_finding_mend(v->findings,
                           "leave seize out, and bind the device to pciback beforehand: "
                           "xlpolicy pci-prepare");
    }
    for (size_t i = 0; i < 2; i++) {
        if (!is_on(v, entry, without_effect[i]))
            continue;
        guest_finding_add(v->findings, GUEST_RULE_NO_EFFECT, entry->line, "%s has no effect",
                          without_effect[i]);
        guest_finding_mend(v->findings, "leave it out");
    }
}

/* What stands for all entries that do not say otherwise. */
static void check_settings_for_all(struct validation *v)
{
    const struct guest_config *c = v->config;

    if (c->pci_permissive.value) {
        guest_finding_add(v->findings, GUEST_RULE_PERMISSIVE, c->pci_permissive.line,
                          "pci_permissive is set: all devices are permissive");
        guest_finding_mend(v->findings, "permissive=1 on the one device that needs it, if any");
    }
    if (c->pci_seize.value) {
        guest_finding_add(v->findings, GUEST_RULE_SEIZE, c->pci_seize.line,
                          "pci_seize is set: all devices are seized");
        guest_finding_mend(v->findings, "leave pci_seize out, and bind the devices to pciback "
                                        "beforehand: xlpolicy pci-prepare");
    }
    if (c->pci_msitranslate.value || c->pci_power_mgmt.value) {
        guest_finding_add(
            v->findings, GUEST_RULE_NO_EFFECT,
            c->pci_msitranslate.value ? c->pci_msitranslate.line : c->pci_power_mgmt.line,
            "%s has no effect", c->pci_msitranslate.value ? "pci_msitranslate" : "pci_power_mgmt");
        guest_finding_mend(v->findings, "leave it out");
    }
}

static void check_rdm(struct validation *v)
{
    const struct guest_text *rdm = &v->config->rdm;

    if (!rdm->line || !strstr(rdm->value, "policy="))
        return;
    guest_finding_add(v->findings, GUEST_RULE_RDM, rdm->line,
                      "rdm = \"%s\" is refused by xl and has no "
                      "effect",
                      rdm->value);
    guest_finding_mend(v->findings, "rdm_policy=strict in the entries of pci instead");
}

static void check_gfx_passthru(struct validation *v)
{
    const struct guest_text *gfx = &v->config->gfx_passthru;

    if (!gfx->line || strcmp(gfx->value, "0") == 0 || !v->host || v->config->pci_count == 0)
        return;
    for (size_t i = 0; i < v->config->pci_count; i++)
        if (v->devices[i] != PCI_NO_DEVICE &&
            pci_is_integrated_graphics(&v->host->devices[v->devices[i]]))
            return;
    guest_finding_add(v->findings, GUEST_RULE_GFX_PASSTHRU, gfx->line,
                      "gfx_passthru is set, but no device is Intel's integrated graphics");
    guest_finding_mend(v->findings, "leave gfx_passthru out: the card is the guest's second one, "
                                    "beside the emulated one");
}
