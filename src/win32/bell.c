/* SPDX-License-Identifier: MIT */
/* An event, which stays as it is until it is reset. */
#include "platform/bell.h"

#include <windows.h>

#include "win32/system_error.h"

int bell_create(struct bell *bell) {
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (event == NULL) {
        return system_error(GetLastError(), "cannot create an event");
    }
    bell->heard = bell->rung = (handle)event;
    return 0;
}

void bell_destroy(struct bell *bell) {
    handle_close(bell->heard);
}

void bell_ring(const struct bell *bell) {
    (void)SetEvent((HANDLE)bell->rung); /* cannot fail for an event */
}

void bell_clear(const struct bell *bell) {
    (void)ResetEvent((HANDLE)bell->heard);
}
