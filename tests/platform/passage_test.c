/* SPDX-License-Identifier: MIT */
/* The seam's passage: handles that go beside a pipe. Sender and receiver are one process here; connection_test.c has two. */
#include "support/test.h"

#include "base/clock.h"
#include "mproc/core.h"
#include "platform/passage.h"
#include "platform/pipe.h"
#include "support/system.h"

/* Reads one byte that is there, or asserts that the pipe has ended. */
static void expect_byte(handle reader, int expected) {
    unsigned char byte = 0;
    size_t size;
    int status = pipe_read(reader, &byte, 1, DEADLINE_NEVER, &size);
    assert_mproc(expected < 0 ? MPROC_ECLOSED : 0, status);
    if (expected >= 0) {
        assert_int_equal(byte, expected);
    }
}

static void write_byte(handle writer, unsigned char byte) {
    struct pipe_bytes part = {&byte, 1};
    assert_mproc(0, pipe_write(writer, &part, 1));
}

static void a_handle_arrives_as_a_copy(void **state) {
    (void)state;
    size_t before = system_open_handles();
    handle a, b, reader, writer, received;
    uint64_t ticket;
    assert_mproc(0, passage_create(&a, &b));
    assert_mproc(0, pipe_create(&reader, &writer));
    assert_mproc(0, passage_send(a, mproc_getpid(), &writer, 1, &ticket));
    assert_mproc(0, passage_receive(b, mproc_getpid(), &ticket, 1, &received));
    write_byte(received, 1);
    write_byte(writer, 2);
    expect_byte(reader, 1);
    expect_byte(reader, 2);
    handle_close(writer);
    write_byte(received, 3);
    expect_byte(reader, 3);
    handle_close(received);
    expect_byte(reader, -1); /* nothing else holds the write end */
    handle_close(reader);
    handle_close(a);
    handle_close(b);
    assert_int_equal(system_open_handles(), before);
}

static void many_arrive_in_order_and_both_ways(void **state) {
    (void)state;
    enum { COUNT = 16 };
    handle ends[2], readers[COUNT], writers[COUNT];
    uint64_t tickets[COUNT];
    assert_mproc(0, passage_create(&ends[0], &ends[1]));
    for (unsigned char i = 0; i < COUNT; i++) {
        assert_mproc(0, pipe_create(&readers[i], &writers[i]));
        assert_mproc(0, passage_send(ends[i % 2], mproc_getpid(), &writers[i], 1, &tickets[i]));
        handle_close(writers[i]);
    }
    for (unsigned char i = 0; i < COUNT; i++) {
        handle received;
        assert_mproc(0, passage_receive(ends[1 - i % 2], mproc_getpid(), &tickets[i], 1, &received));
        write_byte(received, i);
        handle_close(received);
        expect_byte(readers[i], i);
        handle_close(readers[i]);
    }
    handle_close(ends[0]);
    handle_close(ends[1]);
}

static void as_many_as_a_message_can_have_arrive_together(void **state) {
    (void)state;
    size_t before = system_open_handles();
    handle a, b, reader, writer;
    handle sent[PASSAGE_HANDLES_MAX], received[PASSAGE_HANDLES_MAX];
    uint64_t tickets[PASSAGE_HANDLES_MAX];
    assert_mproc(0, passage_create(&a, &b));
    assert_mproc(0, pipe_create(&reader, &writer));
    for (size_t i = 0; i < PASSAGE_HANDLES_MAX; i++) {
        sent[i] = writer;
    }
    assert_mproc(0, passage_send(a, mproc_getpid(), sent, PASSAGE_HANDLES_MAX, tickets));
    assert_mproc(0, passage_receive(b, mproc_getpid(), tickets, PASSAGE_HANDLES_MAX, received));
    handle_close(writer);
    for (size_t i = 0; i < PASSAGE_HANDLES_MAX; i++) {
        write_byte(received[i], (unsigned char)i);
        expect_byte(reader, (unsigned char)i);
        handle_close(received[i]);
    }
    expect_byte(reader, -1);
    handle_close(reader);
    handle_close(a);
    handle_close(b);
    assert_int_equal(system_open_handles(), before);
}

/* Either the system closes what is on its way when the receiving end goes, or withdrawing does. */
static void what_nobody_receives_is_closed(void **state) {
    (void)state;
    size_t before = system_open_handles();
    handle a, b, reader, writer;
    uint64_t ticket;
    assert_mproc(0, passage_create(&a, &b));
    assert_mproc(0, pipe_create(&reader, &writer));
    assert_mproc(0, passage_send(a, mproc_getpid(), &writer, 1, &ticket));
    handle_close(writer);
    if (passage_keeps_tickets()) {
        passage_withdraw(a, mproc_getpid(), &ticket, 1);
    }
    handle_close(b);
    expect_byte(reader, -1);
    handle_close(reader);
    handle_close(a);
    assert_int_equal(system_open_handles(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_arrives_as_a_copy),
        cmocka_unit_test(many_arrive_in_order_and_both_ways),
        cmocka_unit_test(as_many_as_a_message_can_have_arrive_together),
        cmocka_unit_test(what_nobody_receives_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
