/* SPDX-License-Identifier: MIT */
/* The body: the size of the head (8 bytes) and of the values (8 bytes); the head, a CBOR map of what the process is; the
 * values, args and kwargs in CBOR; zeros up to a multiple of 16; the raw payload up to the end. */
#include "spawn/preparation.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mproc/value.h"
#include "value/cbor.h"
#include "value/value.h"

#define SIZES 16
#define ALIGNMENT 16

static int check_kind(const char *function, const char *parameter, const cJSON *value, bool is_kind, const char *kind) {
    char text[96];
    if (value == NULL || is_kind) {
        return 0;
    }
    return error_set(MPROC_ETYPE, 0, "%s: %s should be %s or NULL, but is %s", function, parameter, kind,
                     value_describe(value, text, sizeof text));
}

static int encode(struct message *values, const char *function, const char *parameter, const cJSON *value) {
    int status = cbor_encode(value, values);
    if (status != 0) {
        (void)error_prefix("%s: %s: ", function, parameter);
    }
    return status;
}

int arguments_encode(struct message *values, const char *function, cJSON *args, cJSON *kwargs) {
    cJSON no_args, no_kwargs;
    memset(&no_args, 0, sizeof no_args);
    memset(&no_kwargs, 0, sizeof no_kwargs);
    no_args.type = cJSON_Array;
    no_kwargs.type = cJSON_Object;
    int status = check_kind(function, "args", args, cJSON_IsArray(args), "an array");
    if (status == 0) {
        status = check_kind(function, "kwargs", kwargs, cJSON_IsObject(kwargs), "an object");
    }
    if (status == 0) {
        status = encode(values, function, "args", args != NULL ? args : &no_args);
    }
    if (status == 0) {
        status = encode(values, function, "kwargs", kwargs != NULL ? kwargs : &no_kwargs);
    }
    value_delete(args);
    value_delete(kwargs);
    return status;
}

int arguments_check_data(const char *function, size_t size) {
    return size <= MPROC_MESSAGE_MAX / 2
               ? 0
               : error_set(MPROC_ERANGE, 0, "%s: data has %llu bytes; at most %llu can be handed over", function,
                           (unsigned long long)size, (unsigned long long)(MPROC_MESSAGE_MAX / 2));
}

static int copy_data(struct arguments *call, const void *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    call->data = memory_resize(NULL, size);
    if (call->data == NULL) {
        return MPROC_ENOMEM;
    }
    memcpy(call->data, data, size);
    call->size = size;
    return 0;
}

int arguments_create(struct arguments *call, const char *function, cJSON *args, cJSON *kwargs, const void *data,
                     size_t size) {
    memset(call, 0, sizeof *call);
    int status = arguments_encode(&call->values, function, args, kwargs);
    if (status == 0) {
        status = arguments_check_data(function, size);
    }
    if (status == 0) {
        status = copy_data(call, data, size);
    }
    if (status != 0) {
        arguments_clear(call);
    }
    return status;
}

int arguments_decode(struct arguments *call, cJSON **args, cJSON **kwargs) {
    const struct message *values = &call->values;
    cJSON *decoded_args = NULL;
    size_t used = 0, ignored = 0;
    int status = cbor_decode(values->bytes.data, values->bytes.size, &used, values->handles, values->handle_count,
                             &decoded_args);
    if (status == 0) {
        status = cbor_decode(values->bytes.data + used, values->bytes.size - used, &ignored, values->handles,
                             values->handle_count, kwargs);
    }
    if (status != 0) {
        value_delete(decoded_args);
        return status;
    }
    *args = decoded_args;
    return 0;
}

void arguments_clear(struct arguments *call) {
    message_clear(&call->values);
    memory_free(call->data);
    memset(call, 0, sizeof *call);
}

static cJSON *create_handle_list(const handle *child_handles, size_t count) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < count && list != NULL; i++) {
        cJSON *number = cJSON_CreateNumber((double)child_handles[i]);
        if (number == NULL || !cJSON_AddItemToArray(list, number)) {
            cJSON_Delete(number);
            cJSON_Delete(list);
            list = NULL;
        }
    }
    return list;
}

static cJSON *create_head(const struct preparation *preparation, const handle *child_handles) {
    return mproc_pack("{s:s,s:s,s:i,s:s,s:b,s:s,s:i,s:o}", "target", preparation->target, "path", preparation->path,
                      "root", preparation->root_pid, "name", preparation->self.name, "daemon",
                      (int)preparation->self.daemon, "parent", preparation->parent.name, "parent_pid",
                      preparation->parent.pid, "handles",
                      create_handle_list(child_handles, preparation->call.values.handle_count));
}

static int append_padding(struct buffer *body) {
    static const uint8_t zeros[ALIGNMENT];
    return buffer_append(body, zeros, (ALIGNMENT - body->size % ALIGNMENT) % ALIGNMENT);
}

static int append_parts(const struct preparation *preparation, const struct buffer *head, struct buffer *body) {
    const struct arguments *call = &preparation->call;
    uint64_t sizes[2] = {head->size, call->values.bytes.size};
    int status = buffer_reserve(body, SIZES + head->size + call->values.bytes.size + ALIGNMENT + call->size);
    if (status == 0) {
        status = buffer_append(body, sizes, sizeof sizes);
    }
    if (status == 0) {
        status = buffer_append(body, head->data, head->size);
    }
    if (status == 0) {
        status = buffer_append(body, call->values.bytes.data, call->values.bytes.size);
    }
    if (status == 0) {
        status = append_padding(body);
    }
    return status == 0 ? buffer_append(body, call->data, call->size) : status;
}

int preparation_encode(const struct preparation *preparation, const handle *child_handles, struct buffer *body) {
    struct message head = {0};
    cJSON *value = create_head(preparation, child_handles);
    int status = value != NULL ? cbor_encode(value, &head) : value_pending_error();
    if (status == 0) {
        status = append_parts(preparation, &head.bytes, body);
    }
    value_delete(value);
    message_clear(&head);
    return status;
}

static int copy_name(struct identity *identity, const char *name) {
    if (strlen(name) > PROCESS_NAME_MAX) {
        return error_set(MPROC_EINVAL, 0, "a process name of over %d bytes arrived", PROCESS_NAME_MAX);
    }
    memcpy(identity->name, name, strlen(name) + 1);
    return 0;
}

static int adopt_handles(struct message *values, const cJSON *list) {
    const cJSON *number;
    cJSON_ArrayForEach(number, list) {
        handle inherited = (handle)number->valuedouble;
        int status = handle_adopt(inherited);
        if (status == 0) {
            status = message_add_handle(values, inherited);
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static int read_head(struct preparation *preparation, const uint8_t *data, size_t size) {
    const char *target, *path, *name, *parent;
    const cJSON *handles;
    bool daemon;
    size_t used;
    cJSON *head = NULL;
    int status = cbor_decode(data, size, &used, NULL, 0, &head);
    if (status == 0) {
        status = mproc_unpack(head, "{s:s,s:s,s:i,s:s,s:b,s:s,s:i,s:o}", "target", &target, "path", &path, "root",
                              &preparation->root_pid, "name", &name, "daemon", &daemon, "parent", &parent, "parent_pid",
                              &preparation->parent.pid, "handles", &handles);
    }
    if (status == 0) {
        preparation->self.daemon = daemon;
        preparation->self.pid = mproc_getpid();
        preparation->target = memory_copy_text(target);
        preparation->path = memory_copy_text(path);
        status = preparation->target != NULL && preparation->path != NULL ? 0 : MPROC_ENOMEM;
    }
    if (status == 0) {
        status = copy_name(&preparation->self, name);
    }
    if (status == 0) {
        status = copy_name(&preparation->parent, parent);
    }
    if (status == 0) {
        status = adopt_handles(&preparation->call.values, handles);
    }
    value_delete(head);
    return status;
}

int preparation_decode(struct preparation *preparation, struct frame *frame) {
    uint64_t sizes[2] = {0, 0};
    int status = 0;
    memset(preparation, 0, sizeof *preparation);
    preparation->body = frame->body;
    frame->body = NULL;
    if (frame->kind == FRAME_PREPARATION && frame->size >= SIZES) {
        memcpy(sizes, preparation->body, sizeof sizes);
    }
    uint64_t rest = frame->size - SIZES;
    if (sizes[0] == 0 || sizes[0] > rest || sizes[1] > rest - sizes[0]) {
        status = error_set(MPROC_EINVAL, 0, "what the parent sent is no preparation");
    }
    if (status == 0) {
        status = read_head(preparation, preparation->body + SIZES, (size_t)sizes[0]);
    }
    if (status == 0) {
        struct arguments *call = &preparation->call;
        status = buffer_append(&call->values.bytes, preparation->body + SIZES + sizes[0], (size_t)sizes[1]);
        size_t start = (size_t)(SIZES + sizes[0] + sizes[1]);
        start += (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
        call->data = start < frame->size ? preparation->body + start : NULL;
        call->size = start < frame->size ? frame->size - start : 0;
    }
    if (status != 0) {
        preparation_clear(preparation);
    }
    return status;
}

void preparation_clear(struct preparation *preparation) {
    if (preparation->body != NULL) {
        preparation->call.data = NULL; /* it stands in the body */
    }
    arguments_clear(&preparation->call);
    memory_free(preparation->target);
    memory_free(preparation->path);
    memory_free(preparation->body);
    memset(preparation, 0, sizeof *preparation);
}
