/* SPDX-License-Identifier: MIT */
/* Values on the wire. */
#include "support/test.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mproc.h"
#include "platform/pipe.h"
#include "value/cbor.h"
#include "value/reference.h"
#include "value/value.h"

static int decode(const struct message *message, cJSON **value, size_t *used) {
    return cbor_decode(message->bytes.data, message->bytes.size, used, message->handles, message->handle_count, value);
}

static cJSON *round_trip(const cJSON *value) {
    struct message message = {0};
    cJSON *decoded = NULL;
    size_t used = 0;
    assert_mproc(0, cbor_encode(value, &message));
    assert_mproc(0, decode(&message, &decoded, &used));
    assert_int_equal(used, message.bytes.size);
    message_clear(&message);
    return decoded;
}

/* The examples of RFC 8949, appendix A, that cJSON has values for. */
static void the_bytes_are_those_of_the_standard(void **state) {
    (void)state;
    static const struct {
        const char *json, *bytes;
    } rows[] = {
        {"0", "00"},
        {"1", "01"},
        {"10", "0a"},
        {"23", "17"},
        {"24", "1818"},
        {"25", "1819"},
        {"100", "1864"},
        {"1000", "1903e8"},
        {"1000000", "1a000f4240"},
        {"1000000000000", "1b000000e8d4a51000"},
        {"-1", "20"},
        {"-10", "29"},
        {"-100", "3863"},
        {"-1000", "3903e7"},
        {"1.1", "fb3ff199999999999a"},
        {"1.0e+300", "fb7e37e43c8800759c"},
        {"-4.1", "fbc010666666666666"},
        {"false", "f4"},
        {"true", "f5"},
        {"null", "f6"},
        {"\"\"", "60"},
        {"\"a\"", "6161"},
        {"\"IETF\"", "6449455446"},
        {"\"\\\"\\\\\"", "62225c"},
        {"\"\\u00fc\"", "62c3bc"},
        {"\"\\u6c34\"", "63e6b0b4"},
        {"[]", "80"},
        {"[1,2,3]", "83010203"},
        {"[1,[2,3],[4,5]]", "8301820203820405"},
        {"{}", "a0"},
        {"{\"a\":1,\"b\":[2,3]}", "a26161016162820203"},
        {"[\"a\",{\"b\":\"c\"}]", "826161a161626163"},
        {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
         "98190102030405060708090a0b0c0d0e0f101112131415161718181819"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct message message = {0};
        char text[128] = "";
        cJSON *value = cJSON_Parse(rows[i].json), *decoded = NULL;
        size_t used;
        assert_mproc(0, cbor_encode(value, &message));
        for (size_t k = 0; k < message.bytes.size; k++) {
            (void)snprintf(text + 2 * k, 3, "%02x", message.bytes.data[k]);
        }
        assert_string_equal(text, rows[i].bytes);
        assert_mproc(0, decode(&message, &decoded, &used));
        assert_true(cJSON_Compare(value, decoded, true));
        cJSON_Delete(value);
        cJSON_Delete(decoded);
        message_clear(&message);
    }
}

static void doubles_arrive_bit_by_bit(void **state) {
    (void)state;
    static const double numbers[] = {0.0,
                                     -0.0,
                                     0.1,
                                     -1.5,
                                     1.0 / 3,
                                     DBL_MIN,
                                     DBL_MIN / 4,
                                     DBL_MAX,
                                     -DBL_MAX,
                                     DBL_EPSILON,
                                     4294967295.0,
                                     4294967296.0,
                                     -4294967297.0,
                                     9007199254740991.0,
                                     9007199254740992.0,
                                     9007199254740994.0,
                                     -9007199254740992.0,
                                     -9223372036854775808.0,
                                     1e300};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        cJSON *value = cJSON_CreateNumber(numbers[i]);
        cJSON *decoded = round_trip(value);
        assert_memory_equal(&decoded->valuedouble, &numbers[i], sizeof numbers[i]);
        cJSON_Delete(value);
        cJSON_Delete(decoded);
    }
}

static uint64_t random_state;

static uint64_t next_random(void) { /* xorshift64* */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static void seed_random(void) {
    const char *seed = getenv("MPROC_SEED");
    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20261121;
    print_message("MPROC_SEED=%llu\n", (unsigned long long)random_state);
}

static cJSON *random_value(int depth) {
    char text[32];
    uint64_t kind = next_random() % (depth > 0 ? 8 : 6);
    cJSON *value;
    switch (kind) {
    case 0:
        return cJSON_CreateBool((int)(next_random() & 1));
    case 1:
        return cJSON_CreateNull();
    case 2:
        return cJSON_CreateNumber((double)(int64_t)next_random());
    case 3:
        return cJSON_CreateNumber((double)(int32_t)next_random());
    case 4:
        return cJSON_CreateNumber((double)(int64_t)next_random() / 1e12);
    case 5:
        (void)snprintf(text, sizeof text, "文%llx", (unsigned long long)(next_random() >> (next_random() % 64)));
        return cJSON_CreateString(text);
    default:
        value = kind == 6 ? cJSON_CreateArray() : cJSON_CreateObject();
        for (uint64_t i = next_random() % 6; i > 0; i--) {
            (void)snprintf(text, sizeof text, "k%llu", (unsigned long long)i);
            if (kind == 6) {
                cJSON_AddItemToArray(value, random_value(depth - 1));
            } else {
                cJSON_AddItemToObject(value, text, random_value(depth - 1));
            }
        }
        return value;
    }
}

static void random_trees_come_back_equal(void **state) {
    (void)state;
    seed_random();
    for (int i = 0; i < 2000; i++) {
        cJSON *value = random_value(6);
        cJSON *decoded = round_trip(value);
        char *before = cJSON_PrintUnformatted(value), *after = cJSON_PrintUnformatted(decoded);
        assert_string_equal(after, before);
        cJSON_free(before);
        cJSON_free(after);
        cJSON_Delete(value);
        cJSON_Delete(decoded);
    }
}

static void what_was_cut_or_changed_does_no_harm(void **state) {
    (void)state;
    seed_random();
    for (int i = 0; i < 2000; i++) {
        struct message message = {0};
        cJSON *value = random_value(5), *decoded = NULL;
        size_t used = 0;
        assert_mproc(0, cbor_encode(value, &message));
        size_t cut = (size_t)(next_random() % message.bytes.size);
        assert_mproc(MPROC_EINVAL, cbor_decode(message.bytes.data, cut, &used, NULL, 0, &decoded));
        for (int flips = 0; flips < 3; flips++) {
            message.bytes.data[next_random() % message.bytes.size] ^= (uint8_t)(1u << next_random() % 8);
        }
        int status = cbor_decode(message.bytes.data, message.bytes.size, &used, NULL, 0, &decoded);
        assert_true(status == 0 || status == MPROC_EINVAL);
        if (status == 0) {
            assert_true(used <= message.bytes.size);
            cJSON_Delete(decoded);
        }
        cJSON_Delete(value);
        message_clear(&message);
    }
}

static void malformed_input_is_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",                     /* nothing */
        "18",                   /* a head that is cut */
        "1c",                   /* a reserved length */
        "9f01ff",               /* indefinite lengths are not ours */
        "9bffffffffffffffff",   /* more items than bytes */
        "bbffffffffffffffff",   /* more members than bytes */
        "7bffffffffffffffff",   /* a text that is longer than all there is */
        "8201",                 /* an item is missing */
        "a10102",               /* a key that is no text */
        "a16161",               /* a value is missing */
        "6100",                 /* a text with a zero in it */
        "61ff",                 /* not UTF-8 */
        "62c080",               /* overlong */
        "4101",                 /* bytes stand in references only */
        "f7",                   /* undefined */
        "f97c00",               /* half floats are not ours */
        "fb7ff0000000000000",   /* an infinity */
        "fb7ff8000000000000",   /* a NaN */
        "c101",                 /* a tag that is not ours */
        "d96d7001",             /* a reference that is none */
        "d96d7085010000000040", /* trailing rubbish inside: five items, the last no bytes */
        "d96d70850100000140",   /* a handle that did not come along */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[64];
        size_t size = 0, used = 0;
        cJSON *value = NULL;
        for (const char *place = rows[i]; place[0] != '\0' && place[1] != '\0'; place += 2) {
            unsigned byte;
            assert_int_equal(sscanf(place, "%2x", &byte), 1);
            bytes[size++] = (uint8_t)byte;
        }
        assert_mproc(MPROC_EINVAL, cbor_decode(bytes, size, &used, NULL, 0, &value));
        assert_null(value);
    }
}

static void what_cannot_be_sent_is_refused(void **state) {
    (void)state;
    struct message message = {0};
    assert_mproc(0, buffer_append(&message.bytes, "before", 6));
    cJSON *value = mproc_pack("[i,b,{s:o}]", 1, 0, "age", cJSON_CreateNumber(1e308 * 10));
    assert_mproc(MPROC_EINVAL, cbor_encode(value, &message));
    assert_message("[2].\"age\" is not a number that can be sent: infinite");
    cJSON_Delete(value);
    value = mproc_pack("[o]", cJSON_CreateRaw("1"));
    assert_mproc(MPROC_ETYPE, cbor_encode(value, &message));
    assert_message("[0] is of no kind that can be sent");
    cJSON_Delete(value);
    value = mproc_pack("[s]", "\xff");
    assert_mproc(MPROC_EINVAL, cbor_encode(value, &message));
    assert_message("[0] is a string that is not UTF-8");
    cJSON_Delete(value);
    value = cJSON_CreateNull();
    value->type = cJSON_Invalid;
    assert_mproc(MPROC_ETYPE, cbor_encode(value, &message));
    assert_message("the value is of no kind");
    cJSON_Delete(value);
    assert_int_equal(message.bytes.size, 6); /* as it was */
    message_clear(&message);
}

static cJSON *nested(int depth) {
    cJSON *root = cJSON_CreateArray();
    cJSON *inner = root;
    for (int i = 1; i < depth; i++) {
        cJSON *next = cJSON_CreateArray();
        cJSON_AddItemToArray(inner, next);
        inner = next;
    }
    cJSON_AddItemToArray(inner, cJSON_CreateNull());
    return root;
}

static void depth_has_a_limit(void **state) {
    (void)state;
    struct message message = {0};
    cJSON *value = nested(CBOR_DEPTH_MAX);
    cJSON *decoded = round_trip(value);
    assert_true(cJSON_IsArray(decoded));
    value_delete(value);
    value_delete(decoded);
    value = nested(CBOR_DEPTH_MAX + 1);
    assert_mproc(MPROC_ERANGE, cbor_encode(value, &message));
    assert_message("deep");
    value_delete(value);
    message_clear(&message);
    /* ... and so has what arrives: 0x81 is an array of one */
    uint8_t deep[CBOR_DEPTH_MAX + 2];
    size_t used;
    memset(deep, 0x81, sizeof deep);
    deep[sizeof deep - 1] = 0xF6;
    assert_mproc(MPROC_EINVAL, cbor_decode(deep, sizeof deep, &used, NULL, 0, &decoded));
}

/* What cbor_decode_number takes is what cbor_decode makes of it; it leaves all else alone. */
static void numbers_need_no_allocation(void **state) {
    static const double numbers[] = {0,   -0.0,  1, -1, 23, 24, 255, 65536, 4294967296.0, -9007199254740992.0,
                                     0.1, -1e300};
    (void)state;
    struct message message = {0};
    cJSON number;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        cJSON *value = cJSON_CreateNumber(numbers[i]);
        message.bytes.size = 0;
        assert_mproc(0, cbor_encode(value, &message));
        assert_true(cbor_decode_number(message.bytes.data, message.bytes.size, &number));
        assert_memory_equal(&number, value, sizeof number);
        assert_false(cbor_decode_number(message.bytes.data, message.bytes.size - 1, &number));
        cJSON_Delete(value);
    }
    static const uint8_t others[][9] = {{0x80}, {0xF6}, {0xF4}, {0x61, 'a'}, {0xFB, 0x7F, 0xF0}, {0x1C}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(cbor_decode_number(others[i], sizeof others[i], &number));
    }
    message_clear(&message);
}

static void failing_memory_loses_nothing(void **state) {
    (void)state;
    cJSON *value = mproc_pack("[s,[i,{s:f}],s,o]", "text", 1, "k", 0.5,
                              "a longer text, so that the buffer has to grow more "
                              "than once while it is being encoded",
                              nested(40)); /* and deeper than usual */
    long before = memory_blocks();
    int failures = 0;
    for (long nth = 1;; nth++) {
        struct message message = {0};
        cJSON *decoded = NULL;
        size_t used;
        memory_fail_at(nth);
        int status = cbor_encode(value, &message);
        if (status == 0) {
            status = decode(&message, &decoded, &used);
        }
        memory_fail_at(0);
        message_clear(&message);
        cJSON_Delete(decoded);
        assert_int_equal(memory_blocks(), before);
        if (status == 0) {
            break;
        }
        assert_int_equal(status, MPROC_ENOMEM);
        failures++;
    }
    assert_true(failures >= 4);
    cJSON_Delete(value);
}

static cJSON *create_reference(handle *other_end) {
    struct parcel parcel;
    memset(&parcel, 0, sizeof parcel);
    parcel.kind = REFERENCE_CONNECTION;
    parcel.flags = 5;
    parcel.handle_count = 1;
    assert_mproc(0, pipe_create(&parcel.handles[0], other_end));
    assert_mproc(0, buffer_append(&parcel.bytes, "rest", 4));
    return reference_create(&parcel);
}

static void references_move_from_message_to_table_and_back(void **state) {
    (void)state;
    handle writer;
    struct message message = {0};
    struct parcel parcel;
    cJSON *reference = create_reference(&writer), *decoded = NULL;
    size_t used;
    assert_true(reference_is(reference));
    cJSON *value = mproc_pack("{s:[i,o]}", "deep", 1, reference);
    assert_mproc(0, cbor_encode(value, &message));
    assert_int_equal(message.handle_count, 1);
    assert_mproc(MPROC_ESTATE, cbor_encode(value, &message)); /* it has left */
    assert_message("before");
    cJSON_Delete(value);
    assert_mproc(0, decode(&message, &decoded, &used));
    assert_int_equal(message.handles[0], HANDLE_INVALID);
    message_clear(&message);
    const cJSON *arrived = cJSON_GetArrayItem(cJSON_GetObjectItem(decoded, "deep"), 1);
    assert_mproc(0, reference_take(arrived, REFERENCE_CONNECTION, &parcel));
    assert_int_equal(parcel.flags, 5);
    assert_int_equal(parcel.handle_count, 1);
    assert_memory_equal(parcel.bytes.data, "rest", 4);
    parcel_clear(&parcel);
    cJSON_Delete(decoded);
    handle_close(writer);
}

/* The other end tells: nobody can read what is written to it any more. */
static void assert_is_closed(handle writer) {
    struct pipe_bytes part = {"x", 1};
    assert_int_equal(pipe_write(writer, &part, 1), MPROC_ECLOSED);
    handle_close(writer);
}

static void a_reference_that_is_dropped_closes_what_it_stands_for(void **state) {
    (void)state;
    handle writer;
    struct message message = {0};
    cJSON *decoded = NULL;
    size_t used;
    value_delete(mproc_pack("[[o]]", create_reference(&writer)));
    assert_is_closed(writer);
    /* the message is never read */
    cJSON *value = create_reference(&writer);
    assert_mproc(0, cbor_encode(value, &message));
    cJSON_Delete(value);
    message_clear(&message);
    assert_is_closed(writer);
    /* what stands behind the reference cannot be encoded */
    value = mproc_pack("[o,o]", create_reference(&writer), cJSON_CreateRaw("1"));
    assert_mproc(MPROC_ETYPE, cbor_encode(value, &message));
    assert_int_equal(message.handle_count, 0);
    assert_is_closed(writer);
    cJSON_Delete(value);
    message_clear(&message);
    /* it was received, and not taken up */
    value = create_reference(&writer);
    assert_mproc(0, cbor_encode(value, &message));
    assert_mproc(0, decode(&message, &decoded, &used));
    reference_drop_all();
    assert_is_closed(writer);
    cJSON_Delete(value);
    cJSON_Delete(decoded);
    message_clear(&message);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_the_standard),
        cmocka_unit_test(doubles_arrive_bit_by_bit),
        cmocka_unit_test(random_trees_come_back_equal),
        cmocka_unit_test(what_was_cut_or_changed_does_no_harm),
        cmocka_unit_test(malformed_input_is_refused),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(numbers_need_no_allocation),
        cmocka_unit_test(failing_memory_loses_nothing),
        cmocka_unit_test(references_move_from_message_to_table_and_back),
        cmocka_unit_test(a_reference_that_is_dropped_closes_what_it_stands_for),
    };
    return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
