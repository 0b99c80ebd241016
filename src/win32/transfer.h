/* SPDX-License-Identifier: MIT */
/* One transfer through a pipe's overlapped end, with an event of its own, so that a wait for it disturbs nothing else. */
#ifndef MPROC_WIN32_TRANSFER_H
#define MPROC_WIN32_TRANSFER_H

#include <windows.h>

#include "base/clock.h"
#include "platform/handle.h"

struct transfer {
    HANDLE pipe;
    OVERLAPPED overlapped;
};

/* 0 or MPROC_ESYSTEM; in both cases transfer_close follows. */
int transfer_open(struct transfer *transfer, handle pipe);
void transfer_close(struct transfer *transfer);

/* Waits for a transfer that is on its way; past the deadline it is called back. What was transferred until then counts,
 * so that nothing is lost. number: what ReadFile or WriteFile gave. 0; MPROC_ETIMEDOUT or MPROC_ECLOSED (no message);
 * MPROC_ESYSTEM. */
int transfer_finish(struct transfer *transfer, DWORD number, deadline until, const char *what, DWORD *size);

#endif
