/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A driver for fuzz harnesses that needs no clang:
 *
 *     fuzz_NAME [-runs=N] [-seed=S] [FILE|DIRECTORY]...
 *
 * It runs every file of the corpus as it is, then N inputs made from them by random changes. The
 * same corpus, N and S give the same inputs. An input that crashes is left in ./crash-input.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX      4096
#define CORPUS_MAX     1024
#define CHANGES_MAX    8
#define CRASH_FILE     "crash-input"
#define RUNS_DEFAULT   100000
#define SEED_DEFAULT   1
#define REPEATED_DIGIT 24

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t size;
};

struct corpus {
    struct input *inputs[CORPUS_MAX];
    size_t count;
};

/* In the sanitizers' run-time, if we are linked with one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static const struct input *current; /* for the crash handler */

static void run_corpus(const struct corpus *corpus);
static void run_changed(const struct corpus *corpus, uint64_t runs, uint64_t seed);
static void run_one(const struct input *input);
static void change(struct input *input, const struct corpus *corpus, uint64_t *random);
static void insert(struct input *input, size_t at, const uint8_t *bytes, size_t size);
static void cut(struct input *input, size_t at, size_t size);
static void add_path(struct corpus *corpus, const char *path);
static void add_directory(struct corpus *corpus, const char *path);
static int by_name(const struct dirent **a, const struct dirent **b);
static void add_file(struct corpus *corpus, const char *path);
static int parse_option(const char *argument, const char *name, uint64_t *value_out);
static uint64_t next_random(uint64_t *state);
static size_t below(uint64_t *random, size_t limit);
static void catch_crashes(void);
static void on_crash(int signal);
static void keep_crash_input(void);
static void die(const char *what, const char *why);

int main(int argc, char **argv)
{
    static struct corpus corpus;
    uint64_t runs = RUNS_DEFAULT;
    uint64_t seed = SEED_DEFAULT;

    for (int i = 1; i < argc; i++) {
        if (parse_option(argv[i], "-runs=", &runs) || parse_option(argv[i], "-seed=", &seed))
            continue;
        if (argv[i][0] == '-')
            die(argv[i], "not an option; there are -runs=N and -seed=S");
        add_path(&corpus, argv[i]);
    }

    catch_crashes();
    run_corpus(&corpus);
    run_changed(&corpus, runs, seed);
    printf("ok 1 - %zu files, %llu changed inputs, seed %llu: no crash\n1..1\n", corpus.count,
           (unsigned long long)runs, (unsigned long long)seed);
    for (size_t i = 0; i < corpus.count; i++)
        free(corpus.inputs[i]);
    return EXIT_SUCCESS;
}

static void run_corpus(const struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        run_one(corpus->inputs[i]);
}

static void run_changed(const struct corpus *corpus, uint64_t runs, uint64_t seed)
{
    uint64_t random = seed * 2 + 1; /* xorshift must not start from 0 */
    static struct input input;

    for (uint64_t run = 0; run < runs; run++) {
        input.size = 0;
        if (corpus->count > 0)
            input = *corpus->inputs[below(&random, corpus->count)];
        for (size_t left = 1 + below(&random, CHANGES_MAX); left > 0; left--)
            change(&input, corpus, &random);
        run_one(&input);
    }
}

/* From a block of exactly its size, so that a sanitizer sees a read past the end. */
static void run_one(const struct input *input)
{
    uint8_t *copy = malloc(input->size ? input->size : 1);

    if (copy == NULL)
        die("malloc", strerror(errno));
    memcpy(copy, input->bytes, input->size);
    current = input;
    LLVMFuzzerTestOneInput(copy, input->size);
    current = NULL;
    free(copy);
}

static void change(struct input *input, const struct corpus *corpus, uint64_t *random)
{
    /* What text formats are made of, and what they do not expect. */
    static const uint8_t telling[] = "0123456789 =\n\t-+.,:\"'\\{}[]#xnull\x7f\x80\xff";
    size_t at = below(random, input->size + 1);
    size_t rest = input->size - at;
    uint8_t piece[REPEATED_DIGIT];

    switch (below(random, 8)) {
    case 0: /* flip a bit */
        if (rest)
            input->bytes[at] ^= (uint8_t)(1 << below(random, 8));
        break;
    case 1: /* any byte */
        if (rest)
            input->bytes[at] = (uint8_t)next_random(random);
        break;
    case 2: /* a telling byte, its NUL included */
        if (rest)
            input->bytes[at] = telling[below(random, sizeof(telling))];
        break;
    case 3: insert(input, at, &telling[below(random, sizeof(telling))], 1); break;
    case 4: /* a large number */
        memset(piece, '0' + (int)below(random, 10), sizeof(piece));
        insert(input, at, piece, 1 + below(random, sizeof(piece)));
        break;
    case 5: cut(input, at, 1 + below(random, 16)); break;
    case 6: /* say something twice */
        rest = rest < sizeof(piece) ? rest : sizeof(piece);
        memcpy(piece, input->bytes + at, rest);
        insert(input, below(random, input->size + 1), piece, rest);
        break;
    case 7: /* a part of another input */
        if (corpus->count > 0) {
            const struct input *other = corpus->inputs[below(random, corpus->count)];
            size_t from = below(random, other->size + 1);

            insert(input, at, other->bytes + from, below(random, other->size - from + 1));
        }
        break;
    }
}

static void insert(struct input *input, size_t at, const uint8_t *bytes, size_t size)
{
    if (size > INPUT_MAX - input->size)
        return;
    memmove(input->bytes + at + size, input->bytes + at, input->size - at);
    memcpy(input->bytes + at, bytes, size);
    input->size += size;
}

static void cut(struct input *input, size_t at, size_t size)
{
    if (size > input->size - at)
        size = input->size - at;
    memmove(input->bytes + at, input->bytes + at + size, input->size - at - size);
    input->size -= size;
}

static void add_path(struct corpus *corpus, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        die(path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        add_directory(corpus, path);
    else
        add_file(corpus, path);
}

static void add_directory(struct corpus *corpus, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);

    if (count < 0)
        die(path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char file[4096];

        if (entries[i]->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
            add_file(corpus, file);
        }
        free(entries[i]);
    }
    free(entries);
}

/* Not alphasort(), which follows the locale: the order decides which inputs a seed gives. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A file that is too long is cut. */
static void add_file(struct corpus *corpus, const char *path)
{
    struct input *input = calloc(1, sizeof(*input));
    FILE *file = fopen(path, "rb");

    if (input == NULL || file == NULL)
        die(path, strerror(errno));
    if (corpus->count == CORPUS_MAX)
        die(path, "the corpus has too many files");
    input->size = fread(input->bytes, 1, sizeof(input->bytes), file);
    if (ferror(file))
        die(path, strerror(errno));
    fclose(file);
    corpus->inputs[corpus->count++] = input;
}

static int parse_option(const char *argument, const char *name, uint64_t *value_out)
{
    char *end;

    if (strncmp(argument, name, strlen(name)) != 0)
        return 0;
    errno = 0;
    *value_out = strtoull(argument + strlen(name), &end, 10);
    if (errno || *end || end == argument + strlen(name))
        die(argument, "not a number");
    return 1;
}

/* xorshift64* */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *random, size_t limit)
{
    return (size_t)((next_random(random) >> 32) % limit);
}

/* A sanitizer reports by itself before it ends the program; without one the signal is all. */
static void catch_crashes(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    size_t count = sizeof(signals) / sizeof(signals[0]);

    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(keep_crash_input);
        count = 1;
    }
    for (size_t i = 0; i < count; i++)
        signal(signals[i], on_crash);
}

static void on_crash(int number)
{
    keep_crash_input();
    signal(number, SIG_DFL);
    raise(number);
}

/* Only calls that a signal handler may make. */
static void keep_crash_input(void)
{
    static const char message[] = "the input that crashed is in " CRASH_FILE "\n";

    if (current == NULL)
        return;
    int fd = open(CRASH_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return;
    if (write(fd, current->bytes, current->size) == (ssize_t)current->size &&
        write(STDERR_FILENO, message, sizeof(message) - 1) > 0)
        current = NULL;
    close(fd);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}
