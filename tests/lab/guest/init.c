/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The whole user space of a laboratory guest, as its process 1: it starts the guest agent under
 * test, makes load on command, and reports what the guest itself sees.
 *
 * The test writes one line to data/cmd, "SEQ VERB [ARGUMENTS]"; the guest carries out a line whose
 * SEQ is new and answers in data/status, "key=value ..." on one line, with ack=SEQ and its result
 * (0 or a negative errno):
 *
 *   burn PCT         every vCPU is busy for PCT percent of each BURN_PERIOD_NS, by the guest's
 * clock alloc MIB        hold MIB MiB of touched anonymous memory (an absolute figure; 0 frees it)
 *   shm MIB          the same for shared memory, which Linux counts as page cache
 *   agent-kill       kill the agent, without a chance to clean up
 *   agent-stop       freeze the agent, as a hung one
 *   agent-start      let a frozen agent go on, or start another
 *   lie KEY TEXT     freeze the agent and write TEXT to KEY, as a malicious guest would
 *   garbage KEY      freeze the agent and write bytes to KEY that no parser should accept
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "xenbus.h"

#define MAX_VCPUS      64
#define MAX_MIB        65536
#define POLL_NS        400000000LL
#define REPORT_POLLS   3 /* a status at least every third poll, for a test that waits for time */
#define BURN_PERIOD_NS 15000000LL
#define SECOND_NS      1000000000LL
#define MIB            (1024 * 1024)
#define PAGE           4096

/* Written by the children, read by process 1: lives in one shared page. */
struct shared {
    _Atomic uint64_t work[MAX_VCPUS]; /* loops of burning done by each vCPU since boot */
    _Atomic int held_mib[2];          /* memory that the holders have touched */
};

/*
 * A child that holds memory. It, not process 1, is what the kernel kills when memory runs out, and
 * the test can see that it did.
 */
struct holder {
    const char *verb;
    int map_flags;
    pid_t pid;
    int orders; /* process 1's end of the pipe that carries the wanted size */
    int want_mib;
};

struct guest {
    int store;
    struct shared *shared;
    pid_t burners[MAX_VCPUS];
    int burner_count;
    int burn_pct;
    struct holder holders[2];
    pid_t agent;
    const char *agent_state;
    int agent_exits;
    int oom_kills;
    unsigned long long report_seq;
    unsigned long long ack; /* SEQ of the last line carried out */
    int result;
};

static void mount_all(void);
static void connect_store(struct guest *guest);
static bool take_command(struct guest *guest);
static int carry_out(struct guest *guest, const char *verb, const char *arguments);
static int set_burn(struct guest *guest, const char *arguments);
static int set_hold(struct holder *holder, const char *arguments);
static int forge_report(struct guest *guest, const char *verb, const char *arguments);
static bool is_moving(const struct guest *guest);
static void report(struct guest *guest);
static void reap(struct guest *guest);
static int start_agent(struct guest *guest);
static int signal_agent(struct guest *guest, int signal, const char *state);
static void start_holder(struct guest *guest, struct holder *holder);
static pid_t start_child(const char *oom_score_adj);
static _Noreturn void burn(struct shared *shared, int cpu, int pct);
static _Noreturn void hold(int orders, int map_flags, _Atomic int *held_mib);
static long meminfo_kib(const char *field);
static int64_t now_ns(void);
static void sleep_until(int64_t at_ns);

int main(void)
{
    static struct guest guest = {
        .holders = {{.verb = "alloc", .map_flags = MAP_PRIVATE},
                    {.verb = "shm", .map_flags = MAP_SHARED}},
        .agent_state = "none",
        .result = -ENODATA,
    };

    /* The kernel runs this same file as /sbin/poweroff when the host asks the guest to shut down.
     */
    if (getpid() != 1)
        return reboot(RB_POWER_OFF);

    mount_all();
    guest.shared = mmap(NULL, sizeof(*guest.shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (guest.shared == MAP_FAILED)
        return EXIT_FAILURE;
    connect_store(&guest);
    for (int i = 0; i < 2; i++)
        start_holder(&guest, &guest.holders[i]);
    if (access("/agent", X_OK) == 0)
        start_agent(&guest);

    int64_t next_ns = now_ns();
    for (unsigned polls = 0;; polls++) {
        reap(&guest);
        if (take_command(&guest) || is_moving(&guest) || polls % REPORT_POLLS == 0)
            report(&guest);
        next_ns += POLL_NS;
        if (next_ns < now_ns())
            next_ns = now_ns(); /* a paused or starved guest does not catch up on lost polls */
        sleep_until(next_ns);
    }
}

static void mount_all(void)
{
    static const struct {
        const char *type, *at;
    } mounts[] = {
        {"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"},
        {"tmpfs", "/run"}, {"tmpfs", "/tmp"},
    };

    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].at, 0755);
        if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL) && errno != EBUSY)
            fprintf(stderr, "init: cannot mount %s: %s\n", mounts[i].at, strerror(errno));
    }
}

static void connect_store(struct guest *guest)
{
    while ((guest->store = xenbus_open()) < 0) {
        fprintf(stderr, "init: cannot open xenbus: %s\n", strerror(-guest->store));
        sleep(1);
    }
}

/* Carries out the line in data/cmd if it is a new one. Returns whether it was. */
static bool take_command(struct guest *guest)
{
    char line[XENBUS_PAYLOAD_MAX + 1];
    char verb[32];
    int arguments = 0;
    unsigned long long seq;
    int len = xenbus_read(guest->store, "data/cmd", line, sizeof(line));

    if (len == -EPROTO) {
        close(guest->store);
        connect_store(guest);
    }
    if (len <= 0 || sscanf(line, "%llu %31s %n", &seq, verb, &arguments) < 2)
        return false;
    if (seq == guest->ack)
        return false;
    guest->result = carry_out(guest, verb, arguments ? line + arguments : "");
    guest->ack = seq;
    return true;
}

static int carry_out(struct guest *guest, const char *verb, const char *arguments)
{
    for (int i = 0; i < 2; i++) {
        if (strcmp(verb, guest->holders[i].verb) == 0)
            return set_hold(&guest->holders[i], arguments);
    }
    if (strcmp(verb, "burn") == 0)
        return set_burn(guest, arguments);
    if (strcmp(verb, "agent-kill") == 0)
        return signal_agent(guest, SIGKILL, "killed");
    if (strcmp(verb, "agent-stop") == 0)
        return signal_agent(guest, SIGSTOP, "stopped");
    if (strcmp(verb, "agent-start") == 0)
        return guest->agent ? signal_agent(guest, SIGCONT, "running") : start_agent(guest);
    if (strcmp(verb, "lie") == 0 || strcmp(verb, "garbage") == 0)
        return forge_report(guest, verb, arguments);
    return -ENOSYS;
}

static int set_burn(struct guest *guest, const char *arguments)
{
    int pct = atoi(arguments);
    long vcpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (pct < 0 || pct > 100)
        return -ERANGE;
    for (int i = 0; i < guest->burner_count; i++) {
        kill(guest->burners[i], SIGKILL);
        waitpid(guest->burners[i], NULL, 0);
    }
    guest->burner_count = 0;
    guest->burn_pct = pct;
    for (int cpu = 0; pct > 0 && cpu < vcpus && cpu < MAX_VCPUS; cpu++) {
        pid_t pid = start_child("0");

        if (pid == 0)
            burn(guest->shared, cpu, pct);
        if (pid < 0)
            return -errno;
        guest->burners[guest->burner_count++] = pid;
    }
    return 0;
}

static int set_hold(struct holder *holder, const char *arguments)
{
    int mib = atoi(arguments);

    if (mib < 0 || mib > MAX_MIB)
        return -ERANGE;
    if (write(holder->orders, &mib, sizeof(mib)) != sizeof(mib))
        return -errno;
    holder->want_mib = mib;
    return 0;
}

/* A frozen agent cannot set the record straight, so what is written here stays. */
static int forge_report(struct guest *guest, const char *verb, const char *arguments)
{
    static const char garbage[] = "\xff\xfe\0%s%n total=-1 \x1b[2J 18446744073709551616";
    const char *text = strchrnul(arguments, ' ');
    char key[256];

    snprintf(key, sizeof(key), "%.*s", (int)(text - arguments), arguments);
    text += *text == ' ';
    if (guest->agent)
        signal_agent(guest, SIGSTOP, "stopped");
    if (strcmp(verb, "garbage") == 0)
        return xenbus_write(guest->store, key, garbage, sizeof(garbage));
    return xenbus_write(guest->store, key, text, strlen(text));
}

/* Whether memory is on its way to what was ordered: the test then wants to know at every poll. */
static bool is_moving(const struct guest *guest)
{
    for (int i = 0; i < 2; i++) {
        if (atomic_load(&guest->shared->held_mib[i]) != guest->holders[i].want_mib)
            return true;
    }
    return false;
}

static void report(struct guest *guest)
{
    char line[512];
    uint64_t work = 0;

    for (int cpu = 0; cpu < MAX_VCPUS; cpu++)
        work += atomic_load(&guest->shared->work[cpu]);

    int len = snprintf(
        line, sizeof(line),
        "seq=%llu ack=%llu result=%d uptime_ms=%lld total_kib=%ld avail_kib=%ld vcpus=%ld burn=%d "
        "work=%llu alloc=%d alloc_want=%d shm=%d shm_want=%d oom=%d agent=%s agent_exits=%d",
        ++guest->report_seq, guest->ack, guest->result, (long long)(now_ns() / 1000000),
        meminfo_kib("MemTotal:"), meminfo_kib("MemAvailable:"), sysconf(_SC_NPROCESSORS_ONLN),
        guest->burn_pct, (unsigned long long)work, atomic_load(&guest->shared->held_mib[0]),
        guest->holders[0].want_mib, atomic_load(&guest->shared->held_mib[1]),
        guest->holders[1].want_mib, guest->oom_kills, guest->agent_state, guest->agent_exits);
    xenbus_write(guest->store, "data/status", line, (size_t)len);
}

/* Process 1 buries everyone, and notes when it was the kernel that killed a holder for its memory.
 */
static void reap(struct guest *guest)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == guest->agent) {
            guest->agent = 0;
            guest->agent_exits++;
            if (strcmp(guest->agent_state, "killed") != 0)
                guest->agent_state = "exited";
        }
        for (int i = 0; i < 2; i++) {
            struct holder *holder = &guest->holders[i];

            if (pid != holder->pid)
                continue;
            guest->oom_kills++;
            close(holder->orders);
            start_holder(guest, holder);
        }
    }
}

static int start_agent(struct guest *guest)
{
    pid_t pid = start_child("0");

    if (pid == 0) {
        execl("/agent", "xlpolicy-guest-agent", (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        return -errno;
    guest->agent = pid;
    guest->agent_state = "running";
    return 0;
}

static int signal_agent(struct guest *guest, int signal, const char *state)
{
    if (guest->agent == 0)
        return -ESRCH;
    if (kill(guest->agent, signal))
        return -errno;
    guest->agent_state = state;
    return 0;
}

static void start_holder(struct guest *guest, struct holder *holder)
{
    _Atomic int *held_mib = &guest->shared->held_mib[holder - guest->holders];
    int ends[2];

    atomic_store(held_mib, 0);
    holder->want_mib = 0;
    holder->orders = -1;
    if (pipe2(ends, O_CLOEXEC))
        return;
    holder->pid = start_child("1000");
    if (holder->pid == 0) {
        close(ends[1]);
        hold(ends[0], holder->map_flags, held_mib);
    }
    close(ends[0]);
    holder->orders = ends[1];
}

/* Forks a child that the kernel may kill for memory, in the order that oom_score_adj sets. */
static pid_t start_child(const char *oom_score_adj)
{
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, oom_score_adj, strlen(oom_score_adj)) < 0)
            _exit(126);
        close(fd);
    }
    return pid;
}

/*
 * Keeps one vCPU busy for pct percent of each period. Time that the hypervisor gave to others while
 * this vCPU wanted to run counts as busy: demand that was not met is not made up for later.
 */
static _Noreturn void burn(struct shared *shared, int cpu, int pct)
{
    cpu_set_t cpus;
    volatile uint64_t state = 1;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    setpriority(PRIO_PROCESS, 0, 10); /* the agent and process 1 stay responsive */

    for (int64_t start_ns = now_ns();;) {
        while (now_ns() < start_ns + BURN_PERIOD_NS * pct / 100) {
            for (int i = 0; i < 1000; i++)
                state = state * 6364136223846793005u + 1442695040888963407u;
            atomic_fetch_add(&shared->work[cpu], 1);
        }
        start_ns += BURN_PERIOD_NS;
        if (start_ns < now_ns())
            start_ns = now_ns();
        else
            sleep_until(start_ns);
    }
}

/* Holds as many MiB as it was last told, and takes a new order between any two. */
static _Noreturn void hold(int orders, int map_flags, _Atomic int *held_mib)
{
    static void *held[MAX_MIB];
    int have_mib = 0;
    int want_mib = 0;

    for (;;) {
        fcntl(orders, F_SETFL, have_mib == want_mib ? 0 : O_NONBLOCK);
        ssize_t got = read(orders, &want_mib, sizeof(want_mib));
        if (got == 0)
            _exit(0);
        if (have_mib > want_mib) {
            munmap(held[--have_mib], MIB);
        } else if (have_mib < want_mib) {
            char *chunk = mmap(NULL, MIB, PROT_READ | PROT_WRITE, map_flags | MAP_ANONYMOUS, -1, 0);

            if (chunk == MAP_FAILED)
                _exit(1);
            for (size_t at = 0; at < MIB; at += PAGE)
                chunk[at] = 1;
            held[have_mib++] = chunk;
        }
        atomic_store(held_mib, have_mib);
    }
}

static long meminfo_kib(const char *field)
{
    char line[128];
    long kib = -1;
    FILE *file = fopen("/proc/meminfo", "re");

    if (!file)
        return -1;
    while (kib < 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, strlen(field)) == 0)
            kib = atol(line + strlen(field));
    }
    fclose(file);
    return kib;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec at = {.tv_sec = at_ns / SECOND_NS, .tv_nsec = at_ns % SECOND_NS};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}
