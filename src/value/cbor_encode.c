/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "mproc/core.h"
#include "value/cbor.h"
#include "value/cbor_format.h"
#include "value/reference.h"

#define HEAD_MAX 9

/* Where the encoder is, for messages: the items on the way down. */
struct step {
    const cJSON *item;
    size_t index; /* of the item in its array */
};

struct encoder {
    struct message *message;
    struct step *steps; /* `usual`, or allocated; depth of them are in use */
    size_t depth, capacity;
    struct step usual[USUAL_DEPTH];
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
        size_t capacity = encoder->capacity * 2;
        bool is_first = encoder->steps == encoder->usual;
        struct step *steps = memory_resize(is_first ? NULL : encoder->steps, capacity * sizeof *steps);
        if (steps == NULL) {
            return MPROC_ENOMEM;
        }
        if (is_first) {
            memcpy(steps, encoder->usual, sizeof encoder->usual);
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
    struct encoder encoder;
    encoder.message = message;
    encoder.steps = encoder.usual;
    encoder.depth = 0;
    encoder.capacity = USUAL_DEPTH;
    size_t size = message->bytes.size;
    size_t handle_count = message->handle_count;
    int status = push_step(&encoder, value, 0);
    while (status == 0 && encoder.depth > 0) {
        status = encode_step(&encoder);
    }
    if (status != 0) {
        truncate_message(message, size, handle_count);
    }
    if (encoder.steps != encoder.usual) {
        memory_free(encoder.steps);
    }
    return status;
}
