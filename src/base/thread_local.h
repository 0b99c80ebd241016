/* SPDX-License-Identifier: MIT */
/* C11's _Thread_local, and what MSVC calls it. */
#ifndef MPROC_BASE_THREAD_LOCAL_H
#define MPROC_BASE_THREAD_LOCAL_H

#if defined(_MSC_VER) && !defined(__clang__)
#define THREAD_LOCAL __declspec(thread)
#else
#define THREAD_LOCAL _Thread_local
#endif

#endif
