/* SPDX-License-Identifier: LGPL-2.1-only */
/* pci-prepare: how a device is bound to pciback, now and at every boot; with --now, doing it. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "early.h"
#include "files.h"
#include "hide.h"
#include "kernel.h"
#include "move.h"

struct prepared {
    const struct pci_host *host;
    struct move move;
    struct files files;
    char modprobe[EARLY_TEXT_MAX]; /* what EARLY_MODPROBE is to be */
    bool module_listed;            /* EARLY_MODULES has the line already */
    bool modprobe_there, grub_there;
};

static enum cli_exit prepare(const struct cli *cli, const struct command_line *line,
                             struct prepared *p);
static enum cli_exit bind_now(const struct cli *cli, const struct command_line *line,
                              struct prepared *p);
static enum cli_exit plan_early(struct prepared *p);
static enum cli_exit find_hidden(struct prepared *p, char *hide, size_t size);
static void print_now(const struct prepared *p);
static void print_early(const struct prepared *p);
static enum cli_exit write_files(const struct prepared *p, const char *directory);

enum cli_exit cmd_pci_prepare(const struct cli *cli, const struct command_line *line)
{
    static struct prepared p; /* large */
    struct pci_host host;
    enum cli_exit exit_code = pci_command_read(line, &host);
    const char *root = pci_command_option(line, 'r');

    if (exit_code != CLI_DONE)
        return exit_code;
    p.host = &host;
    p.files.root = root ? root : "";
    exit_code = move_choose(line, &host, &p.move);
    if (exit_code == CLI_DONE)
        exit_code = move_check_losses(line, &host, p.move.devices, p.move.count);
    if (exit_code == CLI_DONE)
        exit_code = move_check_owner(line, &host, &p.move);
    if (exit_code == CLI_DONE)
        exit_code = prepare(cli, line, &p);
    pci_host_dispose(&host);
    return exit_code;
}

static enum cli_exit prepare(const struct cli *cli, const struct command_line *line,
                             struct prepared *p)
{
    const char *directory = pci_command_option(line, 'w');
    bool early = directory || pci_command_has(line, 'e');
    enum cli_exit exit_code = CLI_DONE;

    if (early)
        exit_code = plan_early(p);
    if (exit_code == CLI_DONE && pci_command_has(line, 'o'))
        exit_code = bind_now(cli, line, p);
    else if (exit_code == CLI_DONE)
        print_now(p);
    if (exit_code == CLI_DONE && early)
        print_early(p);
    if (exit_code == CLI_DONE && directory && !cli->dry_run)
        exit_code = write_files(p, directory);
    return exit_code;
}

/* ---- now ---- */

static enum cli_exit bind_now(const struct cli *cli, const struct command_line *line,
                              struct prepared *p)
{
    struct handover h;

    if (cli->dry_run) {
        print_now(p);
        return CLI_DONE;
    }
    kernel_open(&h, pci_command_option(line, 'r'), move_tell);
    if (handover_bind(&h, p->move.functions, p->move.count) < 0) {
        cli_error("pci-prepare: %s", h.error);
        return CLI_FAILED;
    }
    printf("Undo: xlpolicy pci-release %s\n", p->move.name);
    return CLI_DONE;
}

static void print_now(const struct prepared *p)
{
    char address[PCI_ADDRESS_SIZE];

    printf("Until the next boot: xlpolicy pci-prepare --now %s, which binds\n", p->move.name);
    for (size_t i = 0; i < p->move.count; i++) {
        const struct pci_device *d = &p->host->devices[p->move.devices[i]];

        printf("    %s to pciback, %s%s\n", pci_address_format(&d->address, address),
               d->driver[0] ? "from " : "without a driver now", d->driver);
    }
    printf("Undo: xlpolicy pci-release %s\n", p->move.name);
}

/* ---- at boot ---- */

static enum cli_exit plan_early(struct prepared *p)
{
    char hide[EARLY_TEXT_MAX / 2], text[EARLY_TEXT_MAX];
    enum cli_exit exit_code = find_hidden(p, hide, sizeof(hide));

    if (exit_code != CLI_DONE)
        return exit_code;
    if (early_modprobe(p->host, p->move.devices, p->move.count, hide, p->modprobe,
                       sizeof(p->modprobe)) < 0) {
        cli_error("pci-prepare: too many devices in " EARLY_MODPROBE);
        return CLI_FAILED;
    }
    files_read(&p->files, EARLY_MODULES, text, sizeof(text));
    p->module_listed = early_has_line(text, EARLY_MODULE);
    p->modprobe_there = files_exist(&p->files, EARLY_MODPROBE);
    p->grub_there = files_exist(&p->files, EARLY_GRUB);
    return CLI_DONE;
}

static enum cli_exit check_hide(const char *where, const char *hide)
{
    char error[256];

    if (!hide[0] || pci_hide_parse(hide, NULL, 0, error, sizeof(error)) >= 0)
        return CLI_DONE;
    cli_error("pci-prepare: %s: %s; the module will not load with this: mend it first", where,
              error);
    return CLI_FAILED;
}

/* hide= counts once: what another file says would replace ours, or be replaced by it. */
static enum cli_exit check_file(struct prepared *p, const char *name, char *hide, size_t size)
{
    char path[FILES_PATH_SIZE], text[EARLY_TEXT_MAX], other[EARLY_TEXT_MAX / 2];
    bool ours;

    snprintf(path, sizeof(path), "/etc/modprobe.d/%s", name);
    ours = strcmp(path, EARLY_MODPROBE) == 0;
    if (!files_read(&p->files, path, text, sizeof(text)))
        return CLI_DONE;
    if (!early_find_hide(text, "options " EARLY_MODULE, other, sizeof(other))) {
        cli_error("pci-prepare: %s: hide= is too long", path);
        return CLI_FAILED;
    }
    if (check_hide(path, other) != CLI_DONE)
        return CLI_FAILED;
    if (ours)
        snprintf(hide, size, "%s", other);
    else if (other[0]) {
        cli_error("pci-prepare: %s has a hide= of its own, and only one counts: move it "
                  "to " EARLY_MODPROBE,
                  path);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

static enum cli_exit find_hidden(struct prepared *p, char *hide, size_t size)
{
    char **names;
    size_t count = files_list(&p->files, "/etc/modprobe.d", &names);
    enum cli_exit exit_code = CLI_DONE;
    char on_line[EARLY_TEXT_MAX / 2];

    hide[0] = '\0';
    for (size_t i = 0; i < count && exit_code == CLI_DONE; i++) {
        size_t length = strlen(names[i]);

        if (length > 5 && strcmp(names[i] + length - 5, ".conf") == 0)
            exit_code = check_file(p, names[i], hide, size);
    }
    files_list_free(names, count);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (!early_find_hide(p->host->machine.kernel_command_line, EARLY_MODULE ".", on_line,
                         sizeof(on_line)))
        return CLI_DONE;
    return check_hide("the kernel's command line", on_line);
}

static void print_text(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_early(const struct prepared *p)
{
    printf("\nAt every boot, these files:\n  %s\n", EARLY_MODPROBE);
    print_text(p->modprobe);
    if (!p->module_listed)
        printf("  %s, one line more\n    %s\n", EARLY_MODULES, EARLY_MODULE);
    printf("  %s\n", EARLY_GRUB);
    print_text(early_grub);
    printf("then: update-initramfs -u && update-grub, and reboot\n"
           "Undo: ");
    if (p->modprobe_there)
        printf("take the entries of %s out of hide= in %s\n", p->move.name, EARLY_MODPROBE);
    else
        printf("rm %s\n", EARLY_MODPROBE);
    if (!p->module_listed)
        printf("      sed -i '/^%s$/d' %s\n", EARLY_MODULE, EARLY_MODULES);
    if (!p->grub_there)
        printf("      rm %s\n", EARLY_GRUB);
    printf("      update-initramfs -u && update-grub\n");
}

/* ---- writing ---- */

/* With the directories above it. */
static int open_below(const char *directory, const char *path, const char *mode, FILE **file_out)
{
    char full[FILES_PATH_SIZE * 2];
    size_t start = strlen(directory);

    snprintf(full, sizeof(full), "%s%s", directory, path);
    for (char *c = full + start + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        if (mkdir(full, 0755) < 0 && errno != EEXIST)
            return -1;
        *c = '/';
    }
    *file_out = fopen(full, mode);
    return *file_out ? 0 : -1;
}

static enum cli_exit write_file(const char *directory, const char *path, const char *mode,
                                const char *text)
{
    FILE *file;
    bool failed = open_below(directory, path, mode, &file) < 0;

    if (!failed) {
        failed = fputs(text, file) < 0;
        failed = fclose(file) != 0 || failed;
    }
    if (failed) {
        cli_error("pci-prepare: cannot write %s%s: %s", directory, path, strerror(errno));
        return CLI_FAILED;
    }
    printf("written: %s%s\n", directory, path);
    return CLI_DONE;
}

static enum cli_exit write_files(const struct prepared *p, const char *directory)
{
    enum cli_exit exit_code;

    printf("\n");
    exit_code = write_file(directory, EARLY_MODPROBE, "we", p->modprobe);
    if (exit_code == CLI_DONE && !p->module_listed)
        exit_code = write_file(directory, EARLY_MODULES, "ae", EARLY_MODULE "\n");
    if (exit_code == CLI_DONE)
        exit_code = write_file(directory, EARLY_GRUB, "we", early_grub);
    return exit_code;
}
