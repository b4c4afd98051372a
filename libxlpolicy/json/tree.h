/* SPDX-License-Identifier: LGPL-2.1-only */
/* A parsed value from the inside: for the parser that builds it and the tree that hands it out. */
#ifndef XLP_JSON_TREE_H
#define XLP_JSON_TREE_H

#include "json/json.h"

struct xlp_json {
    enum xlp_json_kind kind;
    unsigned int line, column;
    char *key; /* of a member of an object */
    unsigned int key_line, key_column;
    union {
        bool boolean;
        char *string;
        struct {
            double value;
            uint64_t magnitude;
            bool negative, whole; /* whole: written in digits alone, and magnitude holds them */
        } number;
        struct {
            struct xlp_json *items;
            size_t count;
        } children;
    };
};

/* Frees what v owns, not v itself. */
void xlp_json_dispose(struct xlp_json *v);

#endif
