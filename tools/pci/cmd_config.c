/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-config: a guest's configuration from a template, devices and sizes. */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/words.h"
#include "describe.h"
#include "generate.h"
#include "move.h"
#include "other_guests.h"
#include "validate.h"

#define TEMPLATES    XLP_DATADIR "/xen-configs"
#define TEMPLATE_MAX (64 * 1024)
#define VCPUS        4
#define VCPUS_MAX    512
#define MEMORY_MAX   (INT64_C(16) << 30) /* KiB: what Xen can address */

static enum cli_exit read_request(const struct command_line *line, struct guest_request *request);
static enum cli_exit find_devices(const struct command_line *line, const struct pci_host *host,
                                  struct guest_request *request);
static void warn_of_template(const struct guest_template *t, const struct pci_host *host,
                             const struct guest_request *request);
static enum cli_exit make_room(const struct command_line *line, const struct pci_host *host,
                               struct guest_request *request);
static enum cli_exit write_config(const struct command_line *line, const struct pci_host *host,
                                  const struct guest_request *request);

enum cli_exit cmd_pci_config(const struct cli *cli, const struct command_line *line)
{
    struct guest_request request = {.vcpus = VCPUS};
    struct pci_host host;
    enum cli_exit exit_code;

    (void)cli;
    exit_code = read_request(line, &request);
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = pci_command_read(line, &host);
    if (exit_code != CLI_DONE)
        return exit_code;
    exit_code = find_devices(line, &host, &request);
    if (exit_code == CLI_DONE)
        exit_code = move_check_losses(line, &host, request.devices, request.device_count);
    if (exit_code == CLI_DONE)
        exit_code = make_room(line, &host, &request);
    if (exit_code == CLI_DONE)
        other_guests_warn(&host, request.devices, request.device_count, request.name,
                          pci_command_option(line, 'r'));
    if (exit_code == CLI_DONE)
        exit_code = write_config(line, &host, &request);
    pci_host_dispose(&host);
    return exit_code;
}

/* ---- what was asked for ---- */

static enum cli_exit read_number(const struct command_line *line, int letter, const char *name,
                                 uint64_t max, uint64_t *value)
{
    const char *text = pci_command_option(line, letter);
    char *end;

    if (!text)
        return CLI_DONE;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || errno || *value == 0 || *value > max)
        return cli_usage_error("pci-config",
                               "pci-config: --%s: \"%s\" is not a number from 1 to %" PRIu64, name,
                               text, max);
    return CLI_DONE;
}

/* A size has a unit here as everywhere else; xl counts in whole MiB. */
static enum cli_exit read_memory(const struct command_line *line, uint64_t *mib_out)
{
    const char *text = pci_command_option(line, 'm');
    int64_t kib;

    if (xlp_size_lacks_unit(text))
        return cli_usage_error("pci-config",
                               "pci-config: --memory: \"%s\" has no unit: for MiB write %sm", text,
                               text);
    if (xlp_size_parse(text, &kib) < 0 || kib < 1024 || kib > MEMORY_MAX || kib % 1024)
        return cli_usage_error("pci-config",
                               "pci-config: --memory: \"%s\" is not a size from 1m to 16t in whole "
                               "MiB, as 4096m or 4g",
                               text);
    *mib_out = (uint64_t)kib / 1024;
    return CLI_DONE;
}

/* What goes between quotes must not end them. */
static enum cli_exit read_word(const struct command_line *line, int letter, const char *name,
                               const char **value)
{
    const char *text = pci_command_option(line, letter);

    if (!text)
        return CLI_DONE;
    for (const char *c = text; *c; c++)
        if (!isgraph((unsigned char)*c) || strchr("\"'\\,", *c))
            return cli_usage_error("pci-config",
                                   "pci-config: --%s: \"%s\" has a character that "
                                   "cannot stand in a configuration",
                                   name, text);
    *value = text;
    return CLI_DONE;
}

static enum cli_exit check_template(const char *name)
{
    const char *nearest = NULL;
    size_t shortest = 4;

    if (!name || !name[0])
        return cli_usage_error("pci-config", "pci-config: needs --template");
    if (guest_template_by_name(name))
        return CLI_DONE;
    for (size_t i = 0; i < guest_template_count; i++) {
        size_t letters = words_distance(name, guest_templates[i].name);

        if (letters < shortest) {
            shortest = letters;
            nearest = guest_templates[i].name;
        }
    }
    if (nearest)
        return cli_usage_error("pci-config", "pci-config: no template \"%s\"; did you mean \"%s\"?",
                               name, nearest);
    return cli_usage_error("pci-config", "pci-config: no template \"%s\"", name);
}

static enum cli_exit read_request(const struct command_line *line, struct guest_request *request)
{
    uint64_t vcpus = request->vcpus;
    enum cli_exit exit_code = check_template(pci_command_option(line, 't'));

    if (exit_code != CLI_DONE)
        return exit_code;
    if (!pci_command_has(line, 'D'))
        return cli_usage_error("pci-config", "pci-config: needs --device");
    if (!pci_command_has(line, 'm'))
        return cli_usage_error("pci-config", "pci-config: needs --memory, as 4g");
    request->name = pci_command_option(line, 't');
    exit_code = read_memory(line, &request->memory_mib);
    if (exit_code == CLI_DONE)
        exit_code = read_number(line, 'c', "vcpus", VCPUS_MAX, &vcpus);
    if (exit_code == CLI_DONE)
        exit_code = read_word(line, 'n', "name", &request->name);
    if (exit_code == CLI_DONE)
        exit_code = read_word(line, 'k', "disk", &request->disk);
    if (exit_code == CLI_DONE)
        exit_code = read_word(line, 'b', "bridge", &request->bridge);
    request->vcpus = (uint32_t)vcpus;
    return exit_code;
}

/* ---- what it comes to ---- */

static enum cli_exit find_devices(const struct command_line *line, const struct pci_host *host,
                                  struct guest_request *request)
{
    for (int i = 0; i < line->option_count; i++) {
        size_t device;
        enum cli_exit exit_code;

        if (line->options[i].letter != 'D')
            continue;
        exit_code = pci_command_find(host, line, line->options[i].value, &device);
        if (exit_code != CLI_DONE)
            return exit_code;
        if (pci_is_bridge(&host->devices[device])) {
            cli_error("pci-config: %s is a bridge: give away the devices behind it",
                      line->options[i].value);
            return CLI_FAILED;
        }
        if (guest_request_add(request, host, device) < 0) {
            cli_error("pci-config: more than %d devices", GUEST_PCI_MAX);
            return CLI_FAILED;
        }
    }
    warn_of_template(guest_template_by_name(pci_command_option(line, 't')), host, request);
    return CLI_DONE;
}

static void warn_of_template(const struct guest_template *t, const struct pci_host *host,
                             const struct guest_request *request)
{
    const struct pci_device *first = &host->devices[request->devices[0]];
    char address[PCI_ADDRESS_SIZE], text[DESCRIBE_SIZE];

    for (size_t i = 0; i < request->device_count; i++)
        if (guest_template_suits(t, &host->devices[request->devices[i]]))
            return;
    cli_error("pci-config: warning: %s is for %s, and %s is %s", t->name, t->purpose,
              pci_address_format(&first->address, address), describe_class(first, text));
}

static enum cli_exit make_room(const struct command_line *line, const struct pci_host *host,
                               struct guest_request *request)
{
    struct guest_surroundings around;
    struct guest_config nothing = {.vif_count = 0};
    char address[PCI_ADDRESS_SIZE], size[DESCRIBE_SIZE];
    uint32_t tag;

    guest_surroundings_read(pci_command_option(line, 'r'), &nothing, &around);
    if (guest_request_make_room(request, host, around.physbits, &tag) == 0)
        return CLI_DONE;
    if (tag == GUEST_BAR_EMULATED) {
        cli_error("pci-config: the emulated devices find no room beside these");
        return CLI_FAILED;
    }
    cli_error(
        "pci-config: %s: %s of %s finds no room in a guest, whatever its mmio_hole; fewer "
        "devices, or a smaller BAR (Resizable BAR)",
        pci_address_format(&host->devices[tag / PCI_REGIONS].address, address),
        describe_region_name(tag % PCI_REGIONS),
        describe_size(host->devices[tag / PCI_REGIONS].regions[tag % PCI_REGIONS].size, size));
    return CLI_FAILED;
}

/* ---- writing it ---- */

/* NUL-terminated; the caller frees it. NULL: the error has been printed. */
static char *read_template(const char *directory, const char *name)
{
    char path[4096];
    char *text = malloc(TEMPLATE_MAX + 1);
    FILE *file;
    size_t got;

    snprintf(path, sizeof(path), "%s/%s.cfg", directory, name);
    file = text ? fopen(path, "re") : NULL;
    if (!file) {
        cli_error("cannot read %s: %s; --templates DIR names another directory", path,
                  strerror(errno));
        free(text);
        return NULL;
    }
    got = fread(text, 1, TEMPLATE_MAX, file);
    fclose(file);
    text[got] = '\0';
    return text;
}

static enum cli_exit write_config(const struct command_line *line, const struct pci_host *host,
                                  const struct guest_request *request)
{
    const char *directory = pci_command_option(line, 'T'), *name = pci_command_option(line, 't');
    char *common, *special = NULL;
    enum cli_exit exit_code = CLI_FAILED;

    directory = directory ? directory : TEMPLATES;
    common = read_template(directory, "common");
    if (common)
        special = read_template(directory, name);
    if (common && special) {
        printf("# Made by xlpolicy pci-config --template %s.\n"
               "# What is to be expected of it: README.md beside the templates.\n",
               name);
        guest_generate(request, host, common, special, stdout);
        exit_code = CLI_DONE;
    }
    free(common);
    free(special);
    return exit_code;
}
