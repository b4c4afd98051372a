/* SPDX-License-Identifier: LGPL-2.1-only */
#include "prepare_early.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hide.h"

static enum cli_exit find_hidden(struct prepare_early *plan, const struct files *files,
                                 const char *shown_root);
static enum cli_exit add_hidden(struct prepare_early *plan, const char *where, const char *more);
static enum cli_exit plan_modules(struct prepare_early *plan);
static bool is_there(const struct prepare_early *plan, const char *path);

enum cli_exit prepare_early_plan(struct prepare_early *plan, const struct pci_host *host,
                                 const struct move *move, const char *root, const char *directory)
{
    char on_line[EARLY_TEXT_MAX / 2];
    enum cli_exit exit_code;

    memset(plan, 0, sizeof(*plan));
    plan->host = host;
    plan->move = move;
    plan->host_files.root = root;
    plan->written.root = directory;
    exit_code = find_hidden(plan, &plan->host_files, "");
    if (exit_code == CLI_DONE && directory)
        exit_code = find_hidden(plan, &plan->written, directory);
    if (exit_code == CLI_DONE && early_find_hide(host->machine.kernel_command_line,
                                                 EARLY_MODULE ".", on_line, sizeof(on_line)))
        exit_code = add_hidden(plan, "the kernel's command line", on_line);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (early_modprobe(host, move->devices, move->count, &plan->kept, plan->modprobe,
                       sizeof(plan->modprobe)) < 0) {
        cli_error("pci-prepare: too many devices in " EARLY_MODPROBE);
        return CLI_FAILED;
    }
    plan->modprobe_there = is_there(plan, EARLY_MODPROBE);
    plan->grub_there = is_there(plan, EARLY_GRUB);
    return plan_modules(plan);
}

static bool is_there(const struct prepare_early *plan, const char *path)
{
    return files_exist(&plan->host_files, path) ||
           (plan->written.root && files_exist(&plan->written, path));
}

/* ---- what is hidden already ---- */

static enum cli_exit too_long(const char *where)
{
    cli_error("pci-prepare: %s is too long", where);
    return CLI_FAILED;
}

static enum cli_exit add_hidden(struct prepare_early *plan, const char *where, const char *more)
{
    char error[256];

    if (more[0] && pci_hide_parse(more, NULL, 0, error, sizeof(error)) < 0) {
        cli_error("pci-prepare: %s: %s; the module will not load with this: mend it first", where,
                  error);
        return CLI_FAILED;
    }
    return early_keep_hide(&plan->kept, more) ? CLI_DONE : too_long(where);
}

/* hide= counts once: what another file says would replace ours, or be replaced by it. */
static enum cli_exit check_file(struct prepare_early *plan, const struct files *files,
                                const char *shown_root, const char *name)
{
    char path[FILES_PATH_SIZE], shown[FILES_PATH_SIZE * 2];
    char text[EARLY_TEXT_MAX], hide[EARLY_TEXT_MAX / 2];
    enum cli_exit exit_code;

    snprintf(path, sizeof(path), "/etc/modprobe.d/%s", name);
    snprintf(shown, sizeof(shown), "%s%s", shown_root, path);
    if (!files_read(files, path, text, sizeof(text)))
        return CLI_DONE;
    if (!early_find_hide(text, "options " EARLY_MODULE, hide, sizeof(hide)))
        return too_long(shown);
    exit_code = add_hidden(plan, shown, hide);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (strcmp(path, EARLY_MODPROBE) == 0)
        return early_keep_lines(&plan->kept, text) ? CLI_DONE : too_long(shown);
    if (hide[0]) {
        cli_error("pci-prepare: %s has a hide= of its own, and only one counts: move it "
                  "to " EARLY_MODPROBE,
                  shown);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

static enum cli_exit find_hidden(struct prepare_early *plan, const struct files *files,
                                 const char *shown_root)
{
    char **names;
    size_t count = files_list(files, "/etc/modprobe.d", &names);
    enum cli_exit exit_code = CLI_DONE;

    for (size_t i = 0; i < count && exit_code == CLI_DONE; i++) {
        size_t length = strlen(names[i]);

        if (length > 5 && strcmp(names[i] + length - 5, ".conf") == 0)
            exit_code = check_file(plan, files, shown_root, names[i]);
    }
    files_list_free(names, count);
    return exit_code;
}

/* The file below the directory, or else the host's: what it lists stays listed. */
static enum cli_exit plan_modules(struct prepare_early *plan)
{
    bool written = plan->written.root && files_exist(&plan->written, EARLY_MODULES);

    files_read(written ? &plan->written : &plan->host_files, EARLY_MODULES, plan->modules,
               sizeof(plan->modules));
    if (strlen(plan->modules) + 1 == sizeof(plan->modules)) {
        cli_error("pci-prepare: " EARLY_MODULES " is too long: add the line " EARLY_MODULE
                  " to it by hand");
        return CLI_FAILED;
    }
    plan->module_listed = early_has_line(plan->modules, EARLY_MODULE);
    return CLI_DONE;
}

/* ---- showing ---- */

static void print_text(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void prepare_early_print(const struct prepare_early *plan)
{
    printf("\nAt every boot, these files:\n  %s\n", EARLY_MODPROBE);
    print_text(plan->modprobe);
    if (!plan->module_listed)
        printf("  %s, one line more\n    %s\n", EARLY_MODULES, EARLY_MODULE);
    printf("  %s\n", EARLY_GRUB);
    print_text(early_grub);
    printf("then: update-initramfs -u && update-grub, and reboot\n"
           "Undo: ");
    if (plan->modprobe_there)
        printf("take the entries of %s out of hide= in %s\n", plan->move->name, EARLY_MODPROBE);
    else
        printf("rm %s\n", EARLY_MODPROBE);
    if (!plan->module_listed)
        printf("      sed -i '/^%s$/d' %s\n", EARLY_MODULE, EARLY_MODULES);
    if (!plan->grub_there)
        printf("      rm %s\n", EARLY_GRUB);
    printf("      update-initramfs -u && update-grub\n");
}

/* ---- writing ---- */

/* With the directories above it. NULL: errno is set. */
static FILE *open_below(const char *directory, const char *path)
{
    char full[FILES_PATH_SIZE * 2];
    size_t start = strlen(directory);

    snprintf(full, sizeof(full), "%s%s", directory, path);
    for (char *c = full + start + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        if (mkdir(full, 0755) < 0 && errno != EEXIST)
            return NULL;
        *c = '/';
    }
    return fopen(full, "we");
}

/* The text, and one line behind it, or "". */
static enum cli_exit write_file(const struct prepare_early *plan, const char *path,
                                const char *text, const char *line)
{
    FILE *file = open_below(plan->written.root, path);
    bool failed = !file;

    if (file) {
        failed = fprintf(file, "%s%s%s", text, text[0] && line[0] ? "\n" : "", line) < 0;
        failed = fclose(file) != 0 || failed;
    }
    if (failed) {
        cli_error("pci-prepare: cannot write %s%s: %s", plan->written.root, path, strerror(errno));
        return CLI_FAILED;
    }
    printf("written: %s%s\n", plan->written.root, path);
    return CLI_DONE;
}

enum cli_exit prepare_early_write(const struct prepare_early *plan)
{
    enum cli_exit exit_code;

    printf("\n");
    exit_code = write_file(plan, EARLY_MODPROBE, plan->modprobe, "");
    if (exit_code == CLI_DONE && !plan->module_listed)
        exit_code = write_file(plan, EARLY_MODULES, plan->modules, EARLY_MODULE "\n");
    if (exit_code == CLI_DONE)
        exit_code = write_file(plan, EARLY_GRUB, early_grub, "");
    return exit_code;
}
