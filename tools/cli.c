/* SPDX-License-Identifier: LGPL-2.1-only */
/* What commands have in common: settings, and how they report. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void print_error(const char *format, va_list arguments)
{
    fflush(stdout); /* keep the order when both go to one terminal */
    fputs("xlpolicy: ", stderr);
    vfprintf(stderr, format, arguments);
}

void cli_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

enum cli_exit cli_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see `xlpolicy help%s%s`\n", command ? " " : "", command ? command : "");
    return CLI_USAGE;
}

enum cli_exit cli_out_of_memory(void)
{
    cli_error("out of memory");
    return CLI_FAILED;
}

struct xlp_json_writer *cli_json_start(void)
{
    struct xlp_json_writer *w = xlp_json_writer_new(true);

    if (!w)
        return NULL;
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy", XLP_FORMAT_VERSION);
    return w;
}

enum cli_exit cli_json_print(struct xlp_json_writer *w)
{
    enum cli_exit exit_code = CLI_DONE;
    const char *text;
    size_t length;

    xlp_json_close_object(w);
    text = xlp_json_text(w, &length);
    if (!text)
        exit_code = cli_out_of_memory();
    else /* indented text ends in a newline of its own */
        printf("%s%s", text, length && text[length - 1] == '\n' ? "" : "\n");
    xlp_json_writer_free(w);
    return exit_code;
}

/* ---- settings ---- */

static int apply_setting(const char *text, struct xlp_policy *policy, char *error,
                         size_t error_size)
{
    const char *equals = strchr(text, '=');
    char key[64];

    if (!equals || (size_t)(equals - text) >= sizeof(key)) {
        snprintf(error, error_size, "should be KEY=VALUE");
        return -1;
    }
    snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
    return xlp_policy_set(policy, key, equals + 1, error, error_size);
}

enum cli_exit cli_add_setting(struct cli *cli, const char *text)
{
    struct xlp_policy scratch;
    char error[256];
    int result;

    xlp_policy_init(&scratch);
    result = apply_setting(text, &scratch, error, sizeof(error));
    xlp_policy_dispose(&scratch);
    if (result < 0)
        return cli_usage_error("config", "--set %s: %s", text, error);
    if (cli->setting_count == CLI_SETTINGS_MAX)
        return cli_usage_error(NULL, "--set: given more than %d times", CLI_SETTINGS_MAX);
    cli->settings[cli->setting_count++] = text;
    return CLI_DONE;
}

enum cli_exit cli_apply_settings(const struct cli *cli, struct xlp_policy *policy)
{
    char error[256];

    for (size_t i = 0; i < cli->setting_count; i++)
        apply_setting(cli->settings[i], policy, error, sizeof(error));
    if (cli->setting_count > 0 && xlp_policy_check(policy, error, sizeof(error)) < 0)
        return cli_usage_error("config", "--set: %s", error);
    return CLI_DONE;
}
