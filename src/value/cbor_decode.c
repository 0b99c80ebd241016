/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "value/cbor.h"
#include "value/cbor_format.h"
#include "value/reference.h"
#include "value/value.h"

struct decoder {
    const uint8_t *data;
    size_t size, place;
    handle *handles;
    size_t handle_count;
};

/* An array or object that is being filled. */
struct level {
    cJSON *item, *last;
    uint64_t left; /* children still to come */
    bool is_map;
};

/* Those on the way down. */
struct levels {
    struct level *all; /* `usual`, or allocated for the deepest there can be; depth of them are in use */
    size_t depth;
    struct level usual[USUAL_DEPTH];
};

static int malformed(const struct decoder *decoder) {
    (void)error_set(MPROC_EINVAL, 0, "what arrived is not a value that mproc has sent (at byte %llu of %llu)",
                    (unsigned long long)decoder->place, (unsigned long long)decoder->size);
    return MPROC_EINVAL;
}

static int read_head(struct decoder *decoder, enum major_type *major, uint64_t *number) {
    if (decoder->place >= decoder->size) {
        return malformed(decoder);
    }
    uint8_t first = decoder->data[decoder->place];
    unsigned low = first & 0x1F;
    size_t extra = low < 24 ? 0 : low == 24 ? 1 : low == 25 ? 2 : low == 26 ? 4 : 8;
    if (low > 27 || extra > decoder->size - decoder->place - 1) {
        return malformed(decoder);
    }
    *major = (enum major_type)(first >> 5);
    *number = extra == 0 ? low : 0;
    for (size_t i = 1; i <= extra; i++) {
        *number = *number << 8 | decoder->data[decoder->place + i];
    }
    decoder->place += extra + 1;
    return 0;
}

/* The bytes of a text or byte string. */
static int read_run(struct decoder *decoder, uint64_t size, const uint8_t **run) {
    if (size > decoder->size - decoder->place) {
        return malformed(decoder);
    }
    *run = decoder->data + decoder->place;
    decoder->place += (size_t)size;
    return 0;
}

/* Text as cJSON wants it: allocated by cJSON's allocator, ended by a zero. */
static int read_text(struct decoder *decoder, uint64_t size, char **text) {
    const uint8_t *run = NULL;
    int status = read_run(decoder, size, &run);
    if (status != 0) {
        return status;
    }
    if (memchr(run, 0, (size_t)size) != NULL || !text_is_utf8((const char *)run, (size_t)size)) {
        return malformed(decoder);
    }
    char *copy = cJSON_malloc((size_t)size + 1);
    if (copy == NULL) {
        return error_no_memory((size_t)size + 1);
    }
    memcpy(copy, run, (size_t)size);
    copy[size] = '\0';
    *text = copy;
    return 0;
}

static int read_number(struct decoder *decoder, uint64_t *number) {
    enum major_type major = MAJOR_SIMPLE;
    int status = read_head(decoder, &major, number);
    return status == 0 && major != MAJOR_UNSIGNED ? malformed(decoder) : status;
}

static int fill_parcel(struct decoder *decoder, struct parcel *parcel) {
    uint64_t kind = 0, flags = 0, first = 0, count = 0, size = 0;
    const uint8_t *run = NULL;
    enum major_type major = MAJOR_SIMPLE;
    int status = read_number(decoder, &kind);
    if (status == 0) {
        status = read_number(decoder, &flags);
    }
    if (status == 0) {
        status = read_number(decoder, &first);
    }
    if (status == 0) {
        status = read_number(decoder, &count);
    }
    if (status == 0) {
        status = read_head(decoder, &major, &size);
    }
    if (status == 0) {
        status = major == MAJOR_BYTES ? read_run(decoder, size, &run) : malformed(decoder);
    }
    if (status != 0) {
        return status;
    }
    if (kind < REFERENCE_CONNECTION || kind > REFERENCE_LAST || flags > UINT32_MAX || count > PARCEL_HANDLES ||
        first > decoder->handle_count || count > decoder->handle_count - first) {
        return malformed(decoder);
    }
    parcel->kind = (enum reference_kind)kind;
    parcel->flags = (uint32_t)flags;
    status = buffer_append(&parcel->bytes, run, (size_t)size);
    for (uint64_t i = 0; i < count && status == 0; i++) {
        parcel->handles[parcel->handle_count++] = decoder->handles[first + i];
        decoder->handles[first + i] = HANDLE_INVALID;
    }
    return status;
}

static int read_reference(struct decoder *decoder, uint64_t tag, cJSON **item) {
    struct parcel parcel;
    enum major_type major = MAJOR_SIMPLE;
    uint64_t count = 0;
    memset(&parcel, 0, sizeof parcel);
    int status = tag == REFERENCE_TAG ? read_head(decoder, &major, &count) : malformed(decoder);
    if (status == 0 && (major != MAJOR_ARRAY || count != REFERENCE_ITEMS)) {
        status = malformed(decoder);
    }
    if (status == 0) {
        status = fill_parcel(decoder, &parcel);
    }
    if (status == 0) {
        *item = reference_create(&parcel);
        status = *item == NULL ? MPROC_ENOMEM : 0;
    }
    parcel_clear(&parcel);
    return status;
}

static int create_text(struct decoder *decoder, uint64_t size, cJSON **item) {
    char *text = NULL;
    int status = read_text(decoder, size, &text);
    if (status != 0) {
        return status;
    }
    *item = cJSON_CreateNull();
    if (*item == NULL) {
        cJSON_free(text);
        return error_no_memory(sizeof(cJSON));
    }
    (*item)->type = cJSON_String;
    (*item)->valuestring = text;
    return 0;
}

static bool is_finite_double(uint64_t bits, double *value) {
    memcpy(value, &bits, sizeof *value);
    return number_is_finite(*value);
}

static int create_simple(struct decoder *decoder, uint8_t first, uint64_t number, cJSON **item) {
    double value = 0;
    switch (first & 0x1F) {
    case SIMPLE_FALSE:
        *item = cJSON_CreateFalse();
        return 0;
    case SIMPLE_TRUE:
        *item = cJSON_CreateTrue();
        return 0;
    case SIMPLE_NULL:
        *item = cJSON_CreateNull();
        return 0;
    case SIMPLE_DOUBLE:
        *item = is_finite_double(number, &value) ? cJSON_CreateNumber(value) : NULL;
        return number_is_finite(value) ? 0 : malformed(decoder);
    default:
        return malformed(decoder);
    }
}

/* A child takes one byte at least, a member two. */
static int check_count(struct decoder *decoder, uint64_t count, bool is_map) {
    size_t left = decoder->size - decoder->place;
    return count > (is_map ? left / 2 : left) ? malformed(decoder) : 0;
}

/* One item; of an array or object the empty one, and `children` tells how many follow. */
static int read_item(struct decoder *decoder, cJSON **item, uint64_t *children) {
    enum major_type major = MAJOR_SIMPLE;
    uint64_t number = 0;
    uint8_t first = decoder->place < decoder->size ? decoder->data[decoder->place] : 0;
    int status = read_head(decoder, &major, &number);
    *children = 0;
    if (status != 0) {
        return status;
    }
    switch (major) {
    case MAJOR_UNSIGNED:
        *item = cJSON_CreateNumber((double)number);
        break;
    case MAJOR_NEGATIVE:
        *item = cJSON_CreateNumber(-1.0 - (double)number);
        break;
    case MAJOR_TEXT:
        status = create_text(decoder, number, item);
        break;
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        status = check_count(decoder, number, major == MAJOR_MAP);
        *children = number;
        *item = status == 0 ? (major == MAJOR_MAP ? cJSON_CreateObject() : cJSON_CreateArray()) : NULL;
        break;
    case MAJOR_TAG:
        status = read_reference(decoder, number, item);
        break;
    case MAJOR_SIMPLE:
        status = create_simple(decoder, first, number, item);
        break;
    case MAJOR_BYTES:
        status = malformed(decoder);
        break;
    }
    return status == 0 && *item == NULL ? error_no_memory(sizeof(cJSON)) : status;
}

/* cJSON keeps a list whose first item knows the last one. */
static void link_child(struct level *level, cJSON *child) {
    if (level->last == NULL) {
        level->item->child = child;
    } else {
        level->last->next = child;
        child->prev = level->last;
    }
    level->item->child->prev = child;
    level->last = child;
    level->left--;
}

static int read_key(struct decoder *decoder, char **key) {
    enum major_type major = MAJOR_SIMPLE;
    uint64_t size = 0;
    int status = read_head(decoder, &major, &size);
    if (status == 0 && major != MAJOR_TEXT) {
        status = malformed(decoder);
    }
    return status == 0 ? read_text(decoder, size, key) : status;
}

/* The next child of the level, linked in as soon as it exists, so that the root owns all there is. */
static int read_child(struct decoder *decoder, struct level *level, cJSON **child, uint64_t *children) {
    char *key = NULL;
    int status = level->is_map ? read_key(decoder, &key) : 0;
    if (status == 0) {
        status = read_item(decoder, child, children);
    }
    if (status != 0 || *child == NULL) {
        cJSON_free(key);
        return status;
    }
    (*child)->string = key;
    link_child(level, *child);
    return 0;
}

static int open_level(struct levels *levels, cJSON *item, uint64_t children) {
    if (children == 0) {
        return 0;
    }
    if (levels->depth == CBOR_DEPTH_MAX) {
        return error_set(MPROC_EINVAL, 0, "what arrived is nested more than %d levels deep", CBOR_DEPTH_MAX);
    }
    if (levels->depth == USUAL_DEPTH && levels->all == levels->usual) {
        levels->all = memory_resize(NULL, CBOR_DEPTH_MAX * sizeof *levels->all);
        if (levels->all == NULL) {
            levels->all = levels->usual;
            return MPROC_ENOMEM;
        }
        memcpy(levels->all, levels->usual, sizeof levels->usual);
    }
    struct level *level = &levels->all[levels->depth++];
    level->item = item;
    level->last = NULL;
    level->left = children;
    level->is_map = cJSON_IsObject(item);
    return 0;
}

/* All that is in an array or object. */
static int read_children(struct decoder *decoder, cJSON *root, uint64_t children) {
    struct levels levels;
    levels.all = levels.usual;
    levels.depth = 0;
    int status = open_level(&levels, root, children);
    while (status == 0 && levels.depth > 0) {
        cJSON *child = NULL;
        struct level *level = &levels.all[levels.depth - 1];
        if (level->left == 0) {
            levels.depth--;
            continue;
        }
        status = read_child(decoder, level, &child, &children);
        if (status == 0) {
            status = open_level(&levels, child, children);
        }
    }
    if (levels.all != levels.usual) {
        memory_free(levels.all);
    }
    return status;
}

int cbor_decode(const uint8_t *data, size_t size, size_t *used, handle *handles, size_t handle_count, cJSON **value) {
    struct decoder decoder = {data, size, 0, handles, handle_count};
    cJSON *root = NULL;
    uint64_t children = 0;
    int status = read_item(&decoder, &root, &children);
    if (status == 0 && children > 0) {
        status = read_children(&decoder, root, children);
    }
    if (status == 0) {
        *used = decoder.place;
        *value = root;
    } else {
        value_delete(root);
    }
    return status;
}

bool cbor_decode_number(const uint8_t *data, size_t size, cJSON *number) {
    struct decoder decoder = {data, size, 0, NULL, 0};
    enum major_type major = MAJOR_SIMPLE;
    uint64_t head = 0;
    double value = 0;
    if (read_head(&decoder, &major, &head) != 0) {
        return false;
    }
    if (major == MAJOR_UNSIGNED) {
        value = (double)head;
    } else if (major == MAJOR_NEGATIVE) {
        value = -1.0 - (double)head;
    } else if (major != MAJOR_SIMPLE || (data[0] & 0x1F) != SIMPLE_DOUBLE || !is_finite_double(head, &value)) {
        return false;
    }
    memset(number, 0, sizeof *number);
    number->type = cJSON_Number;
    (void)cJSON_SetNumberHelper(number, value);
    return true;
}
