/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-validate: what is wrong with a guest's configuration. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "validate.h"

#define EXIT_WARNINGS 2 /* this command's own, as pci-check's */

struct checked {
    const char *path;
    struct guest_config config;
    struct guest_findings findings;
    char not_checked[512];
};

static enum cli_exit check(const struct command_line *line, struct checked *c);
static enum cli_exit check_on_host(const struct command_line *line, struct checked *c);
static void print_text(const struct checked *c);
static enum cli_exit print_json(const struct checked *c);

enum cli_exit cmd_pci_validate(const struct cli *cli, const struct command_line *line)
{
    static struct checked c; /* large */
    enum cli_exit exit_code;

    c.path = line->operands[0];
    exit_code = check(line, &c);
    if (exit_code == CLI_DONE && c.findings.out_of_memory)
        exit_code = cli_out_of_memory();
    if (exit_code == CLI_DONE && cli->json)
        exit_code = print_json(&c);
    else if (exit_code == CLI_DONE)
        print_text(&c);
    if (exit_code == CLI_DONE && guest_findings_count(&c.findings, GUEST_ERROR))
        exit_code = CLI_FAILED;
    else if (exit_code == CLI_DONE && c.findings.count)
        exit_code = (enum cli_exit)EXIT_WARNINGS;
    guest_findings_dispose(&c.findings);
    return exit_code;
}

/* The complaint without the "PATH:LINE: " before it, which is told of every finding. */
static const char *without_place(const char *path, unsigned int line, const char *error)
{
    char place[512];
    int length = snprintf(place, sizeof(place), "%s:%u: ", path, line);

    if (length < (int)sizeof(place) && strncmp(error, place, (size_t)length) == 0)
        return error + length;
    return error;
}

static enum cli_exit check(const struct command_line *line, struct checked *c)
{
    char error[512];
    unsigned int at;

    switch (guest_config_read(c->path, &c->config, &at, error, sizeof(error))) {
    case GUEST_CONFIG_OK: return check_on_host(line, c);
    case GUEST_CONFIG_WRONG:
        guest_finding_add(&c->findings, GUEST_RULE_SYNTAX, at, "%s",
                          without_place(c->path, at, error));
        guest_finding_mend(&c->findings, "quotes around values with letters, commas between values "
                                         "of a list");
        snprintf(c->not_checked, sizeof(c->not_checked), "anything else, until it can be read");
        return CLI_DONE;
    default: cli_error("%s", error); return CLI_FAILED;
    }
}

/* A machine that is no dom0 tells nothing about the guest's host. */
static enum cli_exit check_on_host(const struct command_line *line, struct checked *c)
{
    const char *root = pci_command_option(line, 'r');
    struct guest_surroundings around = {.physbits = 0};
    struct pci_host host;
    enum cli_exit exit_code = pci_command_read(line, &host);
    bool is_host;

    if (exit_code != CLI_DONE)
        return exit_code;
    is_host = root || !host.has_sysfs || host.machine.dom0 == PCI_YES;
    if (is_host && host.has_sysfs)
        guest_surroundings_read(root, &c->config, &around);
    guest_validate(&c->config, is_host ? &host : NULL, &around, &c->findings);
    guest_not_checked(&c->config, is_host ? &host : NULL, &around, c->not_checked,
                      sizeof(c->not_checked));
    pci_host_dispose(&host);
    return CLI_DONE;
}

static const char *severity_name(enum guest_severity severity)
{
    return severity == GUEST_ERROR ? "error" : "warning";
}

static void print_text(const struct checked *c)
{
    size_t errors = guest_findings_count(&c->findings, GUEST_ERROR);
    size_t warnings = guest_findings_count(&c->findings, GUEST_WARNING);

    for (size_t i = 0; i < c->findings.count; i++) {
        const struct guest_finding *f = &c->findings.list[i];
        const struct guest_rule *rule = &guest_rules[f->rule];

        printf("%s:%u: %s %u: %s\n  reason: %s\n  mend:   %s\n", c->path, f->line,
               severity_name(rule->severity), rule->number, f->what, rule->reason, f->mend);
    }
    if (errors + warnings == 0)
        printf("%s: nothing found\n", c->path);
    else
        printf("%s: %zu error%s, %zu warning%s\n", c->path, errors, errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
    if (c->not_checked[0])
        printf("not checked: %s\n", c->not_checked);
}

static enum cli_exit print_json(const struct checked *c)
{
    struct xlp_json_writer *w = cli_json_start();

    if (!w)
        return cli_out_of_memory();
    xlp_json_put_string(w, "file", c->path);
    xlp_json_write_key(w, "findings");
    xlp_json_open_array(w);
    for (size_t i = 0; i < c->findings.count; i++) {
        const struct guest_finding *f = &c->findings.list[i];
        const struct guest_rule *rule = &guest_rules[f->rule];

        xlp_json_open_object(w);
        xlp_json_put_int(w, "number", rule->number);
        xlp_json_put_string(w, "severity", severity_name(rule->severity));
        xlp_json_put_int(w, "line", f->line);
        xlp_json_put_string(w, "what", f->what);
        xlp_json_put_string(w, "reason", rule->reason);
        xlp_json_put_string(w, "mend", f->mend);
        xlp_json_close_object(w);
    }
    xlp_json_close_array(w);
    xlp_json_put_int(w, "errors", (int64_t)guest_findings_count(&c->findings, GUEST_ERROR));
    xlp_json_put_int(w, "warnings", (int64_t)guest_findings_count(&c->findings, GUEST_WARNING));
    xlp_json_put_string(w, "not_checked", c->not_checked);
    return cli_json_print(w);
}
