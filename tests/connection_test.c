/* SPDX-License-Identifier: MIT */
/* Pipe and connections: the acceptance cases 85 to 89, ends handed over in every way, and deaths. */
#include "support/children.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "mproc.h"
#include "support/system.h"

/* What runs in the children ------------------------------------------------------------------------------------ */

/* Sends each message back as it came, values and bytes, until the end. */
static void echo(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    int status = connection != NULL ? 0 : MPROC_ETYPE;
    while (status == 0) {
        cJSON *value;
        void *data;
        size_t size;
        status = mproc_connection_recv(connection, &value, MPROC_FOREVER);
        if (status == 0) {
            status = mproc_connection_send(connection, value);
        } else if (status == MPROC_ETYPE) {
            status = mproc_connection_recv_bytes(connection, &data, &size, MPROC_FOREVER);
            if (status == 0) {
                status = mproc_connection_send_bytes(connection, data, size);
                mproc_free(data);
            }
        }
    }
    if (status != MPROC_ECLOSED && connection != NULL) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
}

/* Sends 1 2 3 ... without end; a killed one must not tear a message. */
static void flood(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    uint32_t numbers[1000];
    for (uint32_t i = 0; connection != NULL; i++) {
        for (size_t k = 0; k < 1000; k++) {
            numbers[k] = i;
        }
        if (mproc_connection_send_bytes(connection, numbers, sizeof numbers) != 0) {
            break;
        }
    }
}

/* Receives connections over its own, says a number over each, and lets them go. */
static void answer_on_received(mproc_task *task) {
    mproc_connection *connection = mproc_task_connection(task, 0);
    cJSON *value;
    while (connection != NULL && mproc_connection_recv(connection, &value, MPROC_FOREVER) == 0) {
        mproc_connection *inner;
        const cJSON *reference;
        int number;
        if (mproc_unpack(value, "{s:o,s:i}", "to", &reference, "number", &number) != 0 ||
            mproc_connection_from(&inner, reference) != 0 ||
            mproc_connection_send(inner, cJSON_CreateNumber(number)) != 0) {
            mproc_task_fail(task, "%s", mproc_last_error()->message);
            cJSON_Delete(value);
            return;
        }
        mproc_connection_close(inner);
        cJSON_Delete(value);
    }
}

/* Waits for the message after which it is to be killed, and receives nothing else. */
static void receive_one_then_sleep(mproc_task *task) {
    cJSON *value;
    mproc_connection *connection = mproc_task_connection(task, 0);
    if (connection != NULL && mproc_connection_recv(connection, &value, MPROC_FOREVER) == 0) {
        cJSON_Delete(value);
        (void)mproc_connection_send(connection, cJSON_CreateTrue());
        mproc_sleep(600 * 1000);
    }
}

/* Gives its connection on to a child of its own. */
static void hand_down(mproc_task *task) {
    mproc_process *child;
    const cJSON *reference;
    if (mproc_task_unpack(task, "(o)", &reference) != 0) {
        return;
    }
    if (mproc_spawn(&child, echo, mproc_pack("[o]", cJSON_Duplicate(reference, true))) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
        return;
    }
    mproc_process_destroy(child); /* it is joined at this process's end */
}

static const mproc_target targets[] = {MPROC_TARGET(echo),
                                       MPROC_TARGET(flood),
                                       MPROC_TARGET(answer_on_received),
                                       MPROC_TARGET(receive_one_then_sleep),
                                       MPROC_TARGET(hand_down),
                                       MPROC_TARGETS_END};

/* Helpers ------------------------------------------------------------------------------------------------------ */

static mproc_process *start_with_end(mproc_fn target, mproc_connection **ours, bool duplex) {
    mproc_connection *theirs;
    mproc_process *process = NULL;
    assert_mproc(0, mproc_pipe(ours, &theirs, duplex));
    assert_mproc(0, mproc_spawn(&process, target, mproc_pack("[o]", mproc_connection_ref(theirs))));
    mproc_connection_close(theirs);
    return process;
}

static void assert_number_arrives(mproc_connection *connection, int number) {
    cJSON *value = NULL;
    assert_mproc(0, mproc_connection_recv(connection, &value, TEST_PATIENCE_MS));
    assert_true(cJSON_IsNumber(value));
    assert_int_equal(value->valueint, number);
    cJSON_Delete(value);
}

static void assert_end(mproc_connection *connection) {
    cJSON *value = NULL;
    assert_mproc(MPROC_ECLOSED, mproc_connection_recv(connection, &value, TEST_PATIENCE_MS));
    assert_null(value);
}

static void echo_bytes(mproc_connection *connection, size_t size) {
    unsigned char *sent = malloc(size > 0 ? size : 1);
    void *received = NULL;
    size_t received_size = 1;
    assert_non_null(sent);
    for (size_t i = 0; i < size; i++) {
        sent[i] = (unsigned char)(i * 2654435761u >> 11);
    }
    assert_mproc(0, mproc_connection_send_bytes(connection, sent, size));
    assert_mproc(0, mproc_connection_recv_bytes(connection, &received, &received_size, TEST_PATIENCE_MS));
    assert_non_null(received);
    assert_int_equal(received_size, size);
    assert_int_equal(memcmp(received, sent, size), 0);
    mproc_free(received);
    free(sent);
}

/* Tests -------------------------------------------------------------------------------------------------------- */

static void messages_of_all_sizes_come_back_equal(void **state) {
    (void)state;
    static const size_t sizes[] = {0,    1,    11,    15,    16,      17,      4079,     4080,
                                   4081, 4096, 65535, 65536, 1000000, 1 << 24, 256 << 20};
    mproc_connection *connection;
    mproc_process *process = start_with_end(echo, &connection, true);
    size_t count = sizeof sizes / sizeof sizes[0] - (system_is_slow_to_spawn() ? 1 : 0);
    for (size_t i = 0; i < count; i++) {
        echo_bytes(connection, sizes[i]);
    }
    mproc_connection_close(connection);
    end_child(process, 0);
}

static void values_come_back_equal(void **state) {
    (void)state;
    mproc_connection *connection;
    mproc_process *process = start_with_end(echo, &connection, true);
    cJSON *sent = mproc_pack("[i,[s,n,b],{s:f,s:[]},s]", -1, "", 0, "键", 0.1, "e", "中文\n\"");
    cJSON *received = NULL;
    assert_mproc(0, mproc_connection_send(connection, cJSON_Duplicate(sent, true)));
    assert_mproc(0, mproc_connection_recv(connection, &received, TEST_PATIENCE_MS));
    assert_true(cJSON_Compare(sent, received, true));
    cJSON_Delete(sent);
    cJSON_Delete(received);
    mproc_connection_close(connection);
    end_child(process, 0);
}

static void messages_sent_in_one_burst_stay_apart(void **state) {
    (void)state;
    static const char *const texts[] = {"a", "bb", ""};
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    for (size_t i = 0; i < 3; i++) {
        assert_mproc(0, mproc_connection_send_bytes(b, texts[i], strlen(texts[i])));
    }
    mproc_connection_close(b);
    for (size_t i = 0; i < 3; i++) {
        void *data = NULL;
        size_t size = 99;
        assert_mproc(0, mproc_connection_recv_bytes(a, &data, &size, 0));
        assert_int_equal(size, strlen(texts[i]));
        assert_memory_equal(data, texts[i], size);
        mproc_free(data);
    }
    assert_end(a);
    mproc_connection_close(a);
}

static void one_way_ends_refuse_the_other_way(void **state) {
    (void)state;
    mproc_connection *reader, *writer;
    cJSON *value;
    void *data;
    size_t size;
    assert_mproc(0, mproc_pipe(&reader, &writer, false));
    assert_mproc(MPROC_EPERM, mproc_connection_send(reader, cJSON_CreateTrue()));
    assert_message("only receives");
    assert_mproc(MPROC_EPERM, mproc_connection_send_bytes(reader, "x", 1));
    assert_mproc(MPROC_EPERM, mproc_connection_recv(writer, &value, 0));
    assert_message("only sends");
    assert_mproc(MPROC_EPERM, mproc_connection_recv_bytes(writer, &data, &size, 0));
    assert_false(mproc_connection_poll(writer, 0));
    assert_int_equal(mproc_last_error()->code, MPROC_EPERM);
    mproc_connection_close(reader);
    mproc_connection_close(writer);
}

static void poll_tells_and_takes_nothing(void **state) {
    (void)state;
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    assert_false(mproc_connection_poll(a, 0));
    assert_int_equal(mproc_last_error()->code, MPROC_ETIMEDOUT);
    double before = mproc_time();
    assert_false(mproc_connection_poll(a, 200));
    assert_true(mproc_time() - before >= 0.199);
    assert_false(mproc_connection_poll(a, -7));
    assert_int_equal(mproc_last_error()->code, MPROC_EINVAL);
    assert_mproc(0, mproc_connection_send_bytes(b, NULL, 0));
    for (int i = 0; i < 3; i++) {
        assert_true(mproc_connection_poll(a, MPROC_FOREVER));
    }
    void *data = NULL;
    size_t size = 1;
    assert_mproc(0, mproc_connection_recv_bytes(a, &data, &size, 0));
    assert_int_equal(size, 0);
    mproc_free(data);
    assert_false(mproc_connection_poll(a, 0));
    mproc_connection_close(b);
    assert_true(mproc_connection_poll(a, 0)); /* the end of data is there */
    assert_end(a);
    mproc_connection_close(a);
}

static void a_message_of_the_other_kind_is_kept(void **state) {
    (void)state;
    mproc_connection *a, *b;
    cJSON *value = NULL;
    void *data = NULL;
    size_t size = 0;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    assert_mproc(0, mproc_connection_send_bytes(b, "xyz", 3));
    assert_mproc(0, mproc_connection_send(b, cJSON_CreateNumber(5)));
    assert_mproc(MPROC_ETYPE, mproc_connection_recv(a, &value, 0));
    assert_message("mproc_connection_recv_bytes");
    assert_mproc(0, mproc_connection_recv_bytes(a, &data, &size, 0));
    assert_int_equal(size, 3);
    mproc_free(data);
    assert_mproc(MPROC_ETYPE, mproc_connection_recv_bytes(a, &data, &size, 0));
    assert_number_arrives(a, 5);
    mproc_connection_close(a);
    mproc_connection_close(b);
}

static void sending_to_nobody_is_told(void **state) {
    (void)state;
    mproc_connection *a, *b;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    mproc_connection_close(b);
    assert_mproc(MPROC_ECLOSED, mproc_connection_send(a, cJSON_CreateTrue()));
    assert_mproc(MPROC_ECLOSED, mproc_connection_send_bytes(a, "x", 1)); /* and no SIGPIPE */
    assert_end(a);
    mproc_connection_close(a);
}

static void a_killed_peer_is_the_end_of_data(void **state) {
    (void)state;
    mproc_connection *connection;
    mproc_process *process = start_with_end(echo, &connection, true);
    echo_bytes(connection, 10);
    assert_mproc(0, mproc_process_kill(process));
    assert_end(connection);
    end_child(process, -9);
    assert_mproc(MPROC_ECLOSED, mproc_connection_send(connection, cJSON_CreateTrue()));
    mproc_connection_close(connection);
}

static void a_killed_sender_tears_no_message(void **state) {
    (void)state;
    int rounds = system_is_slow_to_spawn() ? 10 : 100;
    for (int round = 0; round < rounds; round++) {
        mproc_connection *connection;
        void *data;
        size_t size;
        uint32_t expected = 0;
        mproc_process *process = start_with_end(flood, &connection, false);
        int status = 0;
        while (status == 0) {
            status = mproc_connection_recv_bytes(connection, &data, &size, TEST_PATIENCE_MS);
            if (status == 0) {
                const uint32_t *numbers = data;
                assert_int_equal(size, 4000);
                assert_int_equal(numbers[0], expected);
                assert_int_equal(numbers[999], expected);
                expected++;
                mproc_free(data);
                if (expected == (uint32_t)(3 + round)) {
                    assert_mproc(0, mproc_process_kill(process));
                }
            }
        }
        assert_int_equal(status, MPROC_ECLOSED);
        mproc_connection_close(connection);
        end_child(process, -9);
    }
}

static void ends_travel_inside_messages(void **state) {
    (void)state;
    mproc_connection *connection;
    mproc_process *process = start_with_end(answer_on_received, &connection, true);
    for (int i = 0; i < 20; i++) {
        mproc_connection *ours, *theirs;
        assert_mproc(0, mproc_pipe(&ours, &theirs, i % 2 == 0));
        assert_mproc(0, mproc_connection_send(
                            connection, mproc_pack("{s:o,s:i}", "to", mproc_connection_ref(theirs), "number", i)));
        mproc_connection_close(theirs);
        assert_number_arrives(ours, i);
        assert_end(ours); /* the child has closed the end that it had received, and no other is left */
        mproc_connection_close(ours);
    }
    mproc_connection_close(connection);
    end_child(process, 0);
}

static void siblings_talk_to_each_other(void **state) {
    (void)state;
    mproc_connection *to_first;
    mproc_process *first = start_with_end(answer_on_received, &to_first, true);
    mproc_connection *to_second;
    mproc_process *second = start_with_end(echo, &to_second, true);
    /* The second one's end goes to the first: they are siblings, and this process holds no end of it any more. */
    assert_mproc(0, mproc_connection_send(to_first,
                                          mproc_pack("{s:o,s:i}", "to", mproc_connection_ref(to_second), "number", 3)));
    mproc_connection_close(to_second);
    mproc_connection_close(to_first);
    end_child(first, 0);
    end_child(second, 0); /* it saw the end when the first one had closed its end */
}

static void an_end_goes_down_to_a_grandchild(void **state) {
    (void)state;
    mproc_connection *connection;
    mproc_process *process = start_with_end(hand_down, &connection, true);
    echo_bytes(connection, 100000);
    mproc_connection_close(connection);
    end_child(process, 0);
}

static void what_was_read_ahead_travels_along(void **state) {
    (void)state;
    mproc_connection *a, *b, *moved;
    assert_mproc(0, mproc_pipe(&a, &b, false));
    for (int i = 0; i < 100; i++) {
        assert_mproc(0, mproc_connection_send(b, cJSON_CreateNumber(i)));
    }
    assert_number_arrives(a, 0); /* many more have been read by now */
    assert_true(mproc_connection_poll(a, 0));
    cJSON *reference = mproc_connection_ref(a);
    assert_non_null(reference);
    assert_mproc(0, mproc_connection_from(&moved, reference));
    cJSON_Delete(reference);
    mproc_connection_close(a);
    for (int i = 1; i < 100; i++) {
        assert_number_arrives(moved, i);
    }
    mproc_connection_close(moved);
    mproc_connection_close(b);
}

static void an_end_moves_once(void **state) {
    (void)state;
    mproc_connection *a, *b, *moved, *again;
    cJSON *value;
    assert_mproc(0, mproc_pipe(&a, &b, true));
    cJSON *reference = mproc_connection_ref(b);
    assert_non_null(reference);
    assert_null(mproc_connection_ref(b));
    assert_int_equal(mproc_last_error()->code, MPROC_ESTATE);
    assert_mproc(MPROC_ESTATE, mproc_connection_send(b, cJSON_CreateTrue()));
    assert_mproc(MPROC_ESTATE, mproc_connection_recv(b, &value, 0));
    mproc_connection_close(b);
    assert_mproc(0, mproc_connection_from(&moved, reference));
    assert_mproc(MPROC_ESTATE, mproc_connection_from(&again, reference));
    assert_message("before");
    assert_mproc(MPROC_ESTATE, mproc_connection_send(a, reference));
    assert_mproc(0, mproc_connection_send(a, cJSON_CreateNumber(1)));
    assert_number_arrives(moved, 1);
    mproc_connection_close(moved);
    mproc_connection_close(a);
}

static void a_reference_that_is_never_received_closes_the_end(void **state) {
    (void)state;
    mproc_connection *a, *b, *inner_a, *inner_b;
    /* closed with the message unread */
    assert_mproc(0, mproc_pipe(&a, &b, true));
    assert_mproc(0, mproc_pipe(&inner_a, &inner_b, true));
    assert_mproc(0, mproc_connection_send(a, mproc_pack("[o]", mproc_connection_ref(inner_b))));
    mproc_connection_close(inner_b);
    mproc_connection_close(b);
    assert_end(inner_a);
    mproc_connection_close(inner_a);
    /* the message could not be sent */
    assert_mproc(0, mproc_pipe(&inner_a, &inner_b, true));
    assert_mproc(MPROC_ECLOSED, mproc_connection_send(a, mproc_pack("[o]", mproc_connection_ref(inner_b))));
    mproc_connection_close(inner_b);
    assert_end(inner_a);
    mproc_connection_close(inner_a);
    mproc_connection_close(a);
    /* the process could not be started */
    mproc_process *process;
    assert_mproc(0, mproc_pipe(&inner_a, &inner_b, true));
    assert_mproc(MPROC_EINVAL, mproc_spawn(&process, NULL, mproc_pack("[o]", mproc_connection_ref(inner_b))));
    mproc_connection_close(inner_b);
    mproc_connection_close(inner_a);
    /* the task that had it as an argument ended without looking */
    process = start_with_end(echo, &a, true);
    mproc_connection_close(a);
    end_child(process, 0);
}

/* A message of `count` ends, each of which is three handles on POSIX. */
static cJSON *make_many_ends(mproc_connection **ours, int count) {
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        mproc_connection *theirs;
        assert_mproc(0, mproc_pipe(&ours[i], &theirs, true));
        assert_true(cJSON_AddItemToArray(list, mproc_connection_ref(theirs)));
        mproc_connection_close(theirs);
    }
    return list;
}

static void many_ends_go_in_one_message_and_too_many_do_not(void **state) {
    (void)state;
    enum { MANY = 80, TOO_MANY = 130 };
    mproc_connection *ours[TOO_MANY], *a, *b;
    cJSON *arrived = NULL;
    size_t before = system_open_handles();
    assert_mproc(0, mproc_pipe(&a, &b, true));
    assert_mproc(MPROC_ERANGE, mproc_connection_send(a, make_many_ends(ours, TOO_MANY)));
    assert_message("at most 250 can go together");
    for (int i = 0; i < TOO_MANY; i++) {
        assert_end(ours[i]);
        mproc_connection_close(ours[i]);
    }
    assert_mproc(0, mproc_connection_send(a, make_many_ends(ours, MANY)));
    assert_mproc(0, mproc_connection_recv(b, &arrived, TEST_PATIENCE_MS));
    assert_int_equal(cJSON_GetArraySize(arrived), MANY);
    for (int i = 0; i < MANY; i++) {
        mproc_connection *theirs;
        cJSON *number = NULL;
        assert_mproc(0, mproc_connection_from(&theirs, cJSON_GetArrayItem(arrived, i)));
        assert_mproc(0, mproc_connection_send(ours[i], cJSON_CreateNumber(i)));
        assert_mproc(0, mproc_connection_recv(theirs, &number, TEST_PATIENCE_MS));
        assert_int_equal(number->valueint, i);
        cJSON_Delete(number);
        mproc_connection_close(theirs);
        mproc_connection_close(ours[i]);
    }
    cJSON_Delete(arrived);
    mproc_connection_close(a);
    mproc_connection_close(b);
    assert_int_equal(system_open_handles(), before);
}

static void a_killed_receiver_drops_what_was_on_its_way(void **state) {
    (void)state;
    mproc_connection *connection, *ours, *theirs;
    cJSON *answer = NULL;
    test_skip_if_impossible(__func__);
    mproc_process *process = start_with_end(receive_one_then_sleep, &connection, true);
    assert_mproc(0, mproc_connection_send(connection, cJSON_CreateTrue()));
    assert_mproc(0, mproc_connection_recv(connection, &answer, TEST_PATIENCE_MS));
    cJSON_Delete(answer);
    assert_mproc(0, mproc_pipe(&ours, &theirs, true));
    assert_mproc(0, mproc_connection_send(connection, mproc_pack("[o]", mproc_connection_ref(theirs))));
    mproc_connection_close(theirs);
    assert_mproc(0, mproc_process_kill(process));
    assert_end(ours);
    mproc_connection_close(ours);
    mproc_connection_close(connection);
    end_child(process, -9);
}

static void bad_references_are_refused(void **state) {
    (void)state;
    mproc_connection *connection = NULL;
    cJSON *number = cJSON_CreateNumber(1);
    cJSON *invented = mproc_pack("{s:{s:s,s:i,s:i}}", "$mproc", "kind", "connection", "id", 1, "process", 1);
    cJSON *other = mproc_pack("{s:{s:s,s:i,s:i}}", "$mproc", "kind", "queue", "id", 1, "process", 1);
    cJSON *broken = mproc_pack("{s:i}", "$mproc", 1);
    assert_mproc(MPROC_ETYPE, mproc_connection_from(&connection, number));
    assert_mproc(MPROC_ESTATE, mproc_connection_from(&connection, invented));
    assert_mproc(MPROC_ETYPE, mproc_connection_from(&connection, other));
    assert_mproc(MPROC_ETYPE, mproc_connection_from(&connection, broken));
    assert_mproc(MPROC_EINVAL, mproc_connection_from(&connection, NULL));
    assert_null(connection);
    cJSON_Delete(number);
    cJSON_Delete(invented);
    cJSON_Delete(other);
    cJSON_Delete(broken);
}

static void misuse_is_told(void **state) {
    (void)state;
    mproc_connection *a = NULL, *b = NULL;
    cJSON *value;
    assert_mproc(MPROC_EINVAL, mproc_pipe(NULL, &b, true));
    assert_mproc(0, mproc_pipe(&a, &b, true));
    assert_mproc(MPROC_EINVAL, mproc_connection_send(a, NULL));
    assert_mproc(MPROC_EINVAL, mproc_connection_send(NULL, cJSON_CreateTrue()));
    assert_mproc(MPROC_EINVAL, mproc_connection_send_bytes(a, NULL, 1));
    assert_mproc(MPROC_ERANGE, mproc_connection_send_bytes(a, "", (size_t)MPROC_MESSAGE_MAX + 1));
    assert_mproc(MPROC_ERANGE, mproc_connection_send(a, mproc_pack("[I]", ((int64_t)1 << 53) + 1)));
    assert_message("2^53");
    cJSON *deep = cJSON_CreateArray();
    cJSON *inner = deep;
    for (int i = 0; i < 200000; i++) {
        cJSON *next = cJSON_CreateArray();
        cJSON_AddItemToArray(inner, next);
        inner = next;
    }
    assert_mproc(MPROC_ERANGE, mproc_connection_send(a, deep));
    assert_message("deep");
    assert_mproc(MPROC_EINVAL, mproc_connection_recv(a, &value, -3));
    assert_mproc(MPROC_EINVAL, mproc_connection_recv(a, NULL, 0));
    assert_mproc(MPROC_ETIMEDOUT, mproc_connection_recv(b, &value, 0)); /* nothing of all that was sent */
    mproc_connection_close(a);
    mproc_connection_close(b);
    mproc_connection_close(NULL);
}

struct crowd {
    mproc_connection *connection;
    int count;
};

static void send_from_thread(void *argument) {
    struct crowd *crowd = argument;
    for (int i = 0; i < crowd->count; i++) {
        if (mproc_connection_send(crowd->connection, cJSON_CreateNumber(i)) != 0) {
            abort();
        }
    }
}

static void threads_may_share_an_end(void **state) {
    (void)state;
    enum { THREADS = 4, EACH = 500 };
    uv_thread_t threads[THREADS];
    mproc_connection *connection;
    mproc_process *process = start_with_end(echo, &connection, true);
    struct crowd crowd = {connection, EACH};
    int seen[EACH];
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_create(&threads[i], send_from_thread, &crowd), 0);
    }
    for (int i = 0; i < THREADS * EACH; i++) {
        cJSON *value = NULL;
        assert_mproc(0, mproc_connection_recv(connection, &value, TEST_PATIENCE_MS));
        assert_true(value->valueint >= 0 && value->valueint < EACH);
        seen[value->valueint]++;
        cJSON_Delete(value);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    for (int i = 0; i < EACH; i++) {
        assert_int_equal(seen[i], THREADS);
    }
    mproc_connection_close(connection);
    end_child(process, 0);
}

static int count_handles(void **state) {
    mproc_connection *connection;
    (void)state;
    mproc_process *process = start_with_end(echo, &connection, true);
    mproc_connection_close(connection);
    end_child(process, 0);
    test_note_open_handles();
    return 0;
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_sizes_come_back_equal),
        cmocka_unit_test(values_come_back_equal),
        cmocka_unit_test(messages_sent_in_one_burst_stay_apart),
        cmocka_unit_test(one_way_ends_refuse_the_other_way),
        cmocka_unit_test(poll_tells_and_takes_nothing),
        cmocka_unit_test(a_message_of_the_other_kind_is_kept),
        cmocka_unit_test(sending_to_nobody_is_told),
        cmocka_unit_test(a_killed_peer_is_the_end_of_data),
        cmocka_unit_test(a_killed_sender_tears_no_message),
        cmocka_unit_test(ends_travel_inside_messages),
        cmocka_unit_test(siblings_talk_to_each_other),
        cmocka_unit_test(an_end_goes_down_to_a_grandchild),
        cmocka_unit_test(what_was_read_ahead_travels_along),
        cmocka_unit_test(an_end_moves_once),
        cmocka_unit_test(a_reference_that_is_never_received_closes_the_end),
        cmocka_unit_test(many_ends_go_in_one_message_and_too_many_do_not),
        cmocka_unit_test(a_killed_receiver_drops_what_was_on_its_way),
        cmocka_unit_test(bad_references_are_refused),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(threads_may_share_an_end),
        cmocka_unit_test(nothing_is_left_open),
    };
    if (mproc_init(argc, argv, targets) != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("connection", tests, count_handles, NULL);
}
