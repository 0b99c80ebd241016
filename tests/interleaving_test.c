/* SPDX-License-Identifier: MIT */
/* The ring and the delivery in every order of their steps, with a death at each. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "link/ring.h"
#include "queue/delivery.h"
#include "queue/store.h"
#include "support/schedule.h"

/* The delivery: two takers of two items, the second of which is being laid out; the first taker may die. ----------- */

enum { KIND = 1, FIRST_TAKER = 1, SECOND_TAKER = 2, LAST_TAKER = 3 };

static struct delivery *shared;
static struct delivery_owner owner;
static char taken[LAST_TAKER + 1]; /* what each taker got: one character an item; '\0': nothing */

static void take(uint32_t taker) {
    struct delivery_item item;
    if (delivery_take(shared, KIND, taker, &item) == DELIVERY_TAKEN) {
        taken[taker] = (char)item.data[0];
        delivery_finish(shared, &item);
    }
}

static void take_first(void) {
    take(FIRST_TAKER);
}

static void take_second(void) {
    take(SECOND_TAKER);
}

static void lay_out_second(void) {
    assert_int_equal(delivery_add(&owner, KIND, "b", 1, DELIVERY_NOBODY), 2);
}

static void prepare_delivery(void) {
    memset(shared, 0, sizeof *shared);
    memset(taken, 0, sizeof taken);
    delivery_begin(&owner, shared);
    assert_int_equal(delivery_add(&owner, KIND, "a", 1, DELIVERY_NOBODY), 1);
}

/* Each item was taken by exactly one: by a taker, or by the last one, who takes what is left in the end. The one that died
 * may have got its item as far as finishing it, and then it is not there again. */
static void check_delivery(void) {
    int count[2] = {0, 0};
    bool was_copying = delivery_return(&owner, FIRST_TAKER);
    struct delivery_item item;
    assert_false(was_copying && !schedule_has_died());
    if (was_copying) {
        taken[FIRST_TAKER] = '\0'; /* it had begun to copy, and that does not count */
    }
    for (int i = FIRST_TAKER; i <= SECOND_TAKER; i++) {
        if (taken[i] != '\0') {
            count[taken[i] - 'a']++;
        }
    }
    while (delivery_take(shared, KIND, LAST_TAKER, &item) == DELIVERY_TAKEN) {
        count[item.data[0] - 'a']++;
        delivery_finish(shared, &item);
    }
    assert_int_equal(count[0], 1);
    assert_int_equal(count[1], 1);
    assert_int_equal(delivery_count(&owner), 0);
    assert_int_equal(delivery_add(&owner, KIND, "c", 1, DELIVERY_NOBODY), 3); /* and it goes on */
    assert_int_equal(delivery_take(shared, KIND, LAST_TAKER, &item), DELIVERY_TAKEN);
    assert_int_equal(item.data[0], 'c');
}

static void a_delivery_survives_each_death_in_each_order(void **state) {
    struct schedule schedule = {
        {take_first, take_second, lay_out_second}, 3, 0, prepare_delivery, check_delivery, NULL, 0};
    (void)state;
    shared = malloc(sizeof *shared);
    assert_non_null(shared);
    long runs = schedule_run_all(&schedule);
    print_message("%ld orders\n", runs);
    assert_true(runs > 1000);
    free(shared);
}

/* The ring: a writer of one frame, who may die, and a reader who goes to sleep. ---------------------------------- */

static struct ring *ring;
static int frames_read;
static bool bell_rings, reader_sleeps;

static void write_frame(void) {
    if (ring_write(ring, "hea", 3, "d", 1)) {
        bell_rings = ring_must_wake(ring) || bell_rings;
    }
}

static void read_frames(void) {
    const uint8_t *data;
    size_t size;
    do {
        while ((data = ring_peek(ring, &size)) != NULL) {
            assert_int_equal(size, 4);
            assert_memory_equal(data, "head", 4);
            frames_read++;
            ring_skip(ring, size);
        }
    } while (!ring_sleep(ring));
    reader_sleeps = true;
}

static void prepare_ring(void) {
    memset(ring, 0, sizeof *ring);
    frames_read = 0;
    bell_rings = reader_sleeps = false;
}

/* A reader that sleeps while a frame is there has its bell rung; but the one whose writer died is told by the link's end. */
static void check_ring(void) {
    size_t size;
    bool is_left = ring_peek(ring, &size) != NULL;
    assert_true(reader_sleeps);
    assert_int_equal(frames_read + is_left, is_left || frames_read > 0 ? 1 : 0);
    assert_true(!is_left || bell_rings || schedule_has_died());
    assert_true(frames_read == 1 || is_left || schedule_has_died());
    read_frames(); /* what is left is whole */
    assert_true(frames_read == 1 || schedule_has_died());
}

static void a_ring_survives_each_death_in_each_order(void **state) {
    struct schedule schedule = {{write_frame, read_frames, NULL}, 2, 0, prepare_ring, check_ring, NULL, 0};
    (void)state;
    ring = malloc(sizeof *ring);
    assert_non_null(ring);
    long runs = schedule_run_all(&schedule);
    print_message("%ld orders\n", runs);
    assert_true(runs > 50);
    free(ring);
}

/* The store: two who fill slots, the first of whom may die; the other one takes over an item that was there before. - */

static struct store *store;
static struct stored_item items[LAST_TAKER + 1]; /* by who filled or took them */
static bool is_filled[LAST_TAKER + 1];

static void fill(uint32_t process) {
    char text[2] = {(char)('0' + process), '\0'};
    is_filled[process] = store_fill(store, process, text, sizeof text, &items[process]);
}

static void fill_first(void) {
    fill(FIRST_TAKER);
}

static void use_and_fill_second(void) {
    store_use(store, SECOND_TAKER, &items[LAST_TAKER]);
    store_free(store, &items[LAST_TAKER]);
    fill(SECOND_TAKER);
}

static void prepare_store(void) {
    memset(store->words, 0, sizeof store->words);
    memset(is_filled, 0, sizeof is_filled);
    fill(LAST_TAKER);
    store_keep(store, &items[LAST_TAKER]);
}

/* Two have a slot each at any time; what the dead one had is free. */
static void check_store(void) {
    size_t used = 0;
    assert_true(is_filled[SECOND_TAKER]);
    assert_int_equal(store->bytes[items[SECOND_TAKER].slot][0], '0' + SECOND_TAKER);
    assert_true(is_filled[FIRST_TAKER] || schedule_has_died());
    assert_true(!is_filled[FIRST_TAKER] || items[FIRST_TAKER].slot != items[SECOND_TAKER].slot);
    store_forget(store, FIRST_TAKER);
    for (size_t i = 0; i < STORE_SLOTS; i++) {
        used += atomic_load(&store->words[i]) != 0;
    }
    assert_int_equal(used, 1);
    store_free(store, &items[SECOND_TAKER]);
}

static void a_store_survives_each_death_in_each_order(void **state) {
    struct schedule schedule = {{fill_first, use_and_fill_second, NULL}, 2, 0, prepare_store, check_store, NULL, 0};
    (void)state;
    store = malloc(sizeof *store);
    assert_non_null(store);
    long runs = schedule_run_all(&schedule);
    print_message("%ld orders\n", runs);
    assert_true(runs > 50);
    free(store);
}

/* One thread, long runs ---------------------------------------------------------------------------------------- */

static void a_ring_goes_around_many_times(void **state) {
    (void)state;
    static uint8_t data[RING_FRAME_MAX];
    uint64_t written = 0, read = 0;
    ring = calloc(1, sizeof *ring);
    assert_non_null(ring);
    while (read < 20000) {
        size_t size = (size_t)(written * 7919 % (RING_FRAME_MAX - sizeof written));
        while (ring_write(ring, &written, sizeof written, data, size)) {
            written++;
            size = (size_t)(written * 7919 % (RING_FRAME_MAX - sizeof written));
        }
        const uint8_t *frame = ring_peek(ring, &size);
        assert_non_null(frame);
        assert_int_equal(size, sizeof read + read * 7919 % (RING_FRAME_MAX - sizeof read));
        assert_memory_equal(frame, &read, sizeof read);
        ring_skip(ring, size);
        read++;
    }
    assert_false(ring_write(ring, data, RING_FRAME_MAX, data, 1));
    free(ring);
}

/* first: the number of its first item. The numbers in the slots' words begin anew at 2^35. */
static void send_delivery_around(uint64_t first) {
    static uint8_t data[DELIVERY_ITEM_MAX];
    uint64_t added = 0, taken_count = 0;
    shared = calloc(1, sizeof *shared);
    assert_non_null(shared);
    delivery_begin(&owner, shared);
    owner.first = owner.next = first;
    atomic_store_release(&shared->front, first);
    for (uint64_t i = 1; first > DELIVERY_SLOTS && i <= DELIVERY_SLOTS; i++) { /* as those before it have left them */
        shared->slots[(first - i) % DELIVERY_SLOTS].word.value = (first - i) << 29 | 3;
    }
    while (taken_count < 20000) {
        struct delivery_item item;
        size_t size = added % 5 == 0 ? 0 : (size_t)(added * 7919 % 3000);
        memset(data, (int)(added & 0xFF), size);
        while (delivery_add(&owner, KIND, data, size, DELIVERY_NOBODY) != 0) {
            added++;
            size = added % 5 == 0 ? 0 : (size_t)(added * 7919 % 3000);
            memset(data, (int)(added & 0xFF), size);
        }
        assert_int_equal(delivery_count(&owner), added - taken_count);
        assert_int_equal(delivery_take(shared, KIND + 1, FIRST_TAKER, &item), DELIVERY_OTHER_KIND);
        assert_int_equal(delivery_take(shared, KIND, FIRST_TAKER, &item), DELIVERY_TAKEN);
        assert_int_equal(item.number, first + taken_count);
        struct delivery_item found;
        assert_true(delivery_find(shared, item.number, FIRST_TAKER, &found));
        assert_false(delivery_find(shared, item.number + 1, FIRST_TAKER, &found));
        assert_int_equal(item.size, taken_count % 5 == 0 ? 0 : taken_count * 7919 % 3000);
        assert_true(item.size == 0 || item.data[item.size - 1] == (taken_count & 0xFF));
        delivery_finish(shared, &item);
        taken_count++;
    }
    assert_int_equal(delivery_add(&owner, KIND, data, DELIVERY_ITEM_MAX + 1, DELIVERY_NOBODY), 0);
    free(shared);
}

static void a_delivery_goes_around_many_times(void **state) {
    (void)state;
    send_delivery_around(1);
    send_delivery_around(((uint64_t)1 << 35) - 5000);
    send_delivery_around(((uint64_t)3 << 35) - DELIVERY_SLOTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delivery_survives_each_death_in_each_order),
        cmocka_unit_test(a_ring_survives_each_death_in_each_order),
        cmocka_unit_test(a_store_survives_each_death_in_each_order),
        cmocka_unit_test(a_ring_goes_around_many_times),
        cmocka_unit_test(a_delivery_goes_around_many_times),
    };
    return cmocka_run_group_tests_name("interleaving", tests, NULL, NULL);
}
