/* SPDX-License-Identifier: LGPL-2.1-only */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* There is one log per process, as syslog itself has it. */
static struct {
    enum log_target target;
    bool verbose, to_journal;
} log_state;

static bool stderr_is_the_journal(void);

void log_open(enum log_target target, bool verbose)
{
    log_state.target = target;
    log_state.verbose = verbose;
    log_state.to_journal = target == LOG_TO_STDERR && stderr_is_the_journal();
    if (target == LOG_TO_SYSLOG)
        openlog("xlpolicyd", LOG_PID, LOG_DAEMON);
    else
        closelog();
}

void log_line(int priority, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    if (priority == LOG_DEBUG && !log_state.verbose)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (log_state.target == LOG_TO_SYSLOG)
        syslog(priority, "%s", text);
    else if (log_state.to_journal)
        fprintf(stderr, "<%d>%s\n", priority, text);
    else if (log_state.target == LOG_TO_STDOUT && priority > LOG_ERR)
        puts(text);
    else
        fprintf(stderr, "xlpolicyd: %s\n", text);
}

/* systemd names the device and inode of the journal's stream; stderr may have been redirected
 * since. */
static bool stderr_is_the_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}
