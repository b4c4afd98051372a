/* SPDX-License-Identifier: LGPL-2.1-only */
/* links: tools/pci/guest_config.c daemon/config_scan.c daemon/config_text.c */
/*
 * Whatever a file says that is to be a guest's configuration: it is read or refused with a reason
 * and, where xl's own parser refuses it, a line that the file has; what was read is printable, and
 * every setting and entry is on a line of the file.
 */
#include "fuzz.h"

#include <string.h>

#include "../../tools/pci/guest_config.h"

#define PATH   "guest.cfg"
#define CANARY 0x5a

static unsigned int count_lines(const uint8_t *data, size_t size);
static void check_refusal(int result, const struct guest_config *config, unsigned int line,
                          unsigned int lines, const char *error);
static void check_settings(const struct guest_config *c, unsigned int lines);
static void check_entries(const struct guest_config *c, unsigned int lines);

/* libxlutil loses settings of the same name, and what it had read where it gives up. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xlu__cfg\nleak:xlu_pci_parse_spec_string\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guest_config config;
    unsigned int line = 0, lines = count_lines(data, size);
    char error[512] = "";
    int result;

    memset(&config, CANARY, sizeof(config));
    result =
        guest_config_parse((const char *)data, size, PATH, &config, &line, error, sizeof(error));
    if (result != GUEST_CONFIG_OK) {
        check_refusal(result, &config, line, lines, error);
        return 0;
    }
    check_settings(&config, lines);
    check_entries(&config, lines);
    return 0;
}

/* The empty one behind the last newline counts: there a file may end too early. */
static unsigned int count_lines(const uint8_t *data, size_t size)
{
    unsigned int lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

static void check_refusal(int result, const struct guest_config *config, unsigned int line,
                          unsigned int lines, const char *error)
{
    const unsigned char *untouched = (const unsigned char *)config;

    FUZZ_CHECK(result == GUEST_CONFIG_WRONG || result == GUEST_CONFIG_UNREADABLE);
    FUZZ_CHECK(strncmp(error, PATH ":", strlen(PATH ":")) == 0);
    FUZZ_CHECK(result != GUEST_CONFIG_WRONG || (line > 0 && line <= lines));
    for (size_t i = 0; i < sizeof(*config); i++)
        FUZZ_CHECK(untouched[i] == CANARY);
}

static void check_settings(const struct guest_config *c, unsigned int lines)
{
    const struct guest_text *const texts[] = {
        &c->name,
        &c->type,
        &c->builder,
        &c->cpus,
        &c->cpus_soft,
        &c->rdm,
        &c->bios_path,
        &c->kernel,
        &c->gfx_passthru,
        &c->passthrough,
        &c->bios,
        &c->device_model,
        &c->device_model_version,
    };
    const struct guest_number *const numbers[] = {
        &c->memory_mib,    &c->maxmem_mib,       &c->vcpus,
        &c->mmio_hole_mib, &c->videoram_mib,     &c->pci_permissive,
        &c->pci_seize,     &c->pci_msitranslate, &c->pci_power_mgmt,
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FUZZ_CHECK(texts[i]->line <= lines);
        fuzz_check_text(texts[i]->value, sizeof(texts[i]->value));
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        FUZZ_CHECK(numbers[i]->line <= lines);
        FUZZ_CHECK(numbers[i]->line || numbers[i]->value == 0);
        FUZZ_CHECK(numbers[i]->misread == GUEST_READ || numbers[i]->value == 0);
    }
}

static void check_entries(const struct guest_config *c, unsigned int lines)
{
    FUZZ_CHECK(c->pci_line <= lines && c->pci_count <= GUEST_PCI_MAX);
    FUZZ_CHECK(c->vif_count <= GUEST_VIFS_MAX);
    FUZZ_CHECK(c->pci_count == 0 || (c->pci_line > 0 && c->pci_misread == GUEST_READ));
    for (size_t i = 0; i < c->pci_count; i++) {
        FUZZ_CHECK(c->pci[i].line > 0 && c->pci[i].line <= lines);
        fuzz_check_text(c->pci[i].text, sizeof(c->pci[i].text));
    }
    for (size_t i = 0; i < c->vif_count; i++) {
        FUZZ_CHECK(c->vifs[i].line > 0 && c->vifs[i].line <= lines);
        fuzz_check_text(c->vifs[i].bridge, sizeof(c->vifs[i].bridge));
    }
}
