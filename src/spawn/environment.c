/* SPDX-License-Identifier: MIT */
#include "spawn/environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/memory.h"
#include "platform/spawn.h"

static size_t name_length(const char *variable) {
    const char *equals = strchr(variable, '=');
    return equals != NULL ? (size_t)(equals - variable) : strlen(variable);
}

static bool is_set_by(const char *name, const char *const *added) {
    for (; *added != NULL; added++) {
        if (spawn_same_variable(name, strlen(name), *added, name_length(*added))) {
            return true;
        }
    }
    return false;
}

static char *join(const char *name, const char *value) {
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *text = memory_allocate(size);
    if (text != NULL) {
        (void)snprintf(text, size, "%s=%s", name, value);
    }
    return text;
}

static int fill(char **list, const uv_env_item_t *items, int count, const char *const *added) {
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (!is_set_by(items[i].name, added)) {
            list[used] = join(items[i].name, items[i].value);
            if (list[used++] == NULL) {
                return MPROC_ENOMEM;
            }
        }
    }
    for (; *added != NULL; added++) {
        list[used] = memory_copy_text(*added);
        if (list[used++] == NULL) {
            return MPROC_ENOMEM;
        }
    }
    return 0;
}

int environment_create(char ***environment, const char *const *added) {
    uv_env_item_t *items = NULL;
    int count = 0;
    size_t added_count = 0;
    int error = uv_os_environ(&items, &count);
    if (error != 0) {
        return error_set(MPROC_ESYSTEM, error, "cannot read the environment: %s", uv_strerror(error));
    }
    while (added[added_count] != NULL) {
        added_count++;
    }
    char **list = memory_allocate(((size_t)count + added_count + 1) * sizeof(char *));
    int status = list != NULL ? fill(list, items, count, added) : MPROC_ENOMEM;
    uv_os_free_environ(items, count);
    if (status != 0) {
        environment_free(list);
        return status;
    }
    *environment = list;
    return 0;
}

char *environment_value(const char *name) {
    size_t size = 4096;
    char *value = memory_resize(NULL, size);
    int error = value != NULL ? uv_os_getenv(name, value, &size) : UV_ENOMEM;
    while (error == UV_ENOBUFS) { /* size tells how much it needs */
        memory_free(value);
        value = memory_resize(NULL, size);
        error = value != NULL ? uv_os_getenv(name, value, &size) : UV_ENOMEM;
    }
    if (error != 0) {
        memory_free(value);
        return NULL;
    }
    return value;
}

void environment_free(char **environment) {
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
        memory_free(environment[i]);
    }
    memory_free(environment);
}
