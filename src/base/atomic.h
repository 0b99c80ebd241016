/* SPDX-License-Identifier: MIT */
/* Numbers that processes share: C11's atomics, which MSVC's older versions lack. All are sequentially consistent, but where
 * the name says otherwise. Zeroed memory is a valid number of value 0. */
#ifndef MPROC_BASE_ATOMIC_H
#define MPROC_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    volatile uint64_t value;
} atomic_number;

#if defined(__GNUC__) || defined(__clang__)

static inline uint64_t atomic_load(const atomic_number *number) {
    return __atomic_load_n(&number->value, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_load_acquire(const atomic_number *number) {
    return __atomic_load_n(&number->value, __ATOMIC_ACQUIRE);
}

static inline void atomic_store_release(atomic_number *number, uint64_t value) {
    __atomic_store_n(&number->value, value, __ATOMIC_RELEASE);
}

static inline uint64_t atomic_load_any(const atomic_number *number) { /* of one's own number */
    return __atomic_load_n(&number->value, __ATOMIC_RELAXED);
}

static inline uint64_t atomic_replace(atomic_number *number, uint64_t value) {
    return __atomic_exchange_n(&number->value, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_increase(atomic_number *number, uint64_t amount) { /* the value before */
    return __atomic_fetch_add(&number->value, amount, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_set_bits(atomic_number *number, uint64_t bits) { /* the value before */
    return __atomic_fetch_or(&number->value, bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_clear_bits(atomic_number *number, uint64_t bits) { /* the value before */
    return __atomic_fetch_and(&number->value, ~bits, __ATOMIC_SEQ_CST);
}

/* What this thread wrote before is seen by all before it reads what follows. */
static inline void atomic_fence(void) {
#if defined(MPROC_NO_FENCES) /* ThreadSanitizer knows none; on its machines this does as well */
    uint64_t any = 0;
    (void)__atomic_exchange_n(&any, 1, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Whether it had the expected value, and has the new one now. */
static inline bool atomic_compare_replace(atomic_number *number, uint64_t expected, uint64_t value) {
    return __atomic_compare_exchange_n(&number->value, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#else

#include <intrin.h>

static inline uint64_t atomic_load(const atomic_number *number) {
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)&number->value, 0, 0);
}

static inline uint64_t atomic_load_acquire(const atomic_number *number) {
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)&number->value, 0, 0);
}

static inline void atomic_store_release(atomic_number *number, uint64_t value) {
    (void)_InterlockedExchange64((volatile __int64 *)&number->value, (__int64)value);
}

static inline uint64_t atomic_load_any(const atomic_number *number) {
    return number->value;
}

static inline uint64_t atomic_replace(atomic_number *number, uint64_t value) {
    return (uint64_t)_InterlockedExchange64((volatile __int64 *)&number->value, (__int64)value);
}

static inline uint64_t atomic_increase(atomic_number *number, uint64_t amount) {
    return (uint64_t)_InterlockedExchangeAdd64((volatile __int64 *)&number->value, (__int64)amount);
}

static inline uint64_t atomic_set_bits(atomic_number *number, uint64_t bits) {
    return (uint64_t)_InterlockedOr64((volatile __int64 *)&number->value, (__int64)bits);
}

static inline uint64_t atomic_clear_bits(atomic_number *number, uint64_t bits) {
    return (uint64_t)_InterlockedAnd64((volatile __int64 *)&number->value, (__int64)~bits);
}

static inline void atomic_fence(void) {
    volatile long any = 0;
    (void)_InterlockedExchange(&any, 1); /* a full barrier on all of Windows's processors */
}

static inline bool atomic_compare_replace(atomic_number *number, uint64_t expected, uint64_t value) {
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)&number->value, (__int64)value,
                                                   (__int64)expected) == expected;
}

#endif

#endif
