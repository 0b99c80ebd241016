/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "mproc/value.h"
#include "value/format.h"
#include "value/value.h"

#define PLACE_CAPACITY 256
#define NAME_CAPACITY 64

struct unpacker {
    const char *format, *place;
    va_list targets;
    const char *function;       /* for the messages */
    char where[PLACE_CAPACITY]; /* the way down to the present value, in words */
    int depth;
};

static int error_format(const struct unpacker *unpacker, const char *why) {
    return error_set(MPROC_EINVAL, 0, "%s: the format \"%s\" %s at character %d", unpacker->function, unpacker->format,
                     why, (int)(unpacker->place - unpacker->format));
}

static int error_kind(const struct unpacker *unpacker, const char *wanted, const cJSON *value) {
    char text[96];
    if (value == NULL) {
        (void)error_set(MPROC_ETYPE, 0, "%s: %s is missing; it should be %s", unpacker->function, unpacker->where,
                        wanted);
    } else {
        (void)error_set(MPROC_ETYPE, 0, "%s: %s should be %s, but is %s", unpacker->function, unpacker->where, wanted,
                        value_describe(value, text, sizeof text));
    }
    return MPROC_ETYPE;
}

static int unpack_text(struct unpacker *unpacker, const cJSON *value) {
    const char **target = va_arg(unpacker->targets, const char **);
    if (value == NULL || !cJSON_IsString(value)) {
        return error_kind(unpacker, "a string", value);
    }
    if (target != NULL) {
        *target = value->valuestring;
    }
    return 0;
}

static bool is_whole(const cJSON *value) {
    return cJSON_IsNumber(value) && number_is_whole(value->valuedouble);
}

static int unpack_int(struct unpacker *unpacker, const cJSON *value) {
    int *target = va_arg(unpacker->targets, int *);
    if (value == NULL || !is_whole(value)) {
        return error_kind(unpacker, "a whole number", value);
    }
    if (value->valuedouble < INT_MIN || value->valuedouble > INT_MAX) {
        return error_kind(unpacker, "a whole number from -2147483648 to 2147483647", value);
    }
    if (target != NULL) {
        *target = (int)value->valuedouble;
    }
    return 0;
}

static int unpack_int64(struct unpacker *unpacker, const cJSON *value) {
    int64_t *target = va_arg(unpacker->targets, int64_t *);
    if (value == NULL || !is_whole(value)) {
        return error_kind(unpacker, "a whole number", value);
    }
    if (fabs(value->valuedouble) > NUMBER_EXACT_MAX) {
        return error_kind(unpacker, "a whole number of at most 2^53", value);
    }
    if (target != NULL) {
        *target = (int64_t)value->valuedouble;
    }
    return 0;
}

static int unpack_double(struct unpacker *unpacker, const cJSON *value) {
    double *target = va_arg(unpacker->targets, double *);
    if (value == NULL || !cJSON_IsNumber(value)) {
        return error_kind(unpacker, "a number", value);
    }
    if (target != NULL) {
        *target = value->valuedouble;
    }
    return 0;
}

static int unpack_bool(struct unpacker *unpacker, const cJSON *value) {
    bool *target = va_arg(unpacker->targets, bool *);
    if (!cJSON_IsBool(value)) {
        return error_kind(unpacker, "true or false", value);
    }
    if (target != NULL) {
        *target = cJSON_IsTrue(value) != 0;
    }
    return 0;
}

static int unpack_value(struct unpacker *unpacker, const cJSON *value) {
    const cJSON **target = va_arg(unpacker->targets, const cJSON **);
    if (value == NULL) {
        return error_kind(unpacker, "there", value);
    }
    if (target != NULL) {
        *target = value;
    }
    return 0;
}

/* Passes over the item in the format, and over the targets that go with it. */
static int skip_item(struct unpacker *unpacker) {
    int nesting = 0;
    do {
        switch (format_next(&unpacker->place)) {
        case '[':
        case '{':
            nesting++;
            break;
        case ']':
        case '}':
            nesting--;
            break;
        case '?':
        case 'n':
            break;
        case '\0':
            return error_format(unpacker, "ends too early");
        default:
            (void)va_arg(unpacker->targets, void *); /* keys are pointers too */
            break;
        }
    } while (nesting > 0);
    return 0;
}

static int unpack_item(struct unpacker *unpacker, const cJSON *value);

/* What `place` is set to while a child is looked at, and set back afterwards. */
static size_t enter_place(struct unpacker *unpacker, const char *format, const char *key, int index) {
    size_t length = strlen(unpacker->where);
    size_t start = strcmp(unpacker->where, "the value") == 0 ? 0 : length;
    char *end = unpacker->where + start;
    if (key != NULL) {
        bool needs_dot = start > 0 && end[-1] != ' ';
        (void)snprintf(end, sizeof unpacker->where - start, format, needs_dot ? "." : "", key);
    } else {
        (void)snprintf(end, sizeof unpacker->where - start, format, index);
    }
    return start;
}

static void leave_place(struct unpacker *unpacker, size_t start) {
    unpacker->where[start] = '\0';
    if (start == 0) {
        (void)snprintf(unpacker->where, sizeof unpacker->where, "the value");
    }
}

static int unpack_items(struct unpacker *unpacker, const cJSON *value) {
    const cJSON *child = cJSON_IsArray(value) ? value->child : NULL;
    int index = 0;
    int status = 0;
    char letter;
    if (!cJSON_IsArray(value)) {
        return error_kind(unpacker, "an array", value);
    }
    while (status == 0 && (letter = format_peek(&unpacker->place)) != ']') {
        if (letter == '\0') {
            return error_format(unpacker, "has no ] for its [");
        }
        size_t start = enter_place(unpacker, "[%d]", NULL, index);
        status = unpack_item(unpacker, child);
        leave_place(unpacker, start);
        child = child != NULL ? child->next : NULL;
        index++;
    }
    if (status == 0 && child != NULL) {
        status = error_set(MPROC_ETYPE, 0, "%s: %s should have %d items, but has %d", unpacker->function,
                           unpacker->where, index, cJSON_GetArraySize(value));
    }
    unpacker->place += status == 0 ? 1 : 0;
    return status;
}

static int unpack_member(struct unpacker *unpacker, const cJSON *object) {
    if (format_next(&unpacker->place) != 's') {
        return error_format(unpacker, "should have s for a key");
    }
    const char *key = va_arg(unpacker->targets, const char *);
    bool may_be_missing = *unpacker->place == '?';
    unpacker->place += may_be_missing ? 1 : 0;
    char letter = format_peek(&unpacker->place);
    if (key == NULL || letter == '}' || letter == '\0') {
        return error_format(unpacker, key == NULL ? "is given a key that is NULL" : "has a key without a value");
    }
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL && may_be_missing) {
        return skip_item(unpacker);
    }
    size_t start = enter_place(unpacker, "%s\"%.40s\"", key, 0);
    int status = unpack_item(unpacker, value);
    leave_place(unpacker, start);
    return status;
}

static int unpack_members(struct unpacker *unpacker, const cJSON *value) {
    int status = 0;
    char letter;
    if (!cJSON_IsObject(value)) {
        return error_kind(unpacker, "an object", value);
    }
    while (status == 0 && (letter = format_peek(&unpacker->place)) != '}') {
        status = letter == '\0' ? error_format(unpacker, "has no } for its {") : unpack_member(unpacker, value);
    }
    unpacker->place += status == 0 ? 1 : 0;
    return status;
}

static int unpack_nested(struct unpacker *unpacker, const cJSON *value, char letter) {
    if (unpacker->depth == FORMAT_DEPTH_MAX) {
        return error_format(unpacker, "is nested too deep");
    }
    unpacker->depth++;
    int status = letter == '[' ? unpack_items(unpacker, value) : unpack_members(unpacker, value);
    unpacker->depth--;
    return status;
}

static int unpack_item(struct unpacker *unpacker, const cJSON *value) {
    char letter = format_next(&unpacker->place);
    switch (letter) {
    case 's':
        return unpack_text(unpacker, value);
    case 'i':
        return unpack_int(unpacker, value);
    case 'I':
        return unpack_int64(unpacker, value);
    case 'f':
        return unpack_double(unpacker, value);
    case 'b':
        return unpack_bool(unpacker, value);
    case 'n':
        return cJSON_IsNull(value) ? 0 : error_kind(unpacker, "null", value);
    case 'o':
        return unpack_value(unpacker, value);
    case '[':
    case '{':
        return unpack_nested(unpacker, value, letter);
    default:
        return error_format(unpacker, letter == '\0' ? "ends too early" : "has a letter that means nothing");
    }
}

int mproc_unpack(const cJSON *value, const char *format, ...) {
    struct unpacker unpacker;
    memset(&unpacker, 0, sizeof unpacker);
    unpacker.function = "mproc_unpack";
    if (format == NULL) {
        return error_null(unpacker.function, "format");
    }
    unpacker.format = unpacker.place = format;
    (void)snprintf(unpacker.where, sizeof unpacker.where, "the value");
    va_start(unpacker.targets, format);
    int status = unpack_item(&unpacker, value);
    if (status == 0 && format_peek(&unpacker.place) != '\0') {
        status = error_format(&unpacker, "goes on after its value");
    }
    va_end(unpacker.targets);
    return status;
}

/* Arguments of a task ------------------------------------------------------------------------------------------ */

/* Reads "=name" and "?" behind a letter, without moving on. Returns where the next item begins. */
static const char *read_marks(const char *place, char *name, size_t capacity, bool *may_be_missing) {
    size_t length = 0;
    *may_be_missing = false;
    if (*place == '=') {
        for (place++; *place != '\0' && strchr(" ,?=)[]{}", *place) == NULL; place++) {
            if (length + 1 < capacity) {
                name[length++] = *place;
            }
        }
    }
    name[length] = '\0';
    if (*place == '?') {
        *may_be_missing = true;
        place++;
    }
    return place;
}

/* Where the marks behind the item at `place` stand: behind its letter, or behind what closes it. */
static const char *end_of_item(const char *place) {
    int nesting = 0;
    do {
        nesting += *place == '[' || *place == '{' ? 1 : *place == ']' || *place == '}' ? -1 : 0;
        place += *place != '\0' ? 1 : 0;
    } while (nesting > 0 && *place != '\0');
    return place;
}

/* "argument 3 (age)", by hand: each call of each task comes by here. */
static void write_where(struct unpacker *unpacker, int index, const char *name) {
    static const char word[] = "argument ";
    char digits[12], *place = unpacker->where;
    int count = 0;
    memcpy(place, word, sizeof word - 1);
    place += sizeof word - 1;
    do {
        digits[count++] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    while (count > 0) {
        *place++ = digits[--count];
    }
    *place = '\0';
    if (name[0] != '\0') {
        (void)snprintf(place, sizeof unpacker->where - (size_t)(place - unpacker->where), " (%s)", name);
    }
}

static int unpack_argument(struct unpacker *unpacker, const cJSON *argument, int index) {
    char name[NAME_CAPACITY];
    bool may_be_missing;
    (void)format_peek(&unpacker->place);
    const char *next = read_marks(end_of_item(unpacker->place), name, sizeof name, &may_be_missing);
    write_where(unpacker, index, name);
    int status = argument == NULL && may_be_missing ? skip_item(unpacker) : unpack_item(unpacker, argument);
    if (status == 0) {
        unpacker->place = next;
    }
    return status;
}

static int unpack_positional(struct unpacker *unpacker, const cJSON *args) {
    const cJSON *argument = args != NULL ? args->child : NULL;
    int index = 0;
    int status = 0;
    char letter;
    while (status == 0 && (letter = format_peek(&unpacker->place)) != ')') {
        if (letter == '\0') {
            return error_format(unpacker, "has no ) for its (");
        }
        status = unpack_argument(unpacker, argument, index);
        argument = argument != NULL ? argument->next : NULL;
        index++;
    }
    if (status == 0 && argument != NULL) {
        status = error_set(MPROC_ETYPE, 0, "%s: takes %d arguments, but %d were given", unpacker->function, index,
                           cJSON_GetArraySize(args));
    }
    unpacker->place += status == 0 ? 1 : 0;
    return status;
}

static int unpack_named(struct unpacker *unpacker, const cJSON *kwargs) {
    (void)snprintf(unpacker->where, sizeof unpacker->where, "named argument ");
    int status = 0;
    char letter;
    while (status == 0 && (letter = format_peek(&unpacker->place)) != '}') {
        unpacker->where[strlen("named argument ")] = '\0';
        status = letter == '\0' ? error_format(unpacker, "has no } for its {") : unpack_member(unpacker, kwargs);
    }
    unpacker->place += status == 0 ? 1 : 0;
    return status;
}

int value_unpack_arguments(const char *function, const cJSON *args, const cJSON *kwargs, const char *format,
                           va_list targets) {
    struct unpacker unpacker;
    int status = 0;
    memset(&unpacker, 0, sizeof unpacker);
    unpacker.function = function;
    if (format == NULL) {
        return error_null("mproc_task_unpack", "format");
    }
    unpacker.format = unpacker.place = format;
    va_copy(unpacker.targets, targets);
    if (format_peek(&unpacker.place) == '(') {
        unpacker.place++;
        status = unpack_positional(&unpacker, args);
    }
    if (status == 0 && format_peek(&unpacker.place) == '{') {
        unpacker.place++;
        status = unpack_named(&unpacker, kwargs);
    }
    if (status == 0 && format_peek(&unpacker.place) != '\0') {
        status = error_format(&unpacker, "should be ( ) and then { }");
    }
    va_end(unpacker.targets);
    return status;
}
