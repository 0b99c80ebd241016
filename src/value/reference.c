/* SPDX-License-Identifier: MIT */
#include "value/reference.h"

#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "mproc/value.h"
#include "platform/self.h"
#include "value/value.h"

#define KEY "$mproc"

struct entry {
    int64_t id;
    struct parcel parcel;
    struct entry *next;
};

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static struct entry *entries;
static int64_t last_id;
static int64_t process; /* a number that no other process has: see self_unique */

static void create_table(void) {
    (void)uv_mutex_init(&mutex); /* fails for want of memory at most, and then libuv's lock ends the program */
    process = (int64_t)(self_unique() & (((uint64_t)1 << 53) - 1)); /* exact as a JSON number */
}

static void lock(void) {
    uv_once(&once, create_table);
    uv_mutex_lock(&mutex);
}

static void unlock(void) {
    uv_mutex_unlock(&mutex);
}

void parcel_clear(struct parcel *parcel) {
    for (size_t i = 0; i < parcel->handle_count; i++) {
        handle_close(parcel->handles[i]);
    }
    buffer_clear(&parcel->bytes);
    memset(parcel, 0, sizeof *parcel);
}

const char *reference_kind_name(enum reference_kind kind) {
    switch (kind) {
    case REFERENCE_CONNECTION:
        return "connection";
    case REFERENCE_QUEUE:
        return "queue";
    case REFERENCE_WORKER:
        return "pool's worker";
    case REFERENCE_LOCK:
        return "lock";
    case REFERENCE_SEMAPHORE:
        return "semaphore";
    case REFERENCE_EVENT:
        return "event";
    case REFERENCE_CONDITION:
        return "condition";
    case REFERENCE_BARRIER:
        return "barrier";
    case REFERENCE_SHARED:
        return "shared memory";
    }
    return "object";
}

static int64_t enter(struct entry *entry) {
    lock();
    entry->id = ++last_id;
    entry->next = entries;
    entries = entry;
    int64_t id = entry->id;
    unlock();
    return id;
}

/* Takes an entry out of the list; NULL: it is not there. The lock is held. */
static struct entry *remove_entry(int64_t id) {
    for (struct entry **place = &entries; *place != NULL; place = &(*place)->next) {
        if ((*place)->id == id) {
            struct entry *found = *place;
            *place = found->next;
            return found;
        }
    }
    return NULL;
}

static void free_entry(struct entry *entry) {
    if (entry != NULL) {
        parcel_clear(&entry->parcel);
        memory_free(entry);
    }
}

cJSON *reference_create(struct parcel *parcel) {
    struct entry *entry = memory_allocate(sizeof *entry);
    if (entry == NULL) {
        parcel_clear(parcel);
        return NULL;
    }
    entry->parcel = *parcel;
    memset(parcel, 0, sizeof *parcel);
    const char *kind = reference_kind_name(entry->parcel.kind);
    int64_t id = enter(entry);
    cJSON *reference = mproc_pack("{s:{s:s,s:I,s:I}}", KEY, "kind", kind, "id", id, "process", process);
    if (reference == NULL) {
        (void)value_pending_error(); /* it is told by this NULL, not by a later call */
        lock();
        entry = remove_entry(id);
        unlock();
        free_entry(entry);
    }
    return reference;
}

static const cJSON *content_of(const cJSON *value) {
    const cJSON *content = cJSON_IsObject(value) ? value->child : NULL;
    bool is_reference =
        content != NULL && content->next == NULL && content->string != NULL && strcmp(content->string, KEY) == 0;
    return is_reference ? content : NULL;
}

bool reference_is(const cJSON *value) {
    return content_of(value) != NULL;
}

/* Takes the entry out where the reference is sound, and is to this kind of object. */
static int take_entry(const cJSON *reference, enum reference_kind kind, struct entry **taken) {
    const char *name;
    int64_t id, maker;
    char text[96];
    const cJSON *content = content_of(reference);
    if (content == NULL) {
        return error_set(MPROC_ETYPE, 0, "a reference%s%s is wanted, but this is %s", kind != 0 ? " to a " : "",
                         kind != 0 ? reference_kind_name(kind) : "", value_describe(reference, text, sizeof text));
    }
    int status = mproc_unpack(content, "{s:s,s:I,s:I}", "kind", &name, "id", &id, "process", &maker);
    if (status != 0) {
        return error_set(MPROC_ETYPE, 0, "this is not a reference that mproc has made");
    }
    if (kind != 0 && strcmp(name, reference_kind_name(kind)) != 0) {
        return error_set(MPROC_ETYPE, 0, "a reference to a %s is wanted, but this is one to a %s",
                         reference_kind_name(kind), name);
    }
    lock();
    struct entry *entry = maker == process ? remove_entry(id) : NULL;
    unlock();
    if (entry == NULL) {
        return error_set(MPROC_ESTATE, 0,
                         maker == process ? "the %s that this reference stands for was sent or taken up before"
                                          : "this reference to a %s was made in another process, and not received here",
                         name);
    }
    *taken = entry;
    return 0;
}

int reference_take(const cJSON *reference, enum reference_kind kind, struct parcel *parcel) {
    struct entry *entry = NULL;
    int status = take_entry(reference, kind, &entry);
    if (entry != NULL) {
        *parcel = entry->parcel;
        memory_free(entry);
    }
    return status;
}

void reference_drop(const cJSON *value) {
    int64_t id, maker;
    const cJSON *content = content_of(value);
    if (content != NULL && mproc_unpack(content, "{s:I,s:I}", "id", &id, "process", &maker) == 0) {
        lock();
        struct entry *entry = maker == process ? remove_entry(id) : NULL;
        unlock();
        free_entry(entry);
    }
}

void reference_drop_all(void) {
    lock();
    struct entry *entry = entries;
    entries = NULL;
    unlock();
    while (entry != NULL) {
        struct entry *next = entry->next;
        free_entry(entry);
        entry = next;
    }
}
