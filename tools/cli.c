/* SPDX-License-Identifier: LGPL-2.1-only */
/* What commands have in common: settings, and how they report. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../daemon/config.h"

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

#define KEY_SIZE 64

/* What stands before the "=". False: it is longer than any, or there is no "=". */
static bool key_of(const char *text, char key[KEY_SIZE])
{
    size_t length = strcspn(text, "=");

    snprintf(key, KEY_SIZE, "%.*s", (int)(length < KEY_SIZE ? length : 0), text);
    return length < KEY_SIZE && text[length] == '=';
}

static int apply_setting(const char *text, struct xlp_policy *policy, char *error,
                         size_t error_size)
{
    char key[KEY_SIZE];

    if (key_of(text, key))
        return xlp_policy_set(policy, key, strchr(text, '=') + 1, error, error_size);
    snprintf(error, error_size, "should be KEY=VALUE");
    return -1;
}

static enum cli_exit refuse_setting(const char *text, const char *error)
{
    char key[KEY_SIZE];
    const char *nearest =
        key_of(text, key) && !xlp_setting_by_name(key) ? config_name_nearest(key) : NULL;

    if (!nearest)
        return cli_usage_error("config", "--set %s: %s", text, error);
    if (!xlp_setting_by_name(nearest))
        return cli_usage_error("config", "--set %s: %s is for xlpolicyd's configuration alone",
                               text, nearest);
    cli_error("--set %s: %s; did you mean %s?", text, error, nearest);
    return CLI_USAGE;
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
        return refuse_setting(text, error);
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
