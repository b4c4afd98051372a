/* SPDX-License-Identifier: LGPL-2.1-only */
/* reserve, unreserve: memory that the daemon keeps for a guest about to be created. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon_request.h"
#include "past.h"
#include "when.h"

#define POLL_NS 500000000L

/* What the command line asks for. */
struct wish {
    int64_t min_kib, max_kib;
    uint32_t ttl_s; /* 0: as the daemon likes */
    const char *name;
    bool wait;
    uint32_t id; /* of transfer and unreserve */
    const char *domain;
};

static enum cli_exit reserve(const struct cli *cli, const struct wish *wish);
static enum cli_exit transfer(const struct cli *cli, const struct wish *wish);
static enum cli_exit unreserve(const struct cli *cli, const struct wish *wish);
static enum cli_exit wait_for(const struct cli *cli, uint32_t id);

/* ---- reading the command line ---- */

static enum cli_exit check_host(const struct cli *cli, const char *command)
{
    if (!cli->host || strcmp(cli->host, "daemon") == 0)
        return CLI_DONE;
    cli_error("%s: only a daemon can keep memory for a guest; leave out --host %s", command,
              cli->host);
    return CLI_USAGE;
}

static int parse_id(const char *text, uint32_t *id_out)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long id = strtoul(text, NULL, 10);

    if (digits == 0 || digits > 9 || text[digits] || id == 0)
        return -1;
    *id_out = (uint32_t)id;
    return 0;
}

static enum cli_exit read_size(const char *text, int64_t *kib_out)
{
    if (xlp_size_lacks_unit(text))
        return cli_usage_error("reserve", "reserve: \"%s\" has no unit: for MiB write %sm", text,
                               text);
    if (xlp_size_parse(text, kib_out) < 0 || *kib_out <= 0)
        return cli_usage_error("reserve", "reserve: \"%s\" is no size; 512m or 2g are", text);
    return CLI_DONE;
}

static enum cli_exit bad_id(const char *command, const char *text)
{
    return cli_usage_error(command, "%s: \"%s\" is no reservation's number", command, text);
}

static enum cli_exit read_option(struct wish *wish, int letter, const char *value)
{
    double ttl_s = 0;

    switch (letter) {
    case 'm': return read_size(value, &wish->min_kib);
    case 'f': wish->name = value; return CLI_DONE;
    case 'w': wish->wait = true; return CLI_DONE;
    case 'x': return parse_id(value, &wish->id) < 0 ? bad_id("reserve", value) : CLI_DONE;
    default:
        if (when_parse(value, &ttl_s) < 0 || ttl_s < 1 || ttl_s > 604800)
            return cli_usage_error(
                "reserve", "reserve: \"%s\" is no time from 1s to 7d, as 90s, 5m or 2h", value);
        wish->ttl_s = (uint32_t)ttl_s;
        return CLI_DONE;
    }
}

enum cli_exit cmd_reserve(const struct cli *cli, const struct command_line *line)
{
    struct wish wish = {.min_kib = 0};
    enum cli_exit exit_code = check_host(cli, "reserve");

    for (int i = 0; i < line->option_count && exit_code == CLI_DONE; i++)
        exit_code = read_option(&wish, line->options[i].letter, line->options[i].value);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (wish.id) {
        wish.domain = line->operands[0];
        if (line->option_count > 1)
            return cli_usage_error("reserve", "reserve: --transfer goes with no other option");
        return transfer(cli, &wish);
    }
    exit_code = read_size(line->operands[0], &wish.max_kib);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (wish.min_kib == 0)
        wish.min_kib = wish.max_kib;
    if (wish.min_kib > wish.max_kib)
        return cli_usage_error("reserve", "reserve: --min is above the size itself");
    return reserve(cli, &wish);
}

enum cli_exit cmd_unreserve(const struct cli *cli, const struct command_line *line)
{
    struct wish wish = {.min_kib = 0};
    enum cli_exit exit_code = check_host(cli, "unreserve");

    if (exit_code != CLI_DONE)
        return exit_code;
    if (parse_id(line->operands[0], &wish.id) < 0)
        return bad_id("unreserve", line->operands[0]);
    return unreserve(cli, &wish);
}

/* ---- asking the daemon ---- */

static struct xlp_json_writer *start_request(const char *command)
{
    struct xlp_json_writer *w = xlp_json_writer_new(false);

    if (!w)
        return NULL;
    xlp_json_open_object(w);
    xlp_json_put_int(w, "xlpolicy", XLP_FORMAT_VERSION);
    xlp_json_put_string(w, "command", command);
    return w;
}

/* Sends it, and frees w. With -N only says so, and *reply_out is NULL. */
static enum cli_exit send(const struct cli *cli, struct xlp_json_writer *w, const char *meaning,
                          struct xlp_json **reply_out, const struct xlp_json **result_out)
{
    enum cli_exit exit_code;
    const char *request;

    *reply_out = NULL;
    xlp_json_close_object(w);
    request = xlp_json_text(w, NULL);
    if (!request)
        exit_code = cli_out_of_memory();
    else if (cli->dry_run)
        exit_code = daemon_would_send(cli, request, meaning);
    else
        exit_code = daemon_request(cli, request, false, reply_out, result_out);
    xlp_json_writer_free(w);
    return exit_code;
}

static enum cli_exit print_id(const struct cli *cli, uint32_t id)
{
    struct xlp_json_writer *w;

    if (!cli->json) {
        printf("%" PRIu32 "\n", id);
        return CLI_DONE;
    }
    w = cli_json_start();
    if (!w)
        return cli_out_of_memory();
    xlp_json_put_u64(w, "reservation", id);
    return cli_json_print(w);
}

static enum cli_exit reserve(const struct cli *cli, const struct wish *wish)
{
    struct xlp_json_writer *w = start_request("reserve");
    const struct xlp_json *result;
    struct xlp_json *reply;
    enum cli_exit exit_code;
    const char *mode;
    uint32_t id;
    char text[160];

    if (!w)
        return cli_out_of_memory();
    xlp_json_put_int(w, "min_kib", wish->min_kib);
    xlp_json_put_int(w, "max_kib", wish->max_kib);
    if (wish->ttl_s)
        xlp_json_put_u64(w, "ttl_s", wish->ttl_s);
    if (wish->name)
        xlp_json_put_string(w, "name", wish->name);
    snprintf(text, sizeof(text), "keep %" PRId64 " MiB free for %.64s", wish->max_kib / 1024,
             wish->name ? wish->name : "a guest");
    exit_code = send(cli, w, text, &reply, &result);
    if (!reply)
        return exit_code;
    id = (uint32_t)daemon_number(result, "reservation");
    mode = daemon_string(result, "mode");
    if (mode && strcmp(mode, "act") != 0)
        cli_error("xlpolicyd is in mode %s: no guest gives memory for it, only what is free "
                  "already can be had; `xlpolicy act` changes that",
                  mode);
    xlp_json_free(reply);
    /* First, so that who waits in vain knows what to give up. */
    exit_code = print_id(cli, id);
    fflush(stdout);
    return wish->wait && exit_code == CLI_DONE ? wait_for(cli, id) : exit_code;
}

/* Says in the daemon's words what was done. */
static enum cli_exit tell(const struct cli *cli, const struct xlp_json *result)
{
    const char *text = daemon_needed_string(cli, result, "text");

    if (!text)
        return CLI_FAILED;
    if (cli->json)
        return print_id(cli, (uint32_t)daemon_number(result, "reservation"));
    puts(text);
    return CLI_DONE;
}

/* Sends what is about a reservation that there is, and maybe a domain. */
static enum cli_exit send_about(const struct cli *cli, const char *command, const struct wish *wish,
                                const char *meaning)
{
    struct xlp_json_writer *w = start_request(command);
    const struct xlp_json *result = NULL;
    struct xlp_json *reply;
    enum cli_exit exit_code;

    if (!w)
        return cli_out_of_memory();
    xlp_json_put_u64(w, "reservation", wish->id);
    if (wish->domain)
        xlp_json_put_string(w, "domain", wish->domain);
    exit_code = send(cli, w, meaning, &reply, &result);
    if (reply)
        exit_code = tell(cli, result);
    xlp_json_free(reply);
    return exit_code;
}

static enum cli_exit transfer(const struct cli *cli, const struct wish *wish)
{
    char text[160];

    snprintf(text, sizeof(text), "give reservation %" PRIu32 " to %.64s", wish->id, wish->domain);
    return send_about(cli, "transfer", wish, text);
}

static enum cli_exit unreserve(const struct cli *cli, const struct wish *wish)
{
    char text[64];

    snprintf(text, sizeof(text), "end reservation %" PRIu32, wish->id);
    return send_about(cli, "unreserve", wish, text);
}

/* ---- waiting ---- */

/* The reason of that reservation's entry, or NULL when it is there no longer. */
static const struct xlp_json *find_reason(const struct xlp_json *entries, uint32_t id)
{
    for (size_t i = 0; i < xlp_json_count(entries); i++) {
        const struct xlp_json *entry = xlp_json_at(entries, i);
        const struct xlp_json *reservation = xlp_json_get(entry, "reservation");

        if (reservation && daemon_number(reservation, "id") == id)
            return xlp_json_get(entry, "reason");
    }
    return NULL;
}

/* How far it has come, in MiB; what is the same as a moment ago is not said again. */
static void show_progress(uint32_t id, const struct xlp_json *reason, long long *shown_mib)
{
    const struct xlp_json *numbers = xlp_json_get(reason, "numbers");
    long long mib = numbers ? (long long)daemon_number(numbers, "free_kib") / 1024 : 0;

    if (mib == *shown_mib)
        return;
    *shown_mib = mib;
    fprintf(stderr, "reservation %" PRIu32 ": %s\n", id, daemon_string(reason, "text"));
}

/* The end of a reservation that is there no longer, in the daemon's history; or NULL. */
static const struct xlp_json *find_end(const struct past *past, uint32_t id)
{
    for (size_t i = xlp_json_count(past->entries); i > 0; i--) {
        const struct xlp_json *action = xlp_json_get(xlp_json_at(past->entries, i - 1), "action");
        const char *kind = action ? daemon_string(action, "kind") : NULL;
        const struct xlp_json *of = action ? xlp_json_get(action, "reservation") : NULL;

        if (kind && of && strcmp(kind, "unreserve") == 0 && daemon_number(of, "id") == id)
            return xlp_json_get(action, "reason");
    }
    return NULL;
}

static enum cli_exit is_over(const struct cli *cli, uint32_t id)
{
    struct past past;
    const struct xlp_json *reason;
    const char *code, *text;

    if (past_ask(cli, 0, 0, &past) != CLI_DONE)
        return CLI_FAILED;
    reason = find_end(&past, id);
    code = reason ? daemon_string(reason, "code") : NULL;
    text = reason ? daemon_string(reason, "text") : NULL;
    if (code && strcmp(code, "reserve-expired") == 0)
        text = "its time was up; --ttl gives it more, --min is content with less";
    cli_error("reservation %" PRIu32 " ended before it was ready%s%s", id, text ? ": " : "",
              text ? text : "");
    past_dispose(&past);
    return CLI_FAILED;
}

static enum cli_exit is_refused(uint32_t id, const char *text)
{
    cli_error("reservation %" PRIu32 " cannot be had: %s", id, text ? text : "?");
    return CLI_FAILED;
}

/* CLI_DONE with *ready_out set; anything else ends the waiting, and has been said. */
static enum cli_exit look(const struct cli *cli, uint32_t id, bool *ready_out, long long *shown_mib)
{
    const struct xlp_json *result, *entries, *reason = NULL;
    struct xlp_json *reply;
    const char *code;
    enum cli_exit exit_code = daemon_request(cli, "{\"xlpolicy\":1,\"command\":\"reservations\"}",
                                             false, &reply, &result);

    if (exit_code != CLI_DONE)
        return exit_code;
    entries = daemon_array(cli, result, "reservations");
    reason = entries ? find_reason(entries, id) : NULL;
    code = reason ? daemon_string(reason, "code") : NULL;
    if (!entries)
        exit_code = CLI_FAILED;
    else if (!code)
        exit_code = is_over(cli, id);
    else if (strcmp(code, "reserve-waits") == 0)
        show_progress(id, reason, shown_mib);
    else if (strcmp(code, "reserve-ready") == 0 || strcmp(code, "reserve-taken") == 0)
        *ready_out = true;
    else if (strcmp(code, "reserve-short") != 0 && strcmp(code, "none") != 0)
        exit_code = is_refused(id, daemon_string(reason, "text"));
    xlp_json_free(reply);
    return exit_code;
}

static enum cli_exit wait_for(const struct cli *cli, uint32_t id)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    enum cli_exit exit_code;
    long long shown_mib = -1;
    bool ready = false;

    for (;;) {
        exit_code = look(cli, id, &ready, &shown_mib);
        if (exit_code != CLI_DONE || ready)
            return exit_code;
        nanosleep(&pause, NULL);
    }
}
