/* SPDX-License-Identifier: LGPL-2.1-only */
#include "command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool pci_command_has(const struct command_line *line, int letter)
{
    for (int i = 0; i < line->option_count; i++)
        if (line->options[i].letter == letter)
            return true;
    return false;
}

const char *pci_command_option(const struct command_line *line, int letter)
{
    const char *value = NULL;

    for (int i = 0; i < line->option_count; i++)
        if (line->options[i].letter == letter)
            value = line->options[i].value;
    return value;
}

enum cli_exit pci_command_read(const struct command_line *line, struct pci_host *host_out)
{
    const char *command = line->command->name;
    struct pci_source source = {.root = pci_command_option(line, 'r'),
                                .dump = pci_command_option(line, 'd')};
    char error[512];
    struct stat st;

    if (source.root && source.dump)
        return cli_usage_error(command, "%s: give --sysroot or --dump, not both", command);
    if (source.root && (stat(source.root, &st) < 0 || !S_ISDIR(st.st_mode))) {
        cli_error("%s: --sysroot %s: is no directory", command, source.root);
        return CLI_FAILED;
    }
    if (pci_host_read(&source, host_out, error, sizeof(error)) < 0) {
        cli_error("%s: %s", command, error);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

enum cli_exit pci_command_find(const struct pci_host *host, const struct command_line *line,
                               const char *operand, size_t *device_out)
{
    const char *command = line->command->name;
    struct pci_address address;

    if (!pci_address_parse(operand, &address))
        return cli_usage_error(command, "%s: \"%s\" is no address as 0000:01:00.0", command,
                               operand);
    *device_out = pci_host_find(host, &address);
    if (*device_out != PCI_NO_DEVICE)
        return CLI_DONE;
    cli_error("%s: there is no device %s; `xlpolicy pci-list` shows them", command, operand);
    return CLI_FAILED;
}

/* ---- findings ---- */

#define LINE_WIDTH 78

/* Words, the first behind head; later lines are indented as far. */
static void print_wrapped(const char *head, const char *text)
{
    size_t indent = strlen(head), column = indent;
    const char *separator = "";

    fputs(head, stdout);
    while (*text) {
        size_t length = strcspn(text, " ");

        if (column > indent && column + 1 + length > LINE_WIDTH) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            separator = "";
        }
        printf("%s%.*s", separator, (int)length, text);
        column += strlen(separator) + length;
        separator = " ";
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

void pci_command_print_finding(const struct pci_finding *finding, const char *subject)
{
    char head[16], what[PCI_SENTENCE_SIZE + PCI_ADDRESS_SIZE + 32];

    snprintf(head, sizeof(head), "%-4s  ", pci_grade_name(finding->grade));
    snprintf(what, sizeof(what), "%s%s: %s", subject, finding->code, finding->what);
    print_wrapped(head, what);
    print_wrapped("      seen: ", finding->evidence);
    if (finding->mend[0])
        print_wrapped("      mend: ", finding->mend);
}
