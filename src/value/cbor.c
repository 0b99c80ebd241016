/* SPDX-License-Identifier: MIT */
#include "value/cbor.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "mproc/core.h"
#include "value/reference.h"
#include "value/value.h"

enum major_type {
    MAJOR_UNSIGNED = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_SIMPLE = 7
};

enum simple_value { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, SIMPLE_DOUBLE = 27 };

#define HEAD_MAX 9
#define REFERENCE_TAG 0x6D70u
#define REFERENCE_ITEMS 5

/* Encoding ----------------------------------------------------------------------------------------------------- */

/* Where the encoder is, for messages: the items on the way down. */
struct step {
    const cJSON *item;
    size_t index; /* of the item in its array */
};

struct encoder {
    struct message *message;
    struct step *steps; /* depth of them are in use */
    size_t depth, capacity;
};

static size_t write_head(uint8_t *place, enum major_type major, uint64_t number) {
    uint8_t type = (uint8_t)((unsigned)major << 5);
    unsigned extra = number < 24 ? 0 : number <= 0xFF ? 1 : number <= 0xFFFF ? 2 : number <= 0xFFFFFFFF ? 4 : 8;
    if (extra == 0) {
        place[0] = (uint8_t)(type | (uint8_t)number);
        return 1;
    }
    place[0] = (uint8_t)(type | (extra == 1 ? 24 : extra == 2 ? 25 : extra == 4 ? 26 : 27));
    for (unsigned i = 0; i < extra; i++) {
        place[extra - i] = (uint8_t)(number >> (8 * i)); /* the highest byte comes first */
    }
    return extra + 1;
}

static int append_head(struct buffer *bytes, enum major_type major, uint64_t number) {
    int status = buffer_reserve(bytes, HEAD_MAX);
    if (status == 0) {
        bytes->size += write_head(bytes->data + bytes->size, major, number);
    }
    return status;
}

static int append_run(struct buffer *bytes, enum major_type major, const void *data, size_t size) {
    int status = append_head(bytes, major, size);
    return status == 0 ? buffer_append(bytes, data, size) : status;
}

/* "[2].\"age\"": the way from the root to the item that failed. */
static void describe_place(const struct encoder *encoder, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 1; i < encoder->depth && used + 1 < size; i++) {
        const struct step *step = &encoder->steps[i];
        int length = step->item->string != NULL
                         ? snprintf(text + used, size - used, "%s\"%.40s\"", i > 1 ? "." : "", step->item->string)
                         : snprintf(text + used, size - used, "[%llu]", (unsigned long long)step->index);
        used += length > 0 ? (size_t)length : 0;
    }
    if (encoder->depth <= 1) {
        (void)snprintf(text, size, "the value");
    }
}

static int refuse(const struct encoder *encoder, int code, const char *why) {
    char place[256];
    describe_place(encoder, place, sizeof place);
    place[text_cut(place, sizeof place - 1)] = '\0';
    return error_set(code, 0, "%s %s", place, why);
}

static int encode_number(struct encoder *encoder, double number) {
    struct buffer *bytes = &encoder->message->bytes;
    if (!number_is_finite(number)) {
        return refuse(encoder, MPROC_EINVAL,
                      number_is_nan(number) ? "is not a number that can be sent: nan"
                                            : "is not a number that can be sent: infinite");
    }
    bool is_whole =
        fabs(number) <= NUMBER_EXACT_MAX && number_is_whole(number) && !(number_is_negative(number) && number >= 0);
    if (is_whole) {
        return number >= 0 ? append_head(bytes, MAJOR_UNSIGNED, (uint64_t)number)
                           : append_head(bytes, MAJOR_NEGATIVE, (uint64_t)(-1.0 - number));
    }
    uint64_t bits;
    uint8_t written[HEAD_MAX];
    memcpy(&bits, &number, sizeof bits);
    written[0] = (MAJOR_SIMPLE << 5) | SIMPLE_DOUBLE;
    for (int i = 0; i < 8; i++) {
        written[8 - i] = (uint8_t)(bits >> (8 * i));
    }
    return buffer_append(bytes, written, sizeof written);
}

static int encode_text(struct encoder *encoder, const char *text, const char *missing, const char *not_utf8) {
    size_t size = text != NULL ? strlen(text) : 0;
    if (text == NULL) {
        return refuse(encoder, MPROC_EINVAL, missing);
    }
    if (!text_is_utf8(text, size)) {
        return refuse(encoder, MPROC_EINVAL, not_utf8);
    }
    return append_run(&encoder->message->bytes, MAJOR_TEXT, text, size);
}

static int append_parcel_head(struct buffer *bytes, const struct parcel *parcel, size_t first_handle) {
    const uint64_t numbers[] = {(uint64_t)parcel->kind, parcel->flags, first_handle, parcel->handle_count};
    int status = append_head(bytes, MAJOR_TAG, REFERENCE_TAG);
    if (status == 0) {
        status = append_head(bytes, MAJOR_ARRAY, REFERENCE_ITEMS);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == 0; i++) {
        status = append_head(bytes, MAJOR_UNSIGNED, numbers[i]);
    }
    return status;
}

/* What the reference stands for leaves this process with the message. */
static int encode_reference(struct encoder *encoder, const cJSON *item) {
    struct message *message = encoder->message;
    struct parcel parcel;
    int status = reference_take(item, (enum reference_kind)0, &parcel);
    if (status != 0) {
        char why[512];
        (void)snprintf(why, sizeof why, "cannot be sent: %s", mproc_last_error()->message);
        return refuse(encoder, status, why);
    }
    status = append_parcel_head(&message->bytes, &parcel, message->handle_count);
    if (status == 0) {
        status = append_run(&message->bytes, MAJOR_BYTES, parcel.bytes.data, parcel.bytes.size);
    }
    for (size_t i = 0; i < parcel.handle_count && status == 0; i++) {
        handle moved = parcel.handles[i];
        parcel.handles[i] = HANDLE_INVALID;
        status = message_add_handle(message, moved);
    }
    parcel_clear(&parcel);
    return status;
}

static size_t count_children(const cJSON *item) {
    size_t count = 0;
    const cJSON *child;
    cJSON_ArrayForEach(child, item) {
        count++;
    }
    return count;
}

/* The item itself, and of an array or object only the head: `opens` tells that its children follow. */
static int encode_item(struct encoder *encoder, const cJSON *item, bool *opens) {
    struct buffer *bytes = &encoder->message->bytes;
    *opens = false;
    switch (item->type & 0xFF) {
    case cJSON_False:
        return append_head(bytes, MAJOR_SIMPLE, SIMPLE_FALSE);
    case cJSON_True:
        return append_head(bytes, MAJOR_SIMPLE, SIMPLE_TRUE);
    case cJSON_NULL:
        return append_head(bytes, MAJOR_SIMPLE, SIMPLE_NULL);
    case cJSON_Number:
        return encode_number(encoder, item->valuedouble);
    case cJSON_String:
        return encode_text(encoder, item->valuestring, "is a string without text", "is a string that is not UTF-8");
    case cJSON_Array:
        *opens = item->child != NULL;
        return append_head(bytes, MAJOR_ARRAY, count_children(item));
    case cJSON_Object:
        if (reference_is(item)) {
            return encode_reference(encoder, item);
        }
        *opens = item->child != NULL;
        return append_head(bytes, MAJOR_MAP, count_children(item));
    default:
        return refuse(encoder, MPROC_ETYPE, "is of no kind that can be sent (cJSON_Raw, or cJSON_Invalid)");
    }
}

static int push_step(struct encoder *encoder, const cJSON *item, size_t index) {
    if (encoder->depth > CBOR_DEPTH_MAX) {
        return error_set(MPROC_ERANGE, 0, "the value is nested more than %d levels deep", CBOR_DEPTH_MAX);
    }
    if (encoder->depth == encoder->capacity) {
        size_t capacity = encoder->capacity > 0 ? encoder->capacity * 2 : 16;
        struct step *steps = memory_resize(encoder->steps, capacity * sizeof *steps);
        if (steps == NULL) {
            return MPROC_ENOMEM;
        }
        encoder->steps = steps;
        encoder->capacity = capacity;
    }
    encoder->steps[encoder->depth].item = item;
    encoder->steps[encoder->depth].index = index;
    encoder->depth++;
    return 0;
}

/* To the item after the one on top: its sibling, or that of the nearest one above that has any. */
static void advance(struct encoder *encoder) {
    while (encoder->depth > 1) {
        struct step *top = &encoder->steps[encoder->depth - 1];
        if (top->item->next != NULL) {
            top->item = top->item->next;
            top->index++;
            return;
        }
        encoder->depth--;
    }
    encoder->depth = 0;
}

/* One item, with its key where it stands in an object; on to the next. */
static int encode_step(struct encoder *encoder) {
    const cJSON *item = encoder->steps[encoder->depth - 1].item;
    bool is_member = encoder->depth > 1 && cJSON_IsObject(encoder->steps[encoder->depth - 2].item);
    bool opens = false;
    int status = 0;
    if (is_member) {
        status = encode_text(encoder, item->string, "is a member without a key", "is a member whose key is not UTF-8");
    }
    if (status == 0) {
        status = encode_item(encoder, item, &opens);
    }
    if (status == 0 && encoder->message->bytes.size > MPROC_MESSAGE_MAX) {
        status =
            error_set(MPROC_ERANGE, 0, "the value takes more than %llu bytes", (unsigned long long)MPROC_MESSAGE_MAX);
    }
    if (status == 0 && opens) {
        status = push_step(encoder, item->child, 0);
    } else if (status == 0) {
        advance(encoder);
    }
    return status;
}

static void truncate_message(struct message *message, size_t size, size_t handle_count) {
    message->bytes.size = size;
    while (message->handle_count > handle_count) {
        handle_close(message->handles[--message->handle_count]);
    }
}

int cbor_encode(const cJSON *value, struct message *message) {
    struct encoder encoder = {message, NULL, 0, 0};
    size_t size = message->bytes.size;
    size_t handle_count = message->handle_count;
    int status = push_step(&encoder, value, 0);
    while (status == 0 && encoder.depth > 0) {
        status = encode_step(&encoder);
    }
    if (status != 0) {
        truncate_message(message, size, handle_count);
    }
    memory_free(encoder.steps);
    return status;
}

/* Decoding ----------------------------------------------------------------------------------------------------- */

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
    if (kind < REFERENCE_CONNECTION || kind > REFERENCE_WORKER || flags > UINT32_MAX || count > PARCEL_HANDLES ||
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
        memcpy(&value, &number, sizeof value);
        *item = number_is_finite(value) ? cJSON_CreateNumber(value) : NULL;
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

static int open_level(struct level *levels, size_t *depth, cJSON *item, uint64_t children) {
    if (children == 0) {
        return 0;
    }
    if (*depth == CBOR_DEPTH_MAX) {
        return error_set(MPROC_EINVAL, 0, "what arrived is nested more than %d levels deep", CBOR_DEPTH_MAX);
    }
    levels[*depth].item = item;
    levels[*depth].last = NULL;
    levels[*depth].left = children;
    levels[*depth].is_map = cJSON_IsObject(item);
    (*depth)++;
    return 0;
}

static int read_levels(struct decoder *decoder, struct level *levels, cJSON *root, uint64_t children) {
    size_t depth = 0;
    int status = open_level(levels, &depth, root, children);
    while (status == 0 && depth > 0) {
        cJSON *child = NULL;
        struct level *level = &levels[depth - 1];
        if (level->left == 0) {
            depth--;
            continue;
        }
        status = read_child(decoder, level, &child, &children);
        if (status == 0) {
            status = open_level(levels, &depth, child, children);
        }
    }
    return status;
}

int cbor_decode(const uint8_t *data, size_t size, size_t *used, handle *handles, size_t handle_count, cJSON **value) {
    struct decoder decoder = {data, size, 0, handles, handle_count};
    struct level *levels = NULL;
    cJSON *root = NULL;
    uint64_t children = 0;
    int status = read_item(&decoder, &root, &children);
    if (status == 0 && children > 0) {
        levels = memory_resize(NULL, CBOR_DEPTH_MAX * sizeof *levels);
        status = levels != NULL ? read_levels(&decoder, levels, root, children) : MPROC_ENOMEM;
    }
    if (status == 0) {
        *used = decoder.place;
        *value = root;
    } else {
        value_delete(root);
    }
    memory_free(levels);
    return status;
}
