/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/thread_local.h"
#include "mproc/value.h"
#include "value/format.h"
#include "value/value.h"

#define MESSAGE_CAPACITY 512

/* The error of the thread's last mproc_pack that gave NULL, until a call that was given that NULL asks for it. */
struct pending {
    int code;
    char message[MESSAGE_CAPACITY];
};

static THREAD_LOCAL struct pending pending;

/* After a failure the rest of the format is still walked, because an `o` in it is to be freed. */
struct packer {
    const char *format, *place;
    va_list arguments;
    int status;
    int depth;
    bool is_lost; /* the format itself makes no sense, so that nobody knows what the rest of the arguments are */
};

int value_pending_error(void) {
    int code = pending.code;
    if (code != 0) {
        pending.code = 0;
        (void)error_set(code, 0, "%s", pending.message);
    }
    return code;
}

static void fail(struct packer *packer, int status) {
    if (packer->status == 0) {
        packer->status = status;
    }
}

static void fail_format(struct packer *packer, const char *why) {
    fail(packer, error_set(MPROC_EINVAL, 0, "mproc_pack: the format \"%s\" %s at character %d", packer->format, why,
                           (int)(packer->place - packer->format)));
    packer->is_lost = true;
}

static cJSON *created(struct packer *packer, cJSON *item) {
    if (item == NULL) {
        fail(packer, error_no_memory(sizeof(cJSON)));
    }
    return item;
}

static cJSON *pack_whole(struct packer *packer, int64_t number) {
    if (number > (int64_t)NUMBER_EXACT_MAX || number < -(int64_t)NUMBER_EXACT_MAX) {
        fail(packer, error_set(MPROC_ERANGE, 0,
                               "mproc_pack: %lld is past 2^53 and would not arrive exactly; send it as "
                               "a string or as bytes",
                               (long long)number));
        return NULL;
    }
    return created(packer, cJSON_CreateNumber((double)number));
}

static cJSON *pack_double(struct packer *packer, double number) {
    if (!number_is_finite(number)) {
        fail(packer, error_set(MPROC_EINVAL, 0, "mproc_pack: %s is not a number that JSON has",
                               number_is_nan(number) ? "a NaN" : "an infinity"));
        return NULL;
    }
    return created(packer, cJSON_CreateNumber(number));
}

static cJSON *pack_text(struct packer *packer, const char *text) {
    return created(packer, text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static cJSON *pack_object(struct packer *packer, cJSON *taken) {
    if (taken == NULL) {
        int status = value_pending_error();
        fail(packer, status != 0 ? status : error_set(MPROC_EINVAL, 0, "mproc_pack: an argument for o is NULL"));
    }
    return taken;
}

static cJSON *pack_item(struct packer *packer);

static void add_item(struct packer *packer, cJSON *array, cJSON *item) {
    if (packer->status != 0 || !cJSON_AddItemToArray(array, item)) {
        fail(packer, MPROC_ENOMEM);
        value_delete(item);
    }
}

static cJSON *pack_items(struct packer *packer) {
    cJSON *array = created(packer, cJSON_CreateArray());
    char letter;
    while (!packer->is_lost && (letter = format_peek(&packer->place)) != ']') {
        if (letter == '\0') {
            fail_format(packer, "has no ] for its [");
        } else {
            add_item(packer, array, pack_item(packer));
        }
    }
    packer->place += packer->is_lost ? 0 : 1;
    return array;
}

static void pack_member(struct packer *packer, cJSON *object) {
    if (format_next(&packer->place) != 's') {
        fail_format(packer, "should have s for a key");
        return;
    }
    const char *key = va_arg(packer->arguments, const char *);
    char letter = format_peek(&packer->place);
    if (letter == '}' || letter == '\0') {
        fail_format(packer, "has a key without a value");
        return;
    }
    cJSON *item = pack_item(packer);
    if (key == NULL) {
        fail(packer, error_set(MPROC_EINVAL, 0, "mproc_pack: a key is NULL"));
    }
    if (packer->status != 0 || !cJSON_AddItemToObject(object, key, item)) {
        fail(packer, MPROC_ENOMEM);
        value_delete(item);
    }
}

static cJSON *pack_members(struct packer *packer) {
    cJSON *object = created(packer, cJSON_CreateObject());
    char letter;
    while (!packer->is_lost && (letter = format_peek(&packer->place)) != '}') {
        if (letter == '\0') {
            fail_format(packer, "has no } for its {");
        } else {
            pack_member(packer, object);
        }
    }
    packer->place += packer->is_lost ? 0 : 1;
    return object;
}

static cJSON *pack_nested(struct packer *packer, char letter) {
    if (packer->depth == FORMAT_DEPTH_MAX) {
        fail_format(packer, "is nested too deep");
        return NULL;
    }
    packer->depth++;
    cJSON *item = letter == '[' ? pack_items(packer) : pack_members(packer);
    packer->depth--;
    return item;
}

/* The next item, or NULL after a failure; a value that cannot be used any more is freed by whoever is given it. */
static cJSON *pack_item(struct packer *packer) {
    char letter = format_next(&packer->place);
    switch (letter) {
    case 's':
        return pack_text(packer, va_arg(packer->arguments, const char *));
    case 'i':
        return created(packer, cJSON_CreateNumber(va_arg(packer->arguments, int)));
    case 'I':
        return pack_whole(packer, va_arg(packer->arguments, int64_t));
    case 'f':
        return pack_double(packer, va_arg(packer->arguments, double));
    case 'b':
        return created(packer, cJSON_CreateBool(va_arg(packer->arguments, int)));
    case 'n':
        return created(packer, cJSON_CreateNull());
    case 'o':
        return pack_object(packer, va_arg(packer->arguments, cJSON *));
    case '[':
    case '{':
        return pack_nested(packer, letter);
    default:
        fail_format(packer, letter == '\0' ? "ends too early" : "has a letter that means nothing");
        return NULL;
    }
}

static void remember(int status) {
    pending.code = status;
    const char *message = mproc_last_error()->message;
    size_t size = strlen(message) < sizeof pending.message ? strlen(message) : sizeof pending.message - 1;
    memcpy(pending.message, message, size);
    pending.message[size] = '\0';
}

cJSON *mproc_pack(const char *format, ...) {
    struct packer packer;
    cJSON *value = NULL;
    memset(&packer, 0, sizeof packer);
    if (format == NULL) {
        remember(error_null("mproc_pack", "format"));
        return NULL;
    }
    packer.format = packer.place = format;
    va_start(packer.arguments, format);
    value = pack_item(&packer);
    if (!packer.is_lost && format_peek(&packer.place) != '\0') {
        fail_format(&packer, "goes on after its value");
    }
    va_end(packer.arguments);
    if (packer.status != 0) {
        value_delete(value);
        value = NULL;
        remember(packer.status);
    }
    return value;
}
