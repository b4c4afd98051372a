/* SPDX-License-Identifier: LGPL-2.1-only */
/* The table of parameters, and reading and writing them by name. */
#include "policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct xlp_policy, field)

const struct xlp_setting xlp_settings[] = {
    {"tick_ms", XLP_SETTING_NUMBER, AT(tick_ms), 100, 60000, 1000, NULL,
     "milliseconds from one look at the host to the next"},

    {"cpu_policy", XLP_SETTING_CHOICE, AT(cpu_policy), 0, 2, XLP_CPU_BALANCE,
     "off round-robin balance",
     "how vCPUs are placed; round-robin ignores load and is there for comparison"},
    {"cpu_affinity", XLP_SETTING_CHOICE, AT(cpu_affinity), 0, 1, XLP_AFFINITY_SOFT, "soft hard",
     "what is written: a preference (soft), or a pin that also limits the guest (hard)"},
    {"cpu_weights", XLP_SETTING_CHOICE, AT(cpu_weights), 0, 1, XLP_WEIGHTS_OFF, "off shares",
     "whether the guests' shares are written as scheduler weights"},
    {"adopt", XLP_SETTING_BOOL, AT(adopt), 0, 1, 0, NULL,
     "take over vCPUs that are pinned, and weights that were set, when first seen"},
    {"cpu_overload_pct", XLP_SETTING_NUMBER, AT(cpu_overload_pct), 50, 200, 90, NULL,
     "a pCPU whose vCPUs need more than this is relieved at once"},
    {"cpu_uneven_pct", XLP_SETTING_NUMBER, AT(cpu_uneven_pct), 1, 100, 2, NULL,
     "load out of place, in % of all load, that is worth evening out"},
    {"cpu_even_pct", XLP_SETTING_NUMBER, AT(cpu_even_pct), 0, 100, 1, NULL,
     "evening out ends once less than this is out of place"},
    {"cpu_uneven_ticks", XLP_SETTING_NUMBER, AT(cpu_uneven_ticks), 1, 100, 3, NULL,
     "for how many ticks in a row it must be uneven first"},
    {"cpu_cooldown_ticks", XLP_SETTING_NUMBER, AT(cpu_cooldown_ticks), 0, 1000, 2, NULL,
     "a vCPU that was moved stays for at least this many ticks"},
    {"cpu_moves_max", XLP_SETTING_NUMBER, AT(cpu_moves_max), 0, 1000000, 0, NULL,
     "vCPUs moved in one tick at most; 0: 5 % of all, at least 16"},

    {"mem_policy", XLP_SETTING_CHOICE, AT(mem_policy), 0, 1, XLP_MEM_NEED, "off need",
     "how memory is shared: by what each guest needs, or not at all"},
    {"mem_surplus", XLP_SETTING_CHOICE, AT(mem_surplus), 0, 1, XLP_SURPLUS_HOST, "host guests",
     "who holds memory that no guest needs"},
    {"mem_idle_tax_pct", XLP_SETTING_NUMBER, AT(mem_idle_tax_pct), 0, 100, 100, NULL,
     "part of what a guest has of its share but does not need that others in need may have"},
    {"mem_dom0", XLP_SETTING_BOOL, AT(mem_dom0), 0, 1, 0, NULL,
     "dom0 gives memory that it does not need to guests that do, and gets it back"},
    {"mem_dom0_floor", XLP_SETTING_SIZE_KIB, AT(mem_dom0_floor_kib), INT64_C(1) << 20,
     INT64_C(1) << 40, INT64_C(1) << 20, NULL, "what dom0 keeps at least, where it takes part"},
    {"mem_reserve", XLP_SETTING_SIZE_KIB, AT(mem_reserve_kib), 0, INT64_C(1) << 40, 0, NULL,
     "kept free on the host; 0: 1 % of it, at least 72 MiB"},
    {"mem_margin", XLP_SETTING_SIZE_KIB, AT(mem_margin_kib), 0, INT64_C(1) << 30, 64 * 1024, NULL,
     "every guest keeps this much more than it uses"},
    {"mem_quantum", XLP_SETTING_SIZE_KIB, AT(mem_quantum_kib), 4, 1 << 20, 16 * 1024, NULL,
     "balloon targets are multiples of this"},
    {"mem_dead_zone_pct", XLP_SETTING_NUMBER, AT(mem_dead_zone_pct), 0, 50, 10, NULL,
     "a change smaller than this part of the guest is left out unless it is short"},
    {"mem_shrink_pct", XLP_SETTING_NUMBER, AT(mem_shrink_pct), 1, 50, 25, NULL,
     "a guest gives up at most this part of what it has in one step"},
    {"mem_return_pct", XLP_SETTING_NUMBER, AT(mem_return_pct), 1, 100, 2, NULL,
     "part of what no guest needs that goes back to the host each second"},
    {"mem_boot_hold_s", XLP_SETTING_NUMBER, AT(mem_boot_hold_s), 0, 3600, 60, NULL,
     "a guest is not shrunk before it has been up this long"},
    {"mem_stale_s", XLP_SETTING_NUMBER, AT(mem_stale_s), 6, 3600, 15, NULL,
     "a guest whose last report is older is not shrunk"},
    {"mem_manual_hold_s", XLP_SETTING_NUMBER, AT(mem_manual_hold_s), 0, 86400, 300, NULL,
     "a target set by hand (xl mem-set) is left alone for this long"},
};

const size_t xlp_setting_count = sizeof(xlp_settings) / sizeof(xlp_settings[0]);

static int64_t *value_of(struct xlp_policy *p, const struct xlp_setting *setting)
{
    return (int64_t *)((char *)p + setting->offset);
}

void xlp_policy_init(struct xlp_policy *p)
{
    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < xlp_setting_count; i++)
        *value_of(p, &xlp_settings[i]) = xlp_settings[i].standard;
}

void xlp_policy_dispose(struct xlp_policy *p)
{
    free(p->domains);
    xlp_policy_init(p);
}

int xlp_policy_copy(struct xlp_policy *dst, const struct xlp_policy *src)
{
    struct xlp_domain_policy *domains = NULL;

    if (src->domain_count) {
        domains = malloc(src->domain_count * sizeof(*domains));
        if (!domains)
            return -1;
        memcpy(domains, src->domains, src->domain_count * sizeof(*domains));
    }
    free(dst->domains);
    *dst = *src;
    dst->domains = domains;
    return 0;
}

const struct xlp_setting *xlp_setting_by_name(const char *name)
{
    for (size_t i = 0; i < xlp_setting_count; i++)
        if (strcmp(xlp_settings[i].name, name) == 0)
            return &xlp_settings[i];
    return NULL;
}

/* ---- values as text ---- */

/* Decimal digits only: no sign, no space, no octal. 0, or -1. */
static int parse_number(const char *text, size_t length, int64_t *number_out)
{
    int64_t number = 0;

    if (length == 0 || length > 15)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    *number_out = number;
    return 0;
}

int xlp_size_parse(const char *text, int64_t *kib_out)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    int shift;

    if (parse_number(text, digits, &number) < 0 || (text[digits] && text[digits + 1]) ||
        xlp_size_lacks_unit(text))
        return -1;
    switch (text[digits]) {
    case 'b':
    case 'B': shift = -10; break;
    case 'k':
    case 'K':
    case '\0': shift = 0; break; /* 0 */
    case 'm':
    case 'M': shift = 10; break;
    case 'g':
    case 'G': shift = 20; break;
    case 't':
    case 'T': shift = 30; break;
    default: return -1;
    }
    if (shift > 0 && number > (INT64_MAX >> shift))
        return -1;
    *kib_out = shift < 0 ? number >> -shift : number << shift;
    return 0;
}

bool xlp_size_lacks_unit(const char *text)
{
    int64_t number;

    return parse_number(text, strlen(text), &number) == 0 && number != 0;
}

static char *format_size(int64_t kib, char *text, size_t size)
{
    if (kib && kib % (1 << 20) == 0)
        snprintf(text, size, "%lldg", (long long)kib >> 20);
    else if (kib && kib % (1 << 10) == 0)
        snprintf(text, size, "%lldm", (long long)kib >> 10);
    else
        snprintf(text, size, "%lldk", (long long)kib);
    return text;
}

/* The index of a word in "off round-robin balance", or -1. */
static int64_t choice_index(const char *choices, const char *word)
{
    size_t length = strlen(word);

    for (int64_t i = 0; *choices; i++) {
        size_t candidate = strcspn(choices, " ");

        if (candidate == length && memcmp(choices, word, length) == 0)
            return i;
        choices += candidate + (choices[candidate] == ' ');
    }
    return -1;
}

static int parse_value(const struct xlp_setting *setting, const char *text, int64_t *value_out)
{
    switch (setting->kind) {
    case XLP_SETTING_SIZE_KIB: return xlp_size_parse(text, value_out);
    case XLP_SETTING_CHOICE:
        *value_out = choice_index(setting->choices, text);
        return *value_out < 0 ? -1 : 0;
    case XLP_SETTING_NUMBER:
    case XLP_SETTING_BOOL: break;
    }
    return parse_number(text, strlen(text), value_out);
}

static void say_allowed(const struct xlp_setting *setting, const char *value, char *error,
                        size_t error_size)
{
    char low[32], high[32];

    if (setting->kind == XLP_SETTING_SIZE_KIB && xlp_size_lacks_unit(value)) {
        snprintf(error, error_size, "%s: \"%s\" has no unit: for MiB write \"%sm\"", setting->name,
                 value, value);
        return;
    }
    switch (setting->kind) {
    case XLP_SETTING_CHOICE:
        snprintf(error, error_size, "%s: \"%s\" is not one of: %s", setting->name, value,
                 setting->choices);
        break;
    case XLP_SETTING_BOOL:
        snprintf(error, error_size, "%s: \"%s\" is neither 0 nor 1", setting->name, value);
        break;
    case XLP_SETTING_SIZE_KIB:
        snprintf(error, error_size, "%s: \"%s\" is not a size from %s to %s", setting->name, value,
                 format_size(setting->min, low, sizeof(low)),
                 format_size(setting->max, high, sizeof(high)));
        break;
    case XLP_SETTING_NUMBER:
        snprintf(error, error_size, "%s: \"%s\" is not a number from %lld to %lld", setting->name,
                 value, (long long)setting->min, (long long)setting->max);
        break;
    }
}

int xlp_policy_set(struct xlp_policy *p, const char *name, const char *value, char *error,
                   size_t error_size)
{
    const struct xlp_setting *setting = xlp_setting_by_name(name);
    int64_t number;

    if (!setting) {
        snprintf(error, error_size, "%s: there is no such setting", name);
        return -1;
    }
    if (parse_value(setting, value, &number) < 0 || number < setting->min ||
        number > setting->max) {
        say_allowed(setting, value, error, error_size);
        return -1;
    }
    *value_of(p, setting) = number;
    return 0;
}

int xlp_policy_check(const struct xlp_policy *p, char *error, size_t error_size)
{
    if (p->cpu_even_pct <= p->cpu_uneven_pct)
        return 0;
    snprintf(
        error, error_size,
        "cpu_even_pct: %lld is more than cpu_uneven_pct, %lld: evening out would end before it "
        "begins",
        (long long)p->cpu_even_pct, (long long)p->cpu_uneven_pct);
    return -1;
}

char *xlp_policy_get(const struct xlp_policy *p, const struct xlp_setting *setting, char *text,
                     size_t size)
{
    int64_t value = *(const int64_t *)((const char *)p + setting->offset);
    const char *word = setting->choices;

    switch (setting->kind) {
    case XLP_SETTING_CHOICE:
        for (; value; value--)
            word += strcspn(word, " ") + 1;
        snprintf(text, size, "%.*s", (int)strcspn(word, " "), word);
        break;
    case XLP_SETTING_SIZE_KIB: format_size(value, text, size); break;
    case XLP_SETTING_NUMBER:
    case XLP_SETTING_BOOL: snprintf(text, size, "%lld", (long long)value); break;
    }
    return text;
}

/* ---- what the operator says of single guests ---- */

static const struct xlp_domain_policy ordinary = {.cpu = true, .memory = true, .shares = 1000};

/* As of the other sizes: beyond any machine, but sums of them do not overflow. */
#define FLOOR_MAX_KIB (INT64_C(1) << 40)

/* Keys given in one entry; the others stay as earlier entries left them. */
enum { GAVE_CPU = 1, GAVE_MEMORY = 2, GAVE_SHARES = 4, GAVE_FLOOR = 8, GAVE_SERVES = 16 };

static int set_domain_key(struct xlp_domain_policy *d, const char *key,
                          const char value[XLP_NAME_SIZE])
{
    int64_t number;

    if (strcmp(key, "floor") == 0) {
        d->given |= GAVE_FLOOR;
        return xlp_size_parse(value, &d->floor_kib) < 0 || d->floor_kib > FLOOR_MAX_KIB ? -1 : 0;
    }
    if (strcmp(key, "serves") == 0) {
        d->given |= GAVE_SERVES;
        memcpy(d->serves, value, XLP_NAME_SIZE);
        return value[0] ? 0 : -1;
    }
    if (parse_number(value, strlen(value), &number) < 0)
        return -1;
    if (strcmp(key, "shares") == 0 && number >= 1 && number <= 1000000) {
        d->given |= GAVE_SHARES;
        d->shares = (uint32_t)number;
        d->shares_given = true;
    } else if (strcmp(key, "cpu") == 0 && number <= 1) {
        d->given |= GAVE_CPU;
        d->cpu = number;
    } else if (strcmp(key, "memory") == 0 && number <= 1) {
        d->given |= GAVE_MEMORY;
        d->memory = number;
    } else if (strcmp(key, "managed") == 0 && number <= 1) {
        d->given |= GAVE_CPU | GAVE_MEMORY;
        d->cpu = d->memory = number;
    } else {
        return -1;
    }
    return 0;
}

/* One word up to any of stop, without the spaces around it; *at is moved past it. A word that does
 * not fit becomes "", which no reader of words accepts. */
static void next_word(const char **at, const char *stop, char *word, size_t size)
{
    const char *start = *at + strspn(*at, " ");
    size_t length = strcspn(start, stop);

    *at = start + length;
    while (length && start[length - 1] == ' ')
        length--;
    snprintf(word, size, "%.*s", length < size ? (int)length : 0, start);
}

static int parse_domain(const char *text, struct xlp_domain_policy *d, char *error,
                        size_t error_size)
{
    const char *at = text;

    *d = ordinary;
    next_word(&at, ":", d->pattern, sizeof(d->pattern));
    if (!d->pattern[0] || *at != ':') {
        snprintf(error, error_size, "domains: \"%s\": should be \"NAME: key=value, ...\"", text);
        return -1;
    }
    do {
        char key[32], value[XLP_NAME_SIZE];

        at++;
        next_word(&at, "=,", key, sizeof(key));
        value[0] = '\0';
        if (*at == '=') {
            at++;
            next_word(&at, ",", value, sizeof(value));
        }
        if (strcmp(key, "floor") == 0 && xlp_size_lacks_unit(value)) {
            snprintf(error, error_size,
                     "domains: \"%s\": floor=%s has no unit: for MiB write floor=%sm", d->pattern,
                     value, value);
            return -1;
        }
        if (set_domain_key(d, key, value) < 0) {
            snprintf(error, error_size,
                     "domains: \"%s\": %s=%s: allowed are cpu=0|1, memory=0|1, managed=0|1, "
                     "shares=1 to 1000000, serves=PATTERN, floor=SIZE",
                     d->pattern, key, value);
            return -1;
        }
    } while (*at == ',');
    return 0;
}

static int append(struct xlp_policy *p, const struct xlp_domain_policy *domains, size_t count)
{
    struct xlp_domain_policy *grown;

    if (count == 0)
        return 0;
    grown = reallocarray(p->domains, p->domain_count + count, sizeof(*grown));
    if (!grown)
        return -1;
    p->domains = grown;
    memcpy(p->domains + p->domain_count, domains, count * sizeof(*domains));
    p->domain_count += count;
    return 0;
}

int xlp_policy_add_domain(struct xlp_policy *p, const char *text, char *error, size_t error_size)
{
    struct xlp_domain_policy d;

    if (parse_domain(text, &d, error, error_size) < 0)
        return -1;
    if (append(p, &d, 1) == 0)
        return 0;
    snprintf(error, error_size, "domains: out of memory");
    return -1;
}

static struct xlp_domain_policy *find_pattern(struct xlp_policy *p, const char *pattern)
{
    for (size_t i = 0; i < p->domain_count; i++)
        if (strcmp(p->domains[i].pattern, pattern) == 0)
            return &p->domains[i];
    return NULL;
}

/* What over says goes before what d says. */
static void lay_over(struct xlp_domain_policy *d, const struct xlp_domain_policy *over)
{
    if (over->given & GAVE_CPU)
        d->cpu = over->cpu;
    if (over->given & GAVE_MEMORY)
        d->memory = over->memory;
    if (over->given & GAVE_SHARES)
        d->shares = over->shares;
    d->shares_given |= over->shares_given;
    if (over->given & GAVE_SERVES)
        memcpy(d->serves, over->serves, sizeof(d->serves));
    if (over->given & GAVE_FLOOR)
        d->floor_kib = over->floor_kib;
    d->given |= over->given;
}

int xlp_policy_merge_domain(struct xlp_policy *p, const char *text, char *error, size_t error_size)
{
    struct xlp_domain_policy d, *earlier;

    if (parse_domain(text, &d, error, error_size) < 0)
        return -1;
    earlier = find_pattern(p, d.pattern);
    if (!earlier)
        return xlp_policy_add_domain(p, text, error, error_size);
    lay_over(earlier, &d);
    return 0;
}

bool xlp_policy_remove_domain(struct xlp_policy *p, const char *pattern)
{
    struct xlp_domain_policy *d = find_pattern(p, pattern);

    if (!d)
        return false;
    p->domain_count--;
    memmove(d, d + 1, (size_t)(p->domains + p->domain_count - d) * sizeof(*d));
    return true;
}

int xlp_policy_append_domains(struct xlp_policy *dst, const struct xlp_policy *src)
{
    return append(dst, src->domains, src->domain_count);
}

int xlp_pattern_of_name(const char *name, char pattern_out[XLP_NAME_SIZE])
{
    size_t used = 0;

    if (!name[0] || name[0] == ' ' || strpbrk(name, ":,"))
        return -1;
    for (const char *at = name; *at; at++) {
        if (used + 2 >= XLP_NAME_SIZE)
            return -1;
        if (strchr("*?[\\", *at))
            pattern_out[used++] = '\\';
        pattern_out[used++] = *at;
    }
    pattern_out[used] = '\0';
    return pattern_out[used - 1] == ' ' ? -1 : 0;
}

struct xlp_domain_policy xlp_policy_for(const struct xlp_policy *p, const char *name)
{
    struct xlp_domain_policy result = ordinary;

    for (size_t i = 0; i < p->domain_count; i++) {
        const struct xlp_domain_policy *d = &p->domains[i];

        if (fnmatch(d->pattern, name, 0) == 0)
            lay_over(&result, d);
    }
    return result;
}

bool xlp_domain_policy_wants_cpu(const struct xlp_domain_policy *d)
{
    return d->given & GAVE_CPU && d->cpu;
}

bool xlp_domain_policy_wants_memory(const struct xlp_domain_policy *d)
{
    return d->given & GAVE_MEMORY && d->memory;
}

char *xlp_domain_policy_format(const struct xlp_domain_policy *d, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s:", d->pattern);
    char floor[32];

    if (d->given & GAVE_CPU && used < size)
        used += (size_t)snprintf(text + used, size - used, " cpu=%d,", d->cpu);
    if (d->given & GAVE_MEMORY && used < size)
        used += (size_t)snprintf(text + used, size - used, " memory=%d,", d->memory);
    if (d->given & GAVE_SHARES && used < size)
        used += (size_t)snprintf(text + used, size - used, " shares=%u,", d->shares);
    if (d->given & GAVE_SERVES && used < size)
        used += (size_t)snprintf(text + used, size - used, " serves=%s,", d->serves);
    if (d->given & GAVE_FLOOR && used < size)
        used += (size_t)snprintf(text + used, size - used, " floor=%s,",
                                 format_size(d->floor_kib, floor, sizeof(floor)));
    if (used && used < size && text[used - 1] == ',')
        text[used - 1] = '\0';
    return text;
}

int64_t xlp_policy_reserve_kib(const struct xlp_policy *p, int64_t total_kib)
{
    const int64_t least_kib = 72 * 1024;

    if (p->mem_reserve_kib > 0)
        return p->mem_reserve_kib;
    return total_kib / 100 > least_kib ? total_kib / 100 : least_kib;
}
